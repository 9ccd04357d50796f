"""One program, cycle by cycle: each unit's step, in the order in which signals run."""

import numpy as np

from vqrom_hw.commands import Stream, Unit
from vqrom_hw.counters import COUNTERS
from vqrom_sw.command_table import COLUMNS

from . import bus, columns, compute, dispatch, steady, transfer, vector, weights
from .jit import compiled

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

LAST_LAYER = len(COUNTERS)
"""Place behind the counters as they were when the layer changed: which one it is now."""
LOAD_UNIT, ARRAY_UNIT, POST_UNIT, VECTOR_UNIT, STORE_UNIT = (int(unit) for unit in Unit)


@compiled
def _ready(s, number):
    """A stream offers a beat."""
    return s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_READY] != 0


@compiled
def _step_weights(s, t, dims, take, counters):
    """Feed and loader: ``(beat taken, command finished)``."""
    command = dispatch.head_of(s, dispatch.WEIGHTS)
    valid = s[dispatch.WEIGHTS + dispatch.K_LEVEL] > 0
    unpacker, raw = weights.L_UNPACKER, t[command + columns.RAW] != 0
    codebook = t[command + columns.OPCODE] == dispatch.CODEBOOK
    out, last_out, period, length = 0, 0, 1, t[command + columns.CODEWORDS]
    if codebook:
        out = last_out = dims.codeword_width
    else:
        width = dims.codeword_width if raw else dims.index_width
        out, last_out = width * dims.ports, width * dims.last_ports
        period, length = dims.steps, t[command + columns.FILLS]
    emit = weights.item_offered(s, unpacker, out, last_out, period) and (
        codebook or weights.loader_takes(s, take, dims.steps))
    done = emit and s[unpacker + weights.U_REMAINING] == 1
    taken = weights.step_unpacker(s, unpacker, valid, length, _ready(s, dispatch.WEIGHT_STREAM),
                                  emit, dims.bus_width, out, last_out, period)
    accept = emit and not codebook
    last = weights.step_loader(s, accept, take, dims.steps)
    if accept and not raw:
        counters[ROM_READS] += dims.last_ports if last else dims.ports
    return taken, done


@compiled
def _step_post(s, t, dims, counters):
    """Parameters and post-processing: ``(beat taken, mask of released halves, finished)``."""
    command = dispatch.head_of(s, dispatch.POST)
    valid = s[dispatch.POST + dispatch.K_LEVEL] > 0
    width, unpacker = dims.parameter_width, compute.P_UNPACKER
    offered = weights.item_offered(s, unpacker, width, width, 1)
    emit = offered and compute.post_wants_parameters(s)
    taken = weights.step_unpacker(
        s, unpacker, valid and not s[compute.P_BUSY], t[command + columns.GROUPS],
        _ready(s, dispatch.PARAMETER_STREAM), emit, dims.bus_width, width, width, 1)
    finishes = 0
    for half in range(compute.HALVES):
        events = s[compute.Q_FINISHES + half]
        finishes |= ((events >> (compute.UPDATE - 1)) & 1) << half
    issue, release, done = compute.step_post(s, t, command, valid, offered, finishes, dims.groups,
                                             dims.sections)
    if (s[compute.Q_UPDATES] >> (compute.UPDATE - 1)) & 1:
        counters[SUM_WRITES] += dims.groups
        if (s[compute.Q_SUMS] >> (compute.UPDATE - 1)) & 1:
            counters[SUM_READS] += dims.groups
    counters[SUM_READS] += 1 if issue else 0
    return taken, release, done


@compiled
def _step_vector(s, t, dims, latencies, read_bank, write_bank, counters):
    """Vector unit beside the array's and post-processing's banks (-1: none):
    ``(beat taken, finished, bank read, bank written)``."""
    command = dispatch.head_of(s, dispatch.VECTOR)
    written, target, source = False, -1, -1
    if vector.vector_writes(s):
        target = transfer.bank_of(vector.vector_target(s), dims.bank_bits)
        written = target != write_bank
    go, allowed, reads = vector.vector_state(s, t, command, written, latencies, dims.vector_depth)
    if reads:
        source = transfer.bank_of(vector.vector_address(s), dims.bank_bits)
        allowed = source != read_bank
    taken, done = vector.step_vector(
        s, t, command, True, go, allowed, written, _ready(s, dispatch.VECTOR_STREAM), latencies,
        dims.vector_depth, dims.vector_steps, dims.bus_width, dims.word_width)
    counters[BUFFER_READS] += 1 if reads and allowed else 0
    counters[BUFFER_WRITES] += 1 if written else 0
    return taken, done, (source if allowed else -1), (target if written else -1)


