"""The command processor lets nothing pass that leaves its region, and ends every program: proofs
for all time, for any program, any units, any driver and any bus.

The bus is as wide as a command, so that a beat is one: how commands are assembled of more is a
matter of the simulations. A driver cannot change what a running program uses, which is what the
registers guarantee (``tests/hw/control/test_csr.py``).
"""

from __future__ import annotations

import inspect

import pytest
from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from tests.formal.prover import first_violation, mutant
from tests.hw.simulation import config_of
from vqrom_hw.bus import ADDRESS_BITS
from vqrom_hw.control import CommandProcessor, checks, command_processor
from vqrom_hw.control.checks import program_error
from vqrom_hw.isa import Channel, Region, Unit, fault_layout, queue_layout

CONFIG = config_of(bus_width=1024)
SHIFT = exact_log2(CONFIG.beat_bytes)
WATCHDOG = 3
"""Small, so that all waiting lies within a few cycles."""
OWNERS = {Unit.LOAD: "load", Unit.ARRAY: "array", Unit.POST: "array", Unit.VECTOR: "vector",
          Unit.STORE: "store"}
"""The queue that counts a unit's commands."""


class Harness(wiring.Component):
    """Everything around the processor does as it likes."""

    start: Signal
    abort: Signal
    address: Signal
    beats: Signal
    limit: Signal
    progress: Signal
    settled: Signal
    valid: Signal
    payload: Signal
    bases: data.View
    limits: data.View
    room: data.View
    fetch_room: Signal
    idle: Signal
    drained: Signal
    fault: data.View

    def __init__(self, processor: type[CommandProcessor], claim: str) -> None:
        self._claim = claim
        self._dut = processor(CONFIG, bytes(32).hex())
        regions = data.ArrayLayout(ADDRESS_BITS, len(Region))
        super().__init__({name: In(shape) for name, shape in {
            "start": 1, "abort": 1, "address": ADDRESS_BITS, "beats": 24, "limit": 32,
            "progress": 1, "settled": 1, "valid": 1, "payload": CONFIG.bus_width,
            "bases": regions, "limits": regions, "room": queue_layout,
            "fetch_room": len(Channel), "idle": 1, "drained": 1, "fault": fault_layout}.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        m.d.comb += [dut.i.valid.eq(self.valid), dut.i.payload.eq(self.payload),
                     dut.watchdog.eq(WATCHDOG)]
        for name in ("start", "abort", "progress", "settled", "room", "fetch_room", "idle",
                     "drained", "fault", "address", "beats", "limit", "bases", "limits"):
            m.d.comb += Value.cast(getattr(dut, name)).eq(Value.cast(getattr(self, name)))
        match self._claim:
            case "program":
                self._program(m, dut)
            case "transfers":
                self._transfers(m, dut)
            case "ends":
                self._ends(m, dut)
            case _:
                self._waits(m, dut, Unit[self._claim.removeprefix("waits for ")])
        return m

    def _program(self, m: Module, dut: CommandProcessor) -> None:
        """Nothing is read for a program that has an error, and nothing while the bus is not quiet.

        As registers are steady while a program waits or runs, so is whether they are right.
        """
        right, was_right = Signal(), Signal()
        m.d.sync += was_right.eq(right)
        m.d.comb += [
            right.eq(program_error(CONFIG, self.address, self.beats, self.limit) == 0),
            Assume(~dut.busy | (right == was_right)),
            Assert(~dut.launch | (self.settled & self.drained)), Assert(~dut.launch | right),
            Assert(~(dut.busy & ~dut.running) | was_right),
            # Units hold nothing of earlier programs when one is launched.
            Assert(dut.running | dut.launch | dut.flush),
        ]

    def _transfers(self, m: Module, dut: CommandProcessor) -> None:
        """What moves bytes stays within its region, and asks for whole beats."""
        transfer = dut.command.body.transfer
        end = transfer.offset + (transfer.beats << SHIFT)
        base, limit = self.bases[transfer.region], self.limits[transfer.region]
        moves = dut.fetch.any() | dut.push.load | dut.push.store
        held = transfer.beats << SHIFT
        needed = transfer.words * CONFIG.rows
        m.d.comb += [
            Assert(~moves | ((end <= limit) & (base + end <= 1 << ADDRESS_BITS))),
            Assert(~moves | (((base + transfer.offset)[:SHIFT]) == 0)),
            Assert(~dut.push.store | ((held >= needed) & (held < needed + CONFIG.beat_bytes))),
            Assert(~dut.fetch.any() | ((dut.request.address == (base + transfer.offset)[:32])
                                       & (dut.request.beats == transfer.beats))),
        ]

    def _waits(self, m: Module, dut: CommandProcessor, unit: Unit) -> None:
        """A command waits for none that has not been handed out: the first one that is not
        finished can always begin, so that waits alone hold nothing up for ever."""
        pushed = Cat(dut.push[name] for name in ("array", "load", "store", "vector")).any()
        handed = Signal(16)
        m.d.sync += handed.eq(Mux(dut.launch, 0, handed + dut.push[OWNERS[unit]]))
        ahead = (handed - dut.command.header.wait[unit.name.lower()])[:16]
        m.d.comb += Assert(~pushed | (ahead < 1 << 15))

    def _ends(self, m: Module, dut: CommandProcessor) -> None:
        """Where nothing goes on, a program ends; after an error nothing is begun any more."""
        before, still, wrong = Signal(24), Signal(8), Signal()
        goes_on = self.progress | (dut.position != before) | ~dut.busy
        hands_out = dut.fetch.any() | dut.push.as_value().any() | dut.launch
        m.d.sync += [before.eq(dut.position), still.eq(Mux(goes_on, 0, still + 1))]
        with m.If(~dut.busy):
            m.d.sync += wrong.eq(0)
        with m.Elif((self.fault.code != 0) & dut.running & ~dut.flush):
            m.d.sync += wrong.eq(1)
        m.d.comb += [
            # Once until it is ended, once until the bus is given up; one cycle late each.
            Assert(still <= 2 * (WATCHDOG + 2)),
            Assert(~(wrong & dut.running) | ~hands_out), Assert(~wrong | ~dut.done),
            Assert(~((self.fault.code != 0) & dut.running) | ~dut.launch),
            Assert(~(dut.done & dut.failed)), Assert(~(dut.done | dut.failed) | dut.busy),
            Assert(~dut.done | self.drained),
        ]


class ProgramHarness(wiring.Component):
    """Any place and length of a program."""

    address: Signal
    beats: Signal
    limit: Signal

    def __init__(self) -> None:
        super().__init__({"address": In(ADDRESS_BITS), "beats": In(24), "limit": In(32)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        size = self.beats << SHIFT
        fits = ((self.address[:SHIFT] == 0) & (size <= self.limit)
                & (self.address + size <= 1 << ADDRESS_BITS))
        error = checks.program_error(CONFIG, self.address, self.beats, self.limit)
        m.d.comb += Assert((error == 0) == fits)
        return m


def test_a_program_without_error_fits() -> None:
    assert first_violation(ProgramHarness()) is None


CLAIMS = ("program", "transfers", "ends", *(f"waits for {unit.name}" for unit in Unit))


@pytest.mark.parametrize("claim", CLAIMS)
def test_nothing_leaves_its_region_and_every_program_ends(claim: str) -> None:
    assert first_violation(Harness(CommandProcessor, claim)) is None


@pytest.mark.parametrize(("claim", "old", "new"), [
    ("program", "self.launch.eq(self._quiet())", "self.launch.eq(self.settled)"),
    ("program", "with m.Elif(self._quiet()):", "with m.Elif(self.drained):"),
    ("program", "with m.If(refused != 0):", "with m.If(refused == 99):"),
    ("program", "m.d.comb += self.flush.eq(~self.launch)", "m.d.comb += self.flush.eq(0)"),
    ("transfers", "with m.If(illegal == 0):", "with m.If(illegal <= 7):"),
    ("transfers", "self.request.address.eq(base + transfer.offset)",
     "self.request.address.eq(base | transfer.offset)"),
    ("waits for VECTOR", "number + (header.opcode == opcode)", "number + 1"),
    ("ends", "| accepted | self.progress", "| accepted | self.i.valid"),
    ("ends", "with m.Elif(stuck):\n            m.d.comb += self.failed.eq(1)",
     "with m.Elif(stuck & self.abort):\n            m.d.comb += self.failed.eq(1)"),
    ("ends", "Mux(stuck, ErrorCode.WATCHDOG", "Mux(stuck & self.idle, ErrorCode.WATCHDOG"),
    ("ends", "self.done.eq(self.error.code == 0)", "self.done.eq(1)"),
])
def test_defects_are_found(claim: str, old: str, new: str) -> None:
    assert first_violation(Harness(mutant(CommandProcessor, old, new), claim)) is not None


@pytest.mark.parametrize(("claim", "old", "new"), [
    ("transfers", "end > limit", "end > limit + 1"),
    ("transfers", "base + size > 1 <<", "base + size > 2 <<"),
    ("transfers", "_cuts_beat(config, base | transfer.offset)",
     "_cuts_beat(config, transfer.offset)"),
    ("transfers", "transfer.beats != _beats_of", "transfer.beats < _beats_of"),
    ("waits for LOAD", "distance.as_signed() < 0", "distance.as_signed() < -1"),
])
def test_defects_of_the_checks_are_found(monkeypatch: pytest.MonkeyPatch, claim: str, old: str,
                                         new: str) -> None:
    """Checks are functions: the processor gets others."""
    text = inspect.getsource(checks)
    assert text.count(old) == 1
    scope = dict(vars(checks))
    exec(compile(text.replace(old, new), "<mutant of checks>", "exec"), scope)
    for name in ("program_error", "command_error"):
        monkeypatch.setattr(command_processor, name, scope[name])
    assert first_violation(Harness(CommandProcessor, claim)) is not None
