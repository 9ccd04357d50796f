"""One program, cycle by cycle: every unit's step, in the order in which signals run through them."""

import numpy as np
from numba import njit

from vqrom_hw.commands import Stream, Unit
from vqrom_hw.counters import COUNTERS

from . import bus, columns, compute, dispatch, transfer, vector, weights

CYCLES, ROM_READS = COUNTERS.index("cycles"), COUNTERS.index("rom_reads")
COMPUTE, WEIGHTS, ACCUMULATORS, DRAIN, VECTOR, LOAD, STORE, COMMAND = (
    COUNTERS.index(f"{cause}_cycles") for cause in (
        "compute", "weights", "accumulators", "drain", "vector", "load", "store", "command"))
POST_BUSY, VECTOR_BUSY, LOAD_BUSY, STORE_BUSY = (
    COUNTERS.index(f"{unit}_busy") for unit in ("post", "vector", "load", "store"))
COMMAND_BEATS, READ_BEATS, WRITE_BEATS = (COUNTERS.index(f"{stream}_beats") for stream in (
    "command", "activation_read", "activation_write"))
FETCHED = np.array([COUNTERS.index(f"{stream.name.lower()}_beats") for stream in Stream])
BUFFER_READS, BUFFER_WRITES, SUM_READS, SUM_WRITES = (COUNTERS.index(name) for name in (
    "activation_buffer_reads", "activation_buffer_writes", "accumulator_reads",
    "accumulator_writes"))

LOAD_REQUEST, STORE_REQUEST = range(2)
LOAD_UNIT, ARRAY_UNIT, POST_UNIT, VECTOR_UNIT, STORE_UNIT = (int(unit) for unit in Unit)


@njit(cache=True)
def _head(state, queue, table):
    """Command at the head of a queue (any, if it is empty)."""
    return table[dispatch.head_of(state.queues[queue])]


@njit(cache=True)
def _begins(state, queue, table):
    """There is a head and it waits for nothing."""
    return (state.queues[queue, dispatch.K_LEVEL] > 0
            and dispatch.may_begin(_head(state, queue, table), state.completed))


@njit(cache=True)
def _step_weights(state, table, dims, ready, take, counters):
    """Feed and loader: ``(beat taken, command finished)``."""
    command = _head(state, dispatch.WEIGHTS, table)
    valid = state.queues[dispatch.WEIGHTS, dispatch.K_LEVEL] > 0
    unpacker, raw = state.unpacker, command[columns.RAW] != 0
    codebook = command[columns.OPCODE] == dispatch.CODEBOOK
    out, last_out, period, length = 0, 0, 1, command[columns.CODEWORDS]
    if codebook:
        out = last_out = dims.codeword_width
    else:
        width = dims.codeword_width if raw else dims.index_width
        out, last_out = width * dims.ports, width * dims.last_ports
        period, length = dims.steps, command[columns.FILLS]
    emit = weights.item_offered(unpacker, out, last_out, period) and (
        codebook or weights.loader_takes(state.loader, take, dims.steps))
    done = emit and unpacker[weights.U_REMAINING] == 1
    taken = weights.step_unpacker(unpacker, valid, length, ready, emit, dims.bus_width, out,
                                  last_out, period)
    accept = emit and not codebook
    last = weights.step_loader(state.loader, accept, take, dims.steps)
    if accept and not raw:
        counters[ROM_READS] += dims.last_ports if last else dims.ports
    return taken, done


@njit(cache=True)
def _step_post(state, table, dims, ready, counters):
    """Parameters and post-processing: ``(beat taken, mask of released halves, finished)``."""
    command, post = _head(state, dispatch.POST, table), state.post
    valid = state.queues[dispatch.POST, dispatch.K_LEVEL] > 0
    width, unpacker = dims.parameter_width, state.parameters
    offered = weights.item_offered(unpacker, width, width, 1)
    emit = offered and compute.post_wants_parameters(post)
    taken = weights.step_unpacker(
        unpacker, valid and not post[compute.P_BUSY], command[columns.GROUPS], ready, emit,
        dims.bus_width, width, width, 1)
    finishes = 0
    for half in range(compute.HALVES):
        events = state.sequencer[compute.Q_FINISHES + half]
        finishes |= ((events >> (compute.UPDATE - 1)) & 1) << half
    issue, release, done = compute.step_post(post, command, valid, offered, finishes, dims.groups,
                                             dims.sections)
    if (state.sequencer[compute.Q_UPDATES] >> (compute.UPDATE - 1)) & 1:
        counters[SUM_WRITES] += dims.groups
        if (state.sequencer[compute.Q_SUMS] >> (compute.UPDATE - 1)) & 1:
            counters[SUM_READS] += dims.groups
    counters[SUM_READS] += 1 if issue else 0
    return taken, release, done