@compiled
def _step_store(s, t, dims, read_bank, vector_bank, counters):
    """STORE and the write DMA; whether the command is finished."""
    command = dispatch.head_of(s, dispatch.STORE)
    granted = transfer.store_reads(s)
    if granted:
        bank = transfer.bank_of(s[transfer.T_ADDRESS], dims.bank_bits)
        granted = bank != read_bank and bank != vector_bank
    offers = transfer.store_offers(s, dims.bus_width)
    sent = offers and bus.write_takes(s)
    requested = s[transfer.T_REQUESTED] != 0
    request = not requested and s[bus.W_BEATS] == 0
    done = transfer.step_store(
        s, True, granted, sent, requested and bus.write_idle(s), dims.word_width,
        dims.bus_width, t[command + columns.WORDS], t[command + columns.BEATS],
        t[command + columns.BASE])
    moved = bus.step_write(s, offers, request, t[command + columns.OFFSET],
                           t[command + columns.BEATS], dims.beat_bits, dims.longest_burst)
    s[transfer.T_REQUESTED] = 1 if (requested or request) and not done else 0
    counters[BUFFER_READS] += 1 if granted else 0
    counters[WRITE_BEATS] += 1 if moved else 0
    return done


@compiled
def _step_load(s, t, dims, write_bank, vector_bank, counters):
    """LOAD: ``(beat taken, finished)``."""
    command = dispatch.head_of(s, dispatch.LOAD)
    window, hop = t[command + columns.WINDOW], t[command + columns.HOP]
    emit = transfer.load_writes(s, window, hop)
    if emit:
        bank = transfer.bank_of(s[transfer.D_ADDRESS], dims.bank_bits)
        emit = bank != write_bank and bank != vector_bank
    taken, done = transfer.step_load(
        s, True, emit, _ready(s, dispatch.ACTIVATION_STREAM), dims.beat_bytes,
        t[command + columns.WORDS], t[command + columns.PACKETS], t[command + columns.BASE],
        window, hop)
    counters[BUFFER_WRITES] += 1 if emit else 0
    stream = bus.STREAM + dispatch.ACTIVATION_STREAM * bus.STREAM_SIZE
    requested = s[transfer.D_REQUESTED] != 0
    if not requested and s[stream + bus.S_QUEUED] < bus.REQUEST_QUEUE:
        bus.push_request(s, stream, t[command + columns.OFFSET], t[command + columns.BEATS], 0)
        requested = True
    s[transfer.D_REQUESTED] = 1 if requested and not done else 0
    return taken, done


@compiled
def _step_processor(s, t, dims):
    """Command processor: whether it takes a beat."""
    if s[dispatch.C_STATE] == dispatch.ASSEMBLE:
        if not (dispatch.takes_beat(s) and _ready(s, dispatch.COMMAND_STREAM)):
            return False
        s[dispatch.C_LEFT] -= 1
        s[dispatch.C_BEAT] += 1
        if s[dispatch.C_BEAT] == dims.command_beats:
            s[dispatch.C_BEAT] = 0
            s[dispatch.C_STATE] = dispatch.DISPATCH
        return True
    if s[dispatch.C_STATE] == dispatch.DISPATCH and dispatch.accepts(s, t, dims.queue_depth):
        command = s[dispatch.C_COMMAND]
        opcode = t[command + columns.OPCODE]
        if opcode == dispatch.FETCH:
            bus.push_request(s, dispatch.stream_of(t, command), t[command + columns.OFFSET],
                             t[command + columns.BEATS], t[command + columns.STREAM])
        dispatch.enqueue(s, t, command, dims.queue_depth)
        s[dispatch.C_LAYER] = t[command + columns.LAYER]
        s[dispatch.C_COMMAND] += len(COLUMNS)
        s[dispatch.C_STATE] = dispatch.ASSEMBLE
        if opcode == dispatch.END_OF_PROGRAM:
            s[dispatch.C_STATE] = dispatch.DRAIN
    return False


