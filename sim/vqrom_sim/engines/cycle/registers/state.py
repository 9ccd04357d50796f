"""What a run of the cycle model starts from: the accelerator's dimensions, and its registers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from amaranth.utils import exact_log2

from vqrom_hw.bus import channel_depths
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import COMMAND_BYTES, VectorOp
from vqrom_hw.lib import parameter_layout
from vqrom_hw.vector import write_latency
from vqrom_hw.weights import last_fields

from . import places as at
from .channels import COMMAND_CHANNEL


class Dimensions(NamedTuple):
    """An accelerator's configuration as the steps need it.

    Members
    -------
    beat_bytes, beat_bits, bus_width:
        Bytes of a bus beat, their logarithm to base 2, and bits of a beat.
    longest_burst:
        Most beats of a burst.
    latency:
        Cycles from a read address to the DRAM's first beat.
    queue_depth:
        Commands in a command queue.
    command_beats:
        Beats of a command.
    ports, last_ports:
        Codewords of a step that fills shadow registers, and of a tile's last step.
    steps:
        Steps of a tile.
    index_width, codeword_width:
        Bits of an index and of a codeword.
    parameter_width:
        Bits of the parameters of one pixel's lane group.
    post_steps:
        Lane groups of a column tile, one a cycle.
    sections:
        Column tiles of a word.
    word_width:
        Bits of a word of the activation buffer.
    bank_bits:
        Bits of a bank's number.
    vector_steps:
        Advances of the vector unit's lanes for one result.
    table_step:
        Entries that a table for all lanes is loaded by in a cycle.
    vector_depth:
        Longest way of a result through the vector unit, in advances.
    latencies:
        That way for each operation, by the number of a :class:`VectorOp`.
    """

    beat_bytes: int
    beat_bits: int
    bus_width: int
    longest_burst: int
    latency: int
    queue_depth: int
    command_beats: int
    ports: int
    last_ports: int
    steps: int
    index_width: int
    codeword_width: int
    parameter_width: int
    post_steps: int
    sections: int
    word_width: int
    bank_bits: int
    vector_steps: int
    table_step: int
    vector_depth: int
    latencies: tuple[int, ...]


def dimensions_of(config: AcceleratorConfig) -> Dimensions:
    """What the steps need of a configuration."""
    latencies = vector_latencies(config)
    return Dimensions(
        beat_bytes=config.beat_bytes,
        beat_bits=exact_log2(config.beat_bytes),
        bus_width=config.bus_width,
        longest_burst=config.max_burst_beats,
        latency=config.dram_latency,
        queue_depth=config.command_queue,
        command_beats=COMMAND_BYTES // config.beat_bytes,
        ports=config.decode_ports,
        last_ports=last_fields(config),
        steps=config.fill_steps,
        index_width=config.index_width,
        codeword_width=config.codeword_width,
        parameter_width=parameter_layout.size * config.post_lanes,
        post_steps=config.post_steps,
        sections=config.rows // config.columns,
        word_width=8 * config.rows,
        bank_bits=(config.activation_banks - 1).bit_length(),
        vector_steps=config.rows // config.vector_lanes,
        table_step=config.table_step,
        vector_depth=max(latencies),
        latencies=latencies,
    )


def vector_latencies(config: AcceleratorConfig) -> tuple[int, ...]:
    """Advances of the vector unit from a window's last word to its result, by the number of a
    :class:`VectorOp`."""
    return tuple(write_latency(config, operation) - 1 for operation in VectorOp)


def initial_state(config: AcceleratorConfig, program_beats: int) -> np.ndarray:
    """All registers, int64, in the first busy cycle, when the program has just been asked for.

    Parameters
    ----------
    config:
        The accelerator.
    program_beats:
        Length of the program in bus beats.
    """
    registers = np.zeros(at.V_RING + max(vector_latencies(config)), np.int64)
    registers[at.C_LEFT] = program_beats
    for number, depth in enumerate(channel_depths(config)):
        registers[at.CHANNELS + number * at.CHANNEL_SIZE + at.H_FREE] = depth
    program = at.CHANNELS + COMMAND_CHANNEL * at.CHANNEL_SIZE
    registers[program + at.H_QUEUED] = 1
    registers[program + at.H_RING:program + at.H_RING + 3] = 0, program_beats, 0
    return registers