@njit(cache=True)
def _step_vector(state, table, dims, latencies, valid, ready, read_bank, write_bank, counters):
    """Vector unit beside the array's and post-processing's banks (-1: none):
    ``(beat taken, finished, bank read, bank written)``."""
    command, unit = _head(state, dispatch.VECTOR, table), state.vector
    written, target, source = False, -1, -1
    if vector.vector_writes(unit):
        target = transfer.bank_of(vector.vector_target(unit), dims.bank_bits)
        written = target != write_bank
    go, allowed, reads = vector.vector_state(unit, command, written, latencies, dims.vector_depth)
    if reads:
        source = transfer.bank_of(vector.vector_address(unit), dims.bank_bits)
        allowed = source != read_bank
    taken, done = vector.step_vector(
        unit, command, valid, go, allowed, written, ready, latencies, dims.vector_depth,
        dims.vector_steps, dims.bus_width, dims.word_width)
    counters[BUFFER_READS] += 1 if reads and allowed else 0
    counters[BUFFER_WRITES] += 1 if written else 0
    return taken, done, (source if allowed else -1), (target if written else -1)


@njit(cache=True)
def _step_store(state, table, dims, valid, read_bank, vector_bank, counters):
    """STORE and the write DMA; whether the command is finished."""
    command, store, write = _head(state, dispatch.STORE, table), state.store, state.write
    granted = transfer.store_reads(store)
    if granted:
        bank = transfer.bank_of(store[transfer.T_ADDRESS], dims.bank_bits)
        granted = bank not in (read_bank, vector_bank)
    offers = transfer.store_offers(store, dims.bus_width)
    sent = offers and bus.write_takes(write)
    requested = state.requested[STORE_REQUEST] != 0
    request = valid and not requested and write[bus.W_BEATS] == 0
    done = transfer.step_store(
        store, valid, granted, sent, requested and bus.write_idle(write), dims.word_width,
        dims.bus_width, command[columns.WORDS], command[columns.BEATS], command[columns.BASE])
    moved = bus.step_write(write, offers, request, command[columns.OFFSET],
                           command[columns.BEATS], dims.beat_bytes, dims.longest_burst)
    state.requested[STORE_REQUEST] = 1 if (requested or request) and not done else 0
    counters[BUFFER_READS] += 1 if granted else 0
    counters[WRITE_BEATS] += 1 if moved else 0
    return done


@njit(cache=True)
def _step_load(state, table, dims, valid, ready, write_bank, vector_bank, counters):
    """LOAD: ``(beat taken, finished)``."""
    command, load = _head(state, dispatch.LOAD, table), state.load
    window, hop = command[columns.WINDOW], command[columns.HOP]
    emit = transfer.load_writes(load, window, hop)
    if emit:
        bank = transfer.bank_of(load[transfer.D_ADDRESS], dims.bank_bits)
        emit = bank not in (write_bank, vector_bank)
    taken, done = transfer.step_load(
        load, valid, emit, ready, dims.beat_bytes, command[columns.WORDS],
        command[columns.PACKETS], command[columns.BASE], window, hop)
    counters[BUFFER_WRITES] += 1 if emit else 0
    stream = state.streams[dispatch.ACTIVATION_STREAM]
    requested = state.requested[LOAD_REQUEST] != 0
    if valid and not requested and stream[bus.S_QUEUED] < bus.REQUEST_QUEUE:
        bus.push_request(stream, command[columns.OFFSET], command[columns.BEATS], 0)
        requested = True
    state.requested[LOAD_REQUEST] = 1 if requested and not done else 0
    return taken, done