@compiled
def _step_bus(s, dims, queued, pops, counters):
    """Read DMA and DRAM."""
    if s[bus.R_DATA]:
        place = bus.R_ORDER + 2 * s[bus.R_ORDER_HEAD]
        number = s[place]
        if number == dispatch.COMMAND_STREAM:
            counters[COMMAND_BEATS] += 1
        elif number == dispatch.ACTIVATION_STREAM:
            counters[READ_BEATS] += 1
        else:
            counters[FETCHED[s[place + 1]]] += 1
    if s[dispatch.C_STATE] == dispatch.DRAIN:
        for number in range(bus.STREAMS):
            s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_BEATS] = 0
            s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_QUEUED] = 0
            queued[number] = 0
    accepted, granted, length, tag = bus.step_streams(
        s, queued, pops, dims.beat_bits, dims.longest_burst)
    bus.step_read(s, accepted, granted, length, tag, dims.latency)


@compiled
def _drained(s):
    return (s[bus.R_ORDERED] == 0 and not s[bus.R_VALID_ADDRESS]
            and bus.write_idle(s) and not s[bus.W_VALID])


@compiled
def _count_cause(issue, waits_weights, waits_sums, post, busy_vector, loads, stores, counters):
    """What this cycle is spent on, and which units work."""
    cause = COMMAND
    if issue:
        cause = COMPUTE
    elif waits_weights:
        cause = WEIGHTS
    elif waits_sums:
        cause = ACCUMULATORS
    elif post:
        cause = DRAIN
    elif busy_vector:
        cause = VECTOR
    elif loads:
        cause = LOAD
    elif stores:
        cause = STORE
    counters[CYCLES] += 1
    counters[cause] += 1
    if post:
        counters[POST_BUSY] += 1
    if busy_vector:
        counters[VECTOR_BUSY] += 1
    if loads:
        counters[LOAD_BUSY] += 1
    if stores:
        counters[STORE_BUSY] += 1


@compiled
def _finish(s, dims, queue, unit):
    """Take a finished command from its queue; ``unit`` is what others wait for (-1: none)."""
    dispatch.pop(s, queue, dims.queue_depth)
    if unit >= 0:
        s[dispatch.COMPLETED + unit] += 1


@compiled
def _layer(s, t, array, post, busy_vector, loads, stores):
    """Whose cycle this is."""
    queue = -1
    if array:
        queue = dispatch.ARRAY
    elif post:
        queue = dispatch.POST
    elif busy_vector:
        queue = dispatch.VECTOR
    elif loads:
        queue = dispatch.LOAD
    elif stores:
        queue = dispatch.STORE
    else:
        return s[dispatch.C_LAYER]
    return t[dispatch.head_of(s, queue) + columns.LAYER]


