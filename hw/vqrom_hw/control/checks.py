"""What is wrong with a program or a command, before anything is done for it."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from vqrom_hw.bus import ADDRESS_BITS
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import TARGETS, Channel, ErrorCode, Opcode, Unit

from .availability import is_missing

WAITING = tuple(opcode for opcode in TARGETS if opcode != Opcode.CODEBOOK)
"""The commands that wait for others. What they wait for is counted by their opcodes, too."""

_COUNTED = {unit: next(opcode for opcode in WAITING if unit.name.lower() in TARGETS[opcode])
            for unit in Unit}
"""The commands that a unit finishes, by the unit."""


def program_error(config: AcceleratorConfig, address: Value, beats: Value, limit: Value) -> Value:
    """The error of a program that is to be started, 0 if it has none.

    Parameters
    ----------
    config:
        Its bus width matters.
    address, beats, limit:
        Registers: where the program begins, how long it is in beats, and the most bytes of it.
    """
    size = beats << exact_log2(config.beat_bytes)
    beyond = (size > limit) | _leaves_memory(address, size)
    return Mux(_cuts_beat(config, address), ErrorCode.ALIGNMENT,
               Mux(beyond, ErrorCode.DRAM_RANGE, ErrorCode.NONE))


def command_error(m: Module, config: AcceleratorConfig, command: data.View, *, base: Value,
                  limit: Value, codebook: Value, handed: Mapping[Opcode, Signal]) -> Signal:
    """The error of the command in hand, 0 if it has none.

    Parameters
    ----------
    m:
        Gets the logic.
    config:
        The accelerator's dimensions.
    command:
        The command, of :data:`~vqrom_hw.isa.command_layout`.
    base, limit:
        Byte address and size of the region that its transfer names.
    codebook:
        SHA-256 of the codebook in use.
    handed:
        How many commands of each opcode of :data:`WAITING` were handed out before it, modulo
        2**16.
    """
    header, transfer = command.header, command.body.transfer
    opcode = header.opcode
    error = Signal(4, name="command_error")
    end = Signal(ADDRESS_BITS + 1)
    m.d.comb += end.eq(transfer.offset + (transfer.beats << exact_log2(config.beat_bytes)))
    moves = Cat(opcode == move for move in (Opcode.FETCH, Opcode.LOAD, Opcode.STORE)).any()
    with m.If(_is_unknown(config, command)):
        m.d.comb += error.eq(ErrorCode.OPCODE)
    with m.Elif(moves & ((end > limit) | _leaves_memory(base, end))):
        m.d.comb += error.eq(ErrorCode.DRAM_RANGE)
    with m.Elif(moves & _cuts_beat(config, base | transfer.offset)):
        m.d.comb += error.eq(ErrorCode.ALIGNMENT)
    with m.Elif((opcode == Opcode.STORE) & (transfer.beats != _beats_of(config, transfer.words))):
        m.d.comb += error.eq(ErrorCode.LENGTH)
    with m.Elif(_waits_for_ever(opcode, header.wait, handed)):
        m.d.comb += error.eq(ErrorCode.WAIT)
    with m.Elif((opcode == Opcode.CHECK) & (command.body.check.sha256 != codebook)):
        m.d.comb += error.eq(ErrorCode.CODEBOOK)
    return error


def _cuts_beat(config: AcceleratorConfig, address: Value) -> Value:
    return address[:exact_log2(config.beat_bytes)].any()


def _leaves_memory(base: Value, size: Value) -> Value:
    """Whether so many bytes from an address on end beyond the last address there is."""
    return base + size > 1 << ADDRESS_BITS


def _beats_of(config: AcceleratorConfig, words: Value) -> Value:
    beat_bytes = config.beat_bytes
    return (words * config.rows + (beat_bytes - 1)) >> exact_log2(beat_bytes)


def _is_unknown(config: AcceleratorConfig, command: data.View) -> Value:
    """Whether no unit of this accelerator can carry a command out."""
    opcode = command.header.opcode
    known = [Opcode.END, Opcode.CHECK, Opcode.FETCH, *TARGETS]
    if config.codebook_storage == "rom":
        known.remove(Opcode.CODEBOOK)
    return (~Cat(opcode == code for code in known).any()
            | ((opcode == Opcode.FETCH) & (command.body.transfer.channel >= len(Channel)))
            | ((opcode == Opcode.VECTOR) & is_missing(config, command.body.vector)))


def _waits_for_ever(opcode: Value, wait: data.View, handed: Mapping[Opcode, Signal]) -> Value:
    """Whether a command waits for one that has not been handed out: it would hold up those behind
    it, the awaited one among them."""
    ahead = []
    for unit in Unit:
        distance = (handed[_COUNTED[unit]] - wait[unit.name.lower()])[:16]
        ahead.append(distance.as_signed() < 0)
    return Cat(opcode == waiting for waiting in WAITING).any() & Cat(ahead).any()