@njit(cache=True)
def _step_processor(state, table, dims, ready):
    """Command processor: whether it takes a beat."""
    processor = state.processor
    if processor[dispatch.C_STATE] == dispatch.ASSEMBLE:
        if not (ready and dispatch.takes_beat(processor)):
            return False
        processor[dispatch.C_LEFT] -= 1
        processor[dispatch.C_BEAT] += 1
        if processor[dispatch.C_BEAT] == dims.command_beats:
            processor[dispatch.C_BEAT] = 0
            processor[dispatch.C_STATE] = dispatch.DISPATCH
        return True
    if processor[dispatch.C_STATE] == dispatch.DISPATCH:
        position = processor[dispatch.C_POSITION]
        command = table[position]
        if dispatch.accepts(command, state.queues, state.streams, dims.queue_depth):
            if command[columns.OPCODE] == dispatch.FETCH:
                bus.push_request(state.streams[dispatch.stream_of(command)],
                                 command[columns.OFFSET], command[columns.BEATS],
                                 command[columns.STREAM])
            dispatch.enqueue(command, position, state.queues, dims.queue_depth)
            processor[dispatch.C_POSITION] += 1
            processor[dispatch.C_STATE] = dispatch.ASSEMBLE
            if command[columns.OPCODE] == dispatch.END:
                processor[dispatch.C_STATE] = dispatch.DRAIN
    return False


@njit(cache=True)
def _step_bus(state, dims, queued, pops, counters):
    """Read DMA and DRAM."""
    read, streams = state.read, state.streams
    if read[bus.R_DATA]:
        place = bus.R_ORDER + 2 * read[bus.R_ORDER_HEAD]
        number, tag = read[place], read[place + 1]
        if number == dispatch.COMMAND_STREAM:
            counters[COMMAND_BEATS] += 1
        elif number == dispatch.ACTIVATION_STREAM:
            counters[READ_BEATS] += 1
        else:
            counters[FETCHED[tag]] += 1
    if state.processor[dispatch.C_STATE] == dispatch.DRAIN:
        streams[:, bus.S_BEATS] = 0
        streams[:, bus.S_QUEUED] = 0
    accepted, granted, length, tag = bus.step_streams(
        streams, read, queued, pops, dims.beat_bytes, dims.longest_burst)
    bus.step_read(read, accepted, granted, length, tag, dims.latency)


@njit(cache=True)
def _drained(state):
    return (state.read[bus.R_ORDERED] == 0 and not state.read[bus.R_VALID_ADDRESS]
            and bus.write_idle(state.write) and not state.write[bus.W_VALID])


@njit(cache=True)
def _count_cause(issue, waits_weights, waits_sums, post, busy_vector, loads, stores, counters):
    """What this cycle is spent on, and which units work."""
    counters[CYCLES] += 1
    if issue:
        counters[COMPUTE] += 1
    elif waits_weights:
        counters[WEIGHTS] += 1
    elif waits_sums:
        counters[ACCUMULATORS] += 1
    elif post:
        counters[DRAIN] += 1
    elif busy_vector:
        counters[VECTOR] += 1
    elif loads:
        counters[LOAD] += 1
    elif stores:
        counters[STORE] += 1
    else:
        counters[COMMAND] += 1
    counters[POST_BUSY] += 1 if post else 0
    counters[VECTOR_BUSY] += 1 if busy_vector else 0
    counters[LOAD_BUSY] += 1 if loads else 0
    counters[STORE_BUSY] += 1 if stores else 0


@njit(cache=True)
def _finish(state, dims, queue, unit):
    """Take a finished command from its queue; ``unit`` is what others wait for (-1: none)."""
    dispatch.pop(state.queues[queue], dims.queue_depth)
    if unit >= 0:
        state.completed[unit] += 1


@njit(cache=True)
def _retire(state, table, dims, queue, unit, counters, seen, layers):
    """:func:`_finish`; what was counted since the last such event is the command's layer's."""
    layers[_head(state, queue, table)[columns.LAYER]] += counters - seen
    seen[:] = counters
    _finish(state, dims, queue, unit)


