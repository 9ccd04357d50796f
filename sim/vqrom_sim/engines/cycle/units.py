"""One cycle of each unit: its step between its queue, its stream and the buffer's banks."""

from . import bus, columns, compute, control, counting, memory, vector, weights
from .jit import compiled
from .unpacker import U_REMAINING, item_offered, step_unpacker


@compiled
def ready(s, number):
    """A stream offers a beat."""
    return s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_READY] != 0


@compiled
def step_weights(s, t, dims, take, counters):
    """Feed and loader: ``(beat taken, command finished)``."""
    command = control.head_of(s, control.WEIGHTS)
    valid = s[control.WEIGHTS + control.K_LEVEL] > 0
    unpacker, raw = weights.L_UNPACKER, t[command + columns.RAW] != 0
    codebook = t[command + columns.OPCODE] == control.CODEBOOK
    out, last_out, period, length = 0, 0, 1, t[command + columns.CODEWORDS]
    if codebook:
        out = last_out = dims.codeword_width
    else:
        width = dims.codeword_width if raw else dims.index_width
        out, last_out = width * dims.ports, width * dims.last_ports
        period, length = dims.steps, t[command + columns.FILLS]
    emit = item_offered(s, unpacker, out, last_out, period) and (
        codebook or weights.loader_takes(s, take, dims.steps))
    done = emit and s[unpacker + U_REMAINING] == 1
    taken = step_unpacker(s, unpacker, valid, length, ready(s, control.WEIGHT_STREAM),
                                  emit, dims.bus_width, out, last_out, period)
    accept = emit and not codebook
    last = weights.step_loader(s, accept, take, dims.steps)
    if accept and not raw:
        counters[counting.ROM_READS] += dims.last_ports if last else dims.ports
    return taken, done


@compiled
def step_post(s, t, dims, counters):
    """Parameters and post-processing: ``(beat taken, mask of released halves, finished)``."""
    command = control.head_of(s, control.POST)
    valid = s[control.POST + control.K_LEVEL] > 0
    width, unpacker = dims.parameter_width, compute.P_UNPACKER
    offered = item_offered(s, unpacker, width, width, 1)
    emit = offered and compute.post_wants_parameters(s)
    taken = step_unpacker(
        s, unpacker, valid and not s[compute.P_BUSY], t[command + columns.GROUPS],
        ready(s, control.PARAMETER_STREAM), emit, dims.bus_width, width, width, 1)
    finishes = 0
    for half in range(compute.HALVES):
        events = s[compute.Q_FINISHES + half]
        finishes |= ((events >> (compute.UPDATE - 1)) & 1) << half
    issue, release, done = compute.step_post(s, t, command, valid, offered, finishes, dims.groups,
                                             dims.sections)
    if (s[compute.Q_UPDATES] >> (compute.UPDATE - 1)) & 1:
        counters[counting.SUM_WRITES] += dims.groups
        if (s[compute.Q_SUMS] >> (compute.UPDATE - 1)) & 1:
            counters[counting.SUM_READS] += dims.groups
    counters[counting.SUM_READS] += 1 if issue else 0
    return taken, release, done


@compiled
def step_vector(s, t, dims, latencies, read_bank, write_bank, counters):
    """Vector unit beside the array's and post-processing's banks (-1: none):
    ``(beat taken, finished, bank read, bank written)``."""
    command = control.head_of(s, control.VECTOR)
    written, target, source = False, -1, -1
    if vector.vector_writes(s):
        target = memory.bank_of(vector.vector_target(s), dims.bank_bits)
        written = target != write_bank
    go, allowed, reads = vector.vector_state(s, t, command, written, latencies, dims.vector_depth)
    if reads:
        source = memory.bank_of(vector.vector_address(s), dims.bank_bits)
        allowed = source != read_bank
    taken, done = vector.step_vector(
        s, t, command, True, go, allowed, written, ready(s, control.VECTOR_STREAM), latencies,
        dims.vector_depth, dims.vector_steps, dims.bus_width, dims.word_width)
    counters[counting.BUFFER_READS] += 1 if reads and allowed else 0
    counters[counting.BUFFER_WRITES] += 1 if written else 0
    return taken, done, (source if allowed else -1), (target if written else -1)


@compiled
def step_store(s, t, dims, read_bank, vector_bank, counters):
    """STORE and the write DMA; whether the command is finished."""
    command = control.head_of(s, control.STORE)
    granted = memory.store_reads(s)
    if granted:
        bank = memory.bank_of(s[memory.T_ADDRESS], dims.bank_bits)
        granted = bank != read_bank and bank != vector_bank
    offers = memory.store_offers(s, dims.bus_width)
    sent = offers and bus.write_takes(s)
    requested = s[memory.T_REQUESTED] != 0
    request = not requested and s[bus.W_BEATS] == 0
    done = memory.step_store(
        s, True, granted, sent, requested and bus.write_idle(s), dims.word_width,
        dims.bus_width, t[command + columns.WORDS], t[command + columns.BEATS],
        t[command + columns.BASE])
    moved = bus.step_write(s, offers, request, t[command + columns.OFFSET],
                           t[command + columns.BEATS], dims.beat_bits, dims.longest_burst)
    s[memory.T_REQUESTED] = 1 if (requested or request) and not done else 0
    counters[counting.BUFFER_READS] += 1 if granted else 0
    counters[counting.WRITE_BEATS] += 1 if moved else 0
    return done


@compiled
def step_load(s, t, dims, write_bank, vector_bank, counters):
    """LOAD: ``(beat taken, finished)``."""
    command = control.head_of(s, control.LOAD)
    window, hop = t[command + columns.WINDOW], t[command + columns.HOP]
    emit = memory.load_writes(s, window, hop)
    if emit:
        bank = memory.bank_of(s[memory.D_ADDRESS], dims.bank_bits)
        emit = bank != write_bank and bank != vector_bank
    taken, done = memory.step_load(
        s, True, emit, ready(s, control.ACTIVATION_STREAM), dims.beat_bytes,
        t[command + columns.WORDS], t[command + columns.PACKETS], t[command + columns.BASE],
        window, hop)
    counters[counting.BUFFER_WRITES] += 1 if emit else 0
    stream = bus.STREAM + control.ACTIVATION_STREAM * bus.STREAM_SIZE
    requested = s[memory.D_REQUESTED] != 0
    if not requested and s[stream + bus.S_QUEUED] < bus.REQUEST_QUEUE:
        bus.push_request(s, stream, t[command + columns.OFFSET], t[command + columns.BEATS], 0)
        requested = True
    s[memory.D_REQUESTED] = 1 if requested and not done else 0
    return taken, done
