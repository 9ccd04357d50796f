"""Memories: how often each is read and written, from the counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vqrom_hw.bus import ReadChannel, channel_depths
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COMMAND_BYTES

COUNTED, BOUNDED = "counted by the hardware", "at most one in each cycle in which its unit works"
BY_COMMAND = "at most one for each command of the program"
"""How well accesses are known."""

_CHANNEL_BEATS = {
    ReadChannel.COMMANDS: ("command_beats",), ReadChannel.PARAMETERS: ("parameter_beats",),
    # Depthwise weights are raw weights, too; the few of them pass through the vector FIFO.
    ReadChannel.VECTOR: (), ReadChannel.WEIGHTS: ("index_beats", "raw_weight_beats",
                                                  "codebook_beats"),
    ReadChannel.ACTIVATIONS: ("activation_read_beats",)}


@dataclass(frozen=True)
class Accesses:
    """Words read from and written to all memories of one row, and how that is known."""

    reads: int
    writes: int
    known: str


def accesses(row: Mapping[str, Any], counters: Mapping[str, int],
             config: AcceleratorConfig) -> Accesses:
    """How often the memories of a row of ``area.json``'s ``memories`` were accessed.

    Parameters
    ----------
    row:
        ``component``, ``words``, ``width`` and so on.
    counters:
        Of the run.
    config:
        The accelerator.

    Raises
    ------
    VqromError
        If it is a memory that nothing is known of.
    """
    parts = row["component"].split("/")
    if "activation_buffer" in parts:
        return Accesses(counters["activation_buffer_reads"], counters["activation_buffer_writes"],
                        COUNTED)
    if "accumulator_banks" in parts:
        return Accesses(counters["accumulator_reads"], counters["accumulator_writes"], COUNTED)
    if "codebook_rom" in parts:
        return Accesses(counters["rom_reads"], 0, COUNTED)
    if "codebook_ram" in parts:
        words = counters["codebook_beats"] * config.bus_width // config.codeword_width
        # Every port has a copy, which gets all words.
        return Accesses(counters["rom_reads"], words * row["instances"], COUNTED)
    if "dma_read" in parts:
        beats = _fifo_beats(row, counters, config)
        return Accesses(beats, beats, COUNTED)
    if "vector_unit" in parts:
        return Accesses(counters["vector_busy"] * row["instances"], 0, BOUNDED)
    if parts[0].endswith("_queue"):
        commands = counters["command_beats"] * config.beat_bytes // COMMAND_BYTES
        return Accesses(commands, commands, BY_COMMAND)
    raise VqromError(f"memory of component {row['component']!r} must be one whose accesses are "
                     "counted")


def _fifo_beats(row: Mapping[str, Any], counters: Mapping[str, int],
                config: AcceleratorConfig) -> int:
    """Beats through the FIFOs of a size: of all channels that have it, one word less in memory."""
    depths = dict(zip(ReadChannel, channel_depths(config), strict=True))
    channels = [channel for channel, depth in depths.items() if depth - 1 == row["words"]]
    if len(channels) != row["instances"]:
        raise VqromError(f"FIFOs of {row['words'] + 1} beats must be those of {row['instances']} "
                         f"read channels, not of {len(channels)}")
    return sum(counters[name] for channel in channels for name in _CHANNEL_BEATS[channel])