@njit(cache=True)
def _step(state, table, dims, latencies, queued, pops, counters, seen, layers):
    """One cycle of everything."""
    queues, streams = state.queues, state.streams
    can_array = _begins(state, dispatch.ARRAY, table)
    can_vector = _begins(state, dispatch.VECTOR, table)
    can_load = _begins(state, dispatch.LOAD, table)
    can_store = _begins(state, dispatch.STORE, table)
    for number in range(dispatch.STREAMS):
        queued[number] = streams[number, bus.S_QUEUED]
        pops[number] = 0

    array_command, sequencer = _head(state, dispatch.ARRAY, table), state.sequencer
    issue, waits_weights, waits_sums, reads = compute.array_state(
        sequencer, array_command, weights.weights_full(state.loader))
    read_bank = transfer.bank_of(compute.array_address(sequencer), dims.bank_bits) if reads else -1
    post = state.post
    post_works = post[compute.P_FULL] != 0 or post[compute.P_ISSUED] != 0
    post_writes = compute.post_writes(post) != 0
    write_bank = (transfer.bank_of(compute.post_address(post), dims.bank_bits) if post_writes
                  else -1)
    counters[BUFFER_READS] += 1 if reads else 0
    counters[BUFFER_WRITES] += 1 if post_writes else 0
    _count_cause(issue, waits_weights, waits_sums, post_works, can_vector, can_load, can_store,
                 counters)

    take = compute.takes_tile(sequencer, issue)
    taken, weights_done = _step_weights(
        state, table, dims, streams[dispatch.WEIGHT_STREAM, bus.S_READY] != 0, take, counters)
    pops[dispatch.WEIGHT_STREAM] = 1 if taken else 0
    taken, release, post_done = _step_post(
        state, table, dims, streams[dispatch.PARAMETER_STREAM, bus.S_READY] != 0, counters)
    pops[dispatch.PARAMETER_STREAM] = 1 if taken else 0
    array_done = compute.step_sequencer(sequencer, array_command, can_array, issue, release)
    taken, vector_done, vector_read, vector_write = _step_vector(
        state, table, dims, latencies, can_vector,
        streams[dispatch.VECTOR_STREAM, bus.S_READY] != 0, read_bank, write_bank, counters)
    pops[dispatch.VECTOR_STREAM] = 1 if taken else 0
    store_done = _step_store(state, table, dims, can_store, read_bank, vector_read, counters)
    taken, load_done = _step_load(
        state, table, dims, can_load, streams[dispatch.ACTIVATION_STREAM, bus.S_READY] != 0,
        write_bank, vector_write, counters)
    pops[dispatch.ACTIVATION_STREAM] = 1 if taken else 0
    drained = state.processor[dispatch.C_STATE] == dispatch.DRAIN and _drained(state)
    taken = _step_processor(state, table, dims,
                            streams[dispatch.COMMAND_STREAM, bus.S_READY] != 0)
    pops[dispatch.COMMAND_STREAM] = 1 if taken else 0
    _step_bus(state, dims, queued, pops, counters)

    if load_done:
        _retire(state, table, dims, dispatch.LOAD, LOAD_UNIT, counters, seen, layers)
    if post_done:
        _retire(state, table, dims, dispatch.POST, POST_UNIT, counters, seen, layers)
    if vector_done:
        _retire(state, table, dims, dispatch.VECTOR, VECTOR_UNIT, counters, seen, layers)
    if store_done:
        _retire(state, table, dims, dispatch.STORE, STORE_UNIT, counters, seen, layers)
    if array_done:
        _finish(state, dims, dispatch.ARRAY, ARRAY_UNIT)
    if weights_done:
        _finish(state, dims, dispatch.WEIGHTS, -1)
    return drained


@njit(cache=True)
def run(state, table, dims, latencies, layer_count, limit):
    """Run a program to its end.

    Parameters
    ----------
    state:
        :class:`vqrom_sim.cycle.state.State` at the first busy cycle; changed.
    table:
        int64 ``[n, len(COLUMNS)]`` of :mod:`vqrom_sw.command_table`.
    dims, latencies:
        Of :mod:`vqrom_sim.cycle.state`.
    layer_count:
        Layers that commands may name.
    limit:
        Cycles after which it gives up.

    Returns
    -------
    tuple
        Counters int64 ``[len(COUNTERS)]``, the same by layer ``[layer_count, len(COUNTERS)]``, and
        whether END was reached within the limit.
    """
    counters = np.zeros(len(COUNTERS), np.int64)
    seen, layers = counters.copy(), np.zeros((layer_count, len(COUNTERS)), np.int64)
    queued, pops = np.zeros(dispatch.STREAMS, np.int64), np.zeros(dispatch.STREAMS, np.int64)
    for _ in range(limit):
        if _step(state, table, dims, latencies, queued, pops, counters, seen, layers):
            last = table[state.processor[dispatch.C_POSITION] - 1, columns.LAYER]
            layers[last] += counters - seen
            return counters, layers, True
        position = state.processor[dispatch.C_POSITION]
        if position >= len(table) and state.processor[dispatch.C_STATE] != dispatch.DRAIN:
            break
    return counters, layers, False
