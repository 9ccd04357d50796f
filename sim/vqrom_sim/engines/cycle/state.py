"""What a run of the cycle model starts from: dimensions, and registers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from amaranth.utils import exact_log2

from vqrom_hw.bus import COMMAND_FIFO_BEATS
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import COMMAND_BYTES, VectorOp
from vqrom_hw.lib import parameter_layout
from vqrom_hw.vector import write_latency
from vqrom_hw.weights import last_fields

from . import bus, control, vector


class Dimensions(NamedTuple):
    """An accelerator's configuration as the steps need it; widths in bits."""

    beat_bytes: int
    beat_bits: int
    bus_width: int
    longest_burst: int
    latency: int
    queue_depth: int
    command_beats: int
    ports: int
    steps: int
    last_ports: int
    index_width: int
    codeword_width: int
    parameter_width: int
    groups: int
    sections: int
    word_width: int
    bank_bits: int
    vector_steps: int
    vector_depth: int


def dimensions_of(config: AcceleratorConfig) -> Dimensions:
    """What the steps need of a configuration."""
    return Dimensions(
        config.beat_bytes, exact_log2(config.beat_bytes), config.bus_width,
        config.max_burst_beats, config.dram_latency, config.command_queue,
        COMMAND_BYTES // config.beat_bytes, config.decode_ports, config.fill_steps,
        last_fields(config), config.index_width, config.codeword_width,
        parameter_layout.size * config.post_lanes, config.post_steps,
        config.rows // config.columns, 8 * config.rows,
        (config.activation_banks - 1).bit_length(), config.rows // config.vector_lanes,
        max(vector_latencies(config)))


def vector_latencies(config: AcceleratorConfig) -> np.ndarray:
    """Advances from a window's last word to its result, by :class:`VectorOp`."""
    return np.array([write_latency(config, operation) - 1 for operation in VectorOp], np.int64)


def fifo_depths(config: AcceleratorConfig) -> list[int]:
    """Beats of each read stream's FIFO, in the order of the streams."""
    return [COMMAND_FIFO_BEATS, config.parameter_fifo_beats, config.vector_fifo_beats,
            config.weight_fifo_beats, config.activation_fifo_beats]


def initial_state(config: AcceleratorConfig, program_beats: int) -> np.ndarray:
    """All registers in the first busy cycle: the program has been asked for."""
    registers = np.zeros(vector.V_RING + max(vector_latencies(config)), np.int64)
    registers[control.C_LEFT] = program_beats
    for number, depth in enumerate(fifo_depths(config)):
        registers[bus.STREAM + number * bus.STREAM_SIZE + bus.S_FREE] = depth
    program = bus.STREAM + control.COMMAND_STREAM * bus.STREAM_SIZE
    registers[program + bus.S_QUEUED] = 1
    registers[program + bus.S_RING:program + bus.S_RING + 3] = 0, program_beats, 0
    return registers
