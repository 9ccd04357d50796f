"""One cycle of each unit: its step between its command queue, its read channel and the buffer's
banks.

A bank of the activation buffer gives one word and takes one in a cycle; who comes first is the
order in which :mod:`.kernel` calls the units, as in :mod:`vqrom_hw.memory.activation_buffer`.
"""

from __future__ import annotations

import numpy as np

from . import bus, compute, control, counting, memory, vector, weights
from .registers import columns
from .registers import places as at
from .registers.channels import (
    ACTIVATION_CHANNEL,
    PARAMETER_CHANNEL,
    VECTOR_CHANNEL,
    WEIGHT_CHANNEL,
)
from .registers.jit import Commands, Registers, compiled
from .registers.state import Dimensions
from .unpacker import UnpackerShape, equal_items, item_offered, step_unpacker

NO_BANK = -1
"""No bank is read or written."""


@compiled
def feed_shape(dims: Dimensions, raw: bool) -> UnpackerShape:
    """Shape of the weight feed's unpacker for a COMPUTE: an item is what one step takes."""
    width = dims.codeword_width if raw else dims.index_width
    return UnpackerShape(dims.bus_width, width * dims.ports, width * dims.last_ports, dims.steps)


@compiled
def step_weights(s: Registers, t: Commands, dims: Dimensions, take: bool,
                 counters: np.ndarray) -> tuple[bool, bool, bool]:
    """Weight feed and loader: whether a beat is taken, whether the feed gives an item, and whether
    the command is finished.

    ``take``: the array takes the tile in the shadow registers.
    """
    command = control.head_of(s, at.WEIGHTS_QUEUE)
    raw = t[command + columns.RAW] != 0
    codebook = t[command + columns.OPCODE] == control.CODEBOOK
    shape, packet = feed_shape(dims, raw), t[command + columns.FILLS]
    if codebook:
        shape = equal_items(dims.bus_width, dims.codeword_width)
        packet = t[command + columns.CODEWORDS]
    if not control.has_command(s, at.WEIGHTS_QUEUE):
        packet = 0
    emit = item_offered(s, at.L_UNPACKER, shape) and (
        codebook or weights.loader_takes(s, take, dims.steps))
    done = emit and s[at.L_UNPACKER + at.U_REMAINING] == 1
    taken = step_unpacker(s, at.L_UNPACKER, shape, packet, bus.beat_offered(s, WEIGHT_CHANNEL),
                          emit)
    accept = emit and not codebook
    last = weights.step_loader(s, accept, take, dims.steps)
    if accept and not raw:
        counters[counting.ROM_READS] += dims.last_ports if last else dims.ports
    return taken, emit, done


@compiled
def step_post(s: Registers, t: Commands, dims: Dimensions,
              counters: np.ndarray) -> tuple[bool, int, bool]:
    """Parameters and post-processing: whether a beat is taken, the bit mask of the halves that are
    free from now on, and whether the command is finished."""
    command = control.head_of(s, at.POST_QUEUE)
    valid = control.has_command(s, at.POST_QUEUE)
    shape = equal_items(dims.bus_width, dims.parameter_width)
    offered = item_offered(s, at.P_UNPACKER, shape)
    emit = offered and compute.post_wants_parameters(s)
    taken = step_unpacker(
        s, at.P_UNPACKER, shape,
        t[command + columns.PARAMETERS] if valid and not s[at.P_BUSY] else 0,
        bus.beat_offered(s, PARAMETER_CHANNEL), emit)
    issue, release, done = compute.step_post(
        s, t, command, dims, compute.PostInputs(valid, offered, compute.finishing_halves(s)))
    if compute.updates_now(s, at.Q_UPDATES):
        counters[counting.SUM_WRITES] += dims.post_steps
        if compute.updates_now(s, at.Q_SUMS):
            counters[counting.SUM_READS] += dims.post_steps
    counters[counting.SUM_READS] += 1 if issue else 0
    return taken, release, done


@compiled
def step_vector(s: Registers, t: Commands, dims: Dimensions, read_bank: int, write_bank: int,
                counters: np.ndarray) -> tuple[bool, bool, int, int]:
    """The vector unit, beside the banks that the array reads and post-processing writes.

    Returns
    -------
    tuple
        Whether a beat is taken, whether the command is finished, and the banks that it reads and
        writes itself.
    """
    command = control.head_of(s, at.VECTOR_QUEUE)
    written, target, source = False, NO_BANK, NO_BANK
    if vector.vector_writes(s):
        target = memory.bank_of(vector.vector_target(s), dims.bank_bits)
        written = target != write_bank
    advances, issues, reads = vector.vector_state(s, t, command, dims, written)
    operand = vector.reads_operand(s)
    if reads or operand:
        source = memory.bank_of(vector.vector_address(s, t, command), dims.bank_bits)
        if source == read_bank:
            issues, operand, source = False, False, NO_BANK
        else:
            counters[counting.BUFFER_READS] += 1
    taken, done = vector.step_vector(s, t, command, dims, vector.VectorInputs(
        advances, issues, operand, written, bus.beat_offered(s, VECTOR_CHANNEL)))
    counters[counting.BUFFER_WRITES] += 1 if written else 0
    return taken, done, source, (target if written else NO_BANK)


@compiled
def step_store(s: Registers, t: Commands, dims: Dimensions, read_bank: int, vector_bank: int,
               counters: np.ndarray) -> bool:
    """STORE and the write DMA, beside the banks that the array and the vector unit read; whether
    the command is finished."""
    command = control.head_of(s, at.STORE_QUEUE)
    granted = memory.store_reads(s)
    if granted:
        bank = memory.bank_of(s[at.T_ADDRESS], dims.bank_bits)
        granted = bank != read_bank and bank != vector_bank
    offers = memory.store_offers(s, dims.bus_width)
    sent = offers and bus.write_takes(s)
    requested = s[at.T_REQUESTED] != 0
    asks = not requested and s[at.W_BEATS] == 0
    done = memory.step_store(s, t, command, dims, granted, sent, requested and bus.write_idle(s))
    moved = bus.step_write(s, dims, offers, asks, bus.Request(
        t[command + columns.OFFSET], t[command + columns.BEATS], 0))
    s[at.T_REQUESTED] = 1 if (requested or asks) and not done else 0
    counters[counting.BUFFER_READS] += 1 if granted else 0
    counters[counting.WRITE_BEATS] += 1 if moved else 0
    return done


@compiled
def step_load(s: Registers, t: Commands, dims: Dimensions, write_bank: int, vector_bank: int,
              counters: np.ndarray) -> tuple[bool, bool]:
    """LOAD, beside the banks that post-processing and the vector unit write: whether a beat is
    taken, and whether the command is finished."""
    command = control.head_of(s, at.LOAD_QUEUE)
    emit = memory.load_writes(s, t, command)
    if emit:
        bank = memory.bank_of(s[at.D_ADDRESS], dims.bank_bits)
        emit = bank != write_bank and bank != vector_bank
    taken, done = memory.step_load(
        s, t, command, emit, bus.beat_offered(s, ACTIVATION_CHANNEL), dims.beat_bytes)
    counters[counting.BUFFER_WRITES] += 1 if emit else 0
    channel = bus.channel_place(ACTIVATION_CHANNEL)
    requested = s[at.D_REQUESTED] != 0
    if not requested and bus.has_room(s, channel):
        bus.push_request(s, channel, bus.Request(
            t[command + columns.OFFSET], t[command + columns.BEATS], 0))
        requested = True
    s[at.D_REQUESTED] = 1 if requested and not done else 0
    return taken, done