@compiled
def _step(s, t, dims, latencies, queued, pops, counters, seen, layers):
    """One cycle of everything; whether it is the program's last."""
    can_array = dispatch.may_begin(s, t, dispatch.ARRAY)
    can_vector = dispatch.may_begin(s, t, dispatch.VECTOR)
    can_load = dispatch.may_begin(s, t, dispatch.LOAD)
    can_store = dispatch.may_begin(s, t, dispatch.STORE)
    for number in range(bus.STREAMS):
        queued[number] = s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_QUEUED]

    array_command = dispatch.head_of(s, dispatch.ARRAY)
    issue, waits_weights, waits_sums, reads = compute.array_state(
        s, t, array_command, weights.weights_full(s))
    read_bank = transfer.bank_of(compute.array_address(s), dims.bank_bits) if reads else -1
    post_works = s[compute.P_FULL] != 0 or s[compute.P_ISSUED] != 0
    post_writes = compute.post_writes(s) != 0
    write_bank = transfer.bank_of(compute.post_address(s), dims.bank_bits) if post_writes else -1
    layer = _layer(s, t, issue or waits_weights or waits_sums, post_works, can_vector, can_load,
                   can_store)
    if layer != seen[LAST_LAYER]:
        layers[seen[LAST_LAYER]] += counters - seen[:len(COUNTERS)]
        seen[:len(COUNTERS)] = counters
        seen[LAST_LAYER] = layer
    _count_cause(issue, waits_weights, waits_sums, post_works, can_vector, can_load, can_store,
                 counters)
    counters[BUFFER_READS] += 1 if reads else 0
    counters[BUFFER_WRITES] += 1 if post_writes else 0

    take = compute.takes_tile(s, issue)
    taken, weights_done = _step_weights(s, t, dims, take, counters)
    pops[dispatch.WEIGHT_STREAM] = 1 if taken else 0
    taken, release, post_done = _step_post(s, t, dims, counters)
    pops[dispatch.PARAMETER_STREAM] = 1 if taken else 0
    array_done = compute.step_sequencer(s, t, array_command, can_array, issue, release)
    vector_done, vector_read, vector_write, store_done, load_done = False, -1, -1, False, False
    pops[dispatch.VECTOR_STREAM] = pops[dispatch.ACTIVATION_STREAM] = 0
    if can_vector:
        taken, vector_done, vector_read, vector_write = _step_vector(
            s, t, dims, latencies, read_bank, write_bank, counters)
        pops[dispatch.VECTOR_STREAM] = 1 if taken else 0
    if can_store:
        store_done = _step_store(s, t, dims, read_bank, vector_read, counters)
    if can_load:
        taken, load_done = _step_load(s, t, dims, write_bank, vector_write, counters)
        pops[dispatch.ACTIVATION_STREAM] = 1 if taken else 0
    drained = s[dispatch.C_STATE] == dispatch.DRAIN and _drained(s)
    pops[dispatch.COMMAND_STREAM] = 1 if _step_processor(s, t, dims) else 0
    _step_bus(s, dims, queued, pops, counters)

    if load_done:
        _finish(s, dims, dispatch.LOAD, LOAD_UNIT)
    if post_done:
        _finish(s, dims, dispatch.POST, POST_UNIT)
    if vector_done:
        _finish(s, dims, dispatch.VECTOR, VECTOR_UNIT)
    if store_done:
        _finish(s, dims, dispatch.STORE, STORE_UNIT)
    if array_done:
        _finish(s, dims, dispatch.ARRAY, ARRAY_UNIT)
    if weights_done:
        _finish(s, dims, dispatch.WEIGHTS, -1)
    return drained


@compiled
def run(s, t, dims, latencies, layer_count, limit):
    """Run a program to its end.

    Parameters
    ----------
    s:
        Registers at the first busy cycle (:func:`vqrom_sim.cycle.state.initial_state`); changed.
    t:
        Commands, int64 ``[n * len(COLUMNS)]``: a table of :mod:`vqrom_sw.command_table`, row after
        row.
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
    seen, layers = np.zeros(len(COUNTERS) + 1, np.int64), np.zeros(
        (layer_count, len(COUNTERS)), np.int64)
    queued, pops = np.zeros(bus.STREAMS, np.int64), np.zeros(bus.STREAMS, np.int64)
    while counters[CYCLES] < limit:
        cycles = steady.steady_cycles(s, t, dims)
        if cycles:
            read, updated, added = steady.pass_steady(s, t, dims, cycles)
            counters[CYCLES] += cycles
            counters[COMPUTE] += cycles
            counters[BUFFER_READS] += read
            counters[SUM_WRITES] += updated * dims.groups
            counters[SUM_READS] += added * dims.groups
        if _step(s, t, dims, latencies, queued, pops, counters, seen, layers):
            layers[seen[LAST_LAYER]] += counters - seen[:len(COUNTERS)]
            return counters, layers, True
        if s[dispatch.C_COMMAND] >= len(t) and s[dispatch.C_STATE] != dispatch.DRAIN:
            break
    return counters, layers, False
