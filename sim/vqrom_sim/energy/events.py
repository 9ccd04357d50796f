"""What each component's energy is counted by: the counters of the events that it works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vqrom_hw.assembly import increment_bits
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COUNTERS

CYCLES = "cycles"
"""The counter of clock cycles, by which a component is counted that has no events of its own."""
INCREMENT_BANK, INCREMENTS = ("counter_bank",), "increments"
"""Instance and port of the Verilog that show what each cycle adds to each counter."""

_READ_BEATS = ("index_beats", "raw_weight_beats", "codebook_beats", "parameter_beats",
               "command_beats", "activation_read_beats")


@dataclass(frozen=True)
class Event:
    """A kind of event.

    Members
    -------
    name:
        What one of them is, in words.
    counters:
        Counters of :data:`vqrom_hw.isa.COUNTERS` whose sum counts them.
    """

    name: str
    counters: tuple[str, ...]

    def count(self, counters: Mapping[str, int]) -> int:
        """How many there were."""
        return sum(counters[name] for name in self.counters)


CYCLE = Event("clock cycle", (CYCLES,))
_WORD = Event("word of activations into the array", ("compute_cycles",))
_WEIGHTS = Event("bus beat of indices or int8 weights", ("index_beats", "raw_weight_beats"))
_CODEWORD = Event("codeword read from the codebook", ("rom_reads",))
_ACCUMULATOR = Event("word read from or written to accumulators",
                     ("accumulator_reads", "accumulator_writes"))
_POST = Event("cycle of post-processing", ("post_busy",))
_VECTOR = Event("cycle of the vector unit", ("vector_busy",))
_BUFFER = Event("word read from or written to the activation buffer",
                ("activation_buffer_reads", "activation_buffer_writes"))
_READ = Event("bus beat read", _READ_BEATS)
_WRITE = Event("bus beat written", ("activation_write_beats",))
_LOAD = Event("bus beat of feature maps read", ("activation_read_beats",))
_COMMAND = Event("bus beat of commands", ("command_beats",))

_EVENTS: dict[str, Event] = {
    "compute_unit": _WORD, "processing_array": _WORD, "sequencer": _WORD,
    "weight_feed": _WEIGHTS, "weight_loader": _WEIGHTS,
    "codebook_rom": _CODEWORD, "codebook_ram": _CODEWORD,
    "accumulator_banks": _ACCUMULATOR,
    "post_processor": _POST, "unpacker_parameter": _POST,
    "vector_unit": _VECTOR, "activation_buffer": _BUFFER,
    "dma_read": _READ, "dma_write": _WRITE,
    "load_unit": _LOAD, "load_request_unit": _LOAD,
    "store_unit": _WRITE, "store_request_unit": _WRITE,
    "command_processor": _COMMAND,
}


def event_of(component: str) -> Event:
    """The events that a component works on: those of the innermost part of its path that has any;
    else clock cycles."""
    for name in reversed(component.split("/")):
        if name in _EVENTS:
            return _EVENTS[name]
    return CYCLE


def split_increments(bits: np.ndarray, config: AcceleratorConfig) -> dict[str, np.ndarray]:
    """What each cycle adds to each counter.

    Parameters
    ----------
    bits:
        uint8 ``[cycles, bits]``: values of the port :data:`INCREMENTS`, whose fields are in the
        order of :data:`vqrom_hw.isa.COUNTERS`.
    config:
        The accelerator, from which the widths of the fields follow.

    Returns
    -------
    dict
        int64 ``[cycles]`` by counter.

    Raises
    ------
    VqromError
        If the port has other bits than all fields together.
    """
    widths = increment_bits(config)
    if bits.shape[1] != sum(widths.values()):
        raise VqromError(f"port {INCREMENTS!r} must have {sum(widths.values())} bits, not "
                         f"{bits.shape[1]!r}")
    ends = np.cumsum([widths[name] for name in COUNTERS])
    fields = np.split(bits.astype(np.int64), ends[:-1], axis=1)
    return {name: (field << np.arange(field.shape[1])).sum(axis=1)
            for name, field in zip(COUNTERS, fields, strict=True)}
