"""The program in words: what each command does, waits for and moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vqrom_hw.isa import (
    COMMAND_BYTES,
    LEVELS,
    TARGETS,
    Channel,
    Opcode,
    Region,
    Stream,
    Unit,
    VectorOp,
)

from ..order import UNITS_OF
from ..program import COLUMNS, FIELDS, TRANSFER_STREAMS, WAITS, Program

_HEADER = ("opcode", "layer", *WAITS)
_IN_DRAM = (Opcode.FETCH, Opcode.LOAD, Opcode.STORE)
_NEST_READERS = (Opcode.COMPUTE, Opcode.VECTOR)
_LOOP_COLUMNS = ("count_", "stride_", "dy_", "dx_")
_TOLD_OTHERWISE = ("raw", "operation", "channel", "stream", "region", "offset")
_ADDRESSES = {Opcode.LOAD: ("base",), Opcode.STORE: ("base",),
              **dict.fromkeys(_NEST_READERS, ("nest_base", "target_base"))}


@dataclass(frozen=True)
class Wait:
    """What a command waits for on one unit.

    Members
    -------
    unit:
        ``"load"``, ``"array"``, ``"post"``, ``"vector"`` or ``"store"``.
    finished:
        The unit must have finished that many commands since the program's start.
    position:
        Position in the command list of the last of those.
    """

    unit: str
    finished: int
    position: int


@dataclass(frozen=True)
class CommandLine:
    """One command of a program.

    Members
    -------
    position:
        Its place in the command list.
    opcode:
        What the command does.
    queues:
        The queues that it goes to; none for commands that the command processor does itself.
    numbers:
        For each unit that does a part of it, the unit's count of finished commands once it is done.
    layer:
        The layer that it counts for.
    waits:
        What must be finished before it begins; units that it does not wait for are left out.
    moved:
        Bytes that it moves in DRAM by traffic stream, those of the command itself included.
    dram:
        The region, and the byte in it, that it reads or writes; None if it does neither.
    fields:
        All fields of its body by the names of :data:`vqrom_sw.compiler.COLUMNS`; digests are none.
    """

    position: int
    opcode: Opcode
    queues: tuple[str, ...]
    numbers: Mapping[str, int]
    layer: str
    waits: tuple[Wait, ...]
    moved: Mapping[str, int]
    dram: tuple[str, int] | None
    fields: Mapping[str, int] = field(repr=False)

    @property
    def name(self) -> str:
        """The opcode, and what tells its kinds apart: ``COMPUTE indexed``, ``VECTOR sum``.

        A maximum over windows of one word is a ``VECTOR copy``, a sum over such a ``VECTOR
        rescale``, either with lanes that go elsewhere a ``VECTOR move``, and over nothing but
        padding a ``VECTOR fill``.
        """
        match self.opcode:
            case Opcode.VECTOR:
                kind = self._vector_kind
            case Opcode.COMPUTE:
                kind = "raw" if self.fields["raw"] else "indexed"
            case Opcode.FETCH:
                kind = Stream(self.fields["stream"]).name.lower()
            case _:
                return self.opcode.name
        return f"{self.opcode.name} {kind}"

    @property
    def _vector_kind(self) -> str:
        operation, fields = VectorOp(self.fields["operation"]), self.fields
        is_single = fields["count_0"] == fields["count_1"] == 1
        if operation not in (VectorOp.MAX, VectorOp.SUM) or not is_single:
            return operation.name.lower()
        if fields["y0"] < 0 and all(fields[f"dy_{level}"] == 0 for level in range(LEVELS)):
            return "fill"
        if fields["rotation"] or fields["first_lane"] or fields["lanes"]:
            return "move"
        return "copy" if operation == VectorOp.MAX else "rescale"

    @property
    def loops(self) -> tuple[int, ...]:
        """Iterations of a COMPUTE's or VECTOR's loops, innermost first, without trailing ones."""
        if self.opcode not in _NEST_READERS:
            return ()
        counts = [self.fields[f"count_{level}"] for level in range(LEVELS)]
        while counts and counts[-1] == 1:
            counts.pop()
        return tuple(counts)

    @property
    def details(self) -> dict[str, str]:
        """The fields that say something about this command, as texts by their names.

        Addresses in the activation buffer are always there, other fields unless they are zero.
        """
        result = {}
        if self.opcode == Opcode.FETCH:
            result["channel"] = Channel(self.fields["channel"]).name.lower()
        if self.loops:
            result["loops"] = " x ".join(map(str, self.loops))
        for name, value in self.fields.items():
            told = name in _TOLD_OTHERWISE or name.startswith(_LOOP_COLUMNS)
            if not told and (value or name in _ADDRESSES.get(self.opcode, ())):
                result[name] = str(value)
        return result

    def as_row(self) -> dict[str, str]:
        """The command as texts by heading, for a table."""
        moved = {name: size for name, size in self.moved.items() if name != "command"}
        return {
            "position": str(self.position), "command": self.name, "layer": self.layer,
            "queues": ", ".join(self.queues),
            "number": ", ".join(f"{unit} {number}" for unit, number in self.numbers.items()),
            "waits": ", ".join(f"{wait.unit} {wait.finished}" for wait in self.waits),
            "bytes": ", ".join(f"{name} {size}" for name, size in moved.items()),
            "dram": f"{self.dram[0]} + {self.dram[1]}" if self.dram else "",
            "details": ", ".join(f"{name} {value}" for name, value in self.details.items()),
        }


def disassemble(program: Program) -> list[CommandLine]:
    """The commands of a program as lines that can be read, from its table.

    The program may be compiled without contents.
    """
    positions: dict[Unit, list[int]] = {unit: [] for unit in Unit}
    return [_command_line(position, dict(zip(COLUMNS, values, strict=True)), program, positions)
            for position, values in enumerate(program.table.tolist())]


def _command_line(position: int, columns: Mapping[str, int], program: Program,
                  positions: Mapping[Unit, list[int]]) -> CommandLine:
    """One command; it is appended to the ``positions`` of its units' commands."""
    opcode = Opcode(columns["opcode"])
    waits = tuple(_waits(columns, positions))
    units = UNITS_OF.get(opcode, ())
    for unit in units:
        positions[unit].append(position)
    names = [COLUMNS[place.column] for place in FIELDS[opcode]]
    return CommandLine(
        position, opcode, queues=TARGETS.get(opcode, ()),
        numbers={unit.name.lower(): len(positions[unit]) for unit in units},
        layer=program.layers[columns["layer"]], waits=waits,
        moved=_moved(opcode, columns, program.config.beat_bytes),
        dram=(Region(columns["region"]).name, columns["offset"]) if opcode in _IN_DRAM else None,
        fields={name: columns[name] for name in names if name not in _HEADER})


def _waits(columns: Mapping[str, int], positions: Mapping[Unit, list[int]]) -> list[Wait]:
    """The waits of a command after which ``positions`` of each unit have been given out."""
    waits = []
    for unit, name in zip(Unit, WAITS, strict=True):
        # A count is modulo 2**16, and never further back.
        given_out = len(positions[unit])
        finished = given_out - ((given_out - columns[name]) & 0xFFFF)
        if finished > 0:
            waits.append(Wait(unit.name.lower(), finished, positions[unit][finished - 1]))
    return waits


def _moved(opcode: Opcode, columns: Mapping[str, int], beat_bytes: int) -> dict[str, int]:
    """Bytes by traffic stream, as :attr:`Program.fetched_bytes` counts them."""
    moved = {"command": COMMAND_BYTES}
    if opcode in _IN_DRAM:
        stream = TRANSFER_STREAMS.get(opcode) or Stream(columns["stream"]).name.lower()
        moved[stream] = columns["beats"] * beat_bytes
    return moved
