"""What the cycle model holds: dimensions, and the registers of every unit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vqrom_hw.accelerator import COMMAND_FIFO_BEATS
from vqrom_hw.commands import COMMAND_BYTES, VectorOp
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.decode import last_fields
from vqrom_hw.requantize import parameter_layout
from vqrom_hw.vector import write_latency

from . import bus, compute, dispatch, transfer, vector, weights


class Dimensions(NamedTuple):
    """An accelerator's configuration as the steps need it; widths in bits."""

    beat_bytes: int
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


class State(NamedTuple):
    """Registers by unit, int64 arrays; each file of this package says what is where."""

    processor: np.ndarray
    queues: np.ndarray
    completed: np.ndarray
    requested: np.ndarray
    streams: np.ndarray
    read: np.ndarray
    write: np.ndarray
    unpacker: np.ndarray
    loader: np.ndarray
    parameters: np.ndarray
    sequencer: np.ndarray
    post: np.ndarray
    vector: np.ndarray
    load: np.ndarray
    store: np.ndarray


def dimensions_of(config: AcceleratorConfig) -> Dimensions:
    """What the steps need of a configuration."""
    return Dimensions(
        config.beat_bytes, config.bus_width, config.max_burst_beats, config.dram_latency,
        config.command_queue, COMMAND_BYTES // config.beat_bytes, config.decode_ports,
        config.fill_steps, last_fields(config), config.index_width, config.codeword_width,
        parameter_layout.size * config.post_lanes, config.post_groups,
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


def initial_state(config: AcceleratorConfig, program_beats: int) -> State:
    """The first busy cycle: the program has been asked for."""
    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.int64)

    depth = max(vector_latencies(config))
    state = State(
        zeros(dispatch.PROCESSOR_SIZE), zeros(dispatch.QUEUES, dispatch.K_RING
                                              + config.command_queue),
        zeros(dispatch.UNITS), zeros(2), zeros(dispatch.STREAMS, bus.STREAM_SIZE),
        zeros(bus.READ_SIZE), zeros(bus.WRITE_SIZE), zeros(weights.UNPACKER_SIZE),
        zeros(weights.LOADER_SIZE), zeros(weights.UNPACKER_SIZE), zeros(compute.SEQUENCER_SIZE),
        zeros(compute.POST_SIZE), zeros(vector.V_RING + depth), zeros(transfer.LOAD_SIZE),
        zeros(transfer.STORE_SIZE))
    state.processor[dispatch.C_LEFT] = program_beats
    state.streams[:, bus.S_FREE] = fifo_depths(config)
    program = state.streams[dispatch.COMMAND_STREAM]
    program[bus.S_QUEUED] = 1
    program[bus.S_RING:bus.S_RING + 3] = 0, program_beats, 0
    return state
