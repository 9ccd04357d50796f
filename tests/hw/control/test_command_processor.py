"""The command processor: dispatch in order, every error with its code and position."""

import pytest

from tests.hw.isa.packing import pack_command
from tests.hw.simulation import config_of, simulate
from vqrom_hw.control import CommandProcessor
from vqrom_hw.control.checks import WAITING
from vqrom_hw.isa import (
    COMMAND_BYTES,
    QUEUES,
    Channel,
    ErrorCode,
    Opcode,
    Region,
    VectorOp,
    available_operations,
)

DIGEST = bytes(range(32)).hex()
OTHER = int.from_bytes(bytes(range(1, 33)), "little")
SHA256 = int.from_bytes(bytes(range(32)), "little")


def run(commands, config=None, region_limit=4096, full=(), fault=None, beats=None, act=None,
        **inputs):
    """Run a program against units that finish at once; what it pushed, fetched, and its end.

    ``act`` may change inputs in any cycle; ``inputs`` are those of the start.
    """
    config = config or config_of()
    dut, log, end = CommandProcessor(config, DIGEST), [], {}
    content = b"".join(commands)
    words = [int.from_bytes(content[place:place + config.beat_bytes], "little")
             for place in range(0, len(content), config.beat_bytes)]

    async def bench(ctx):
        start = {"beats": len(words) if beats is None else beats, "limit": 1 << 20, "settled": 1,
                 "drained": 1} | inputs
        for name, value in start.items():
            ctx.set(getattr(dut, name), value)
        for region in Region:
            ctx.set(dut.bases[region], 0x10000 * (region + 1))
            ctx.set(dut.limits[region], region_limit)
        ctx.set(dut.room, {name: name not in full for name in QUEUES})
        ctx.set(dut.fetch_room, -1)
        ctx.set(dut.start, 1)
        await ctx.delay(1e-8)
        end["launched"] = -1 if ctx.get(dut.launch) else None
        assert ctx.get(dut.flush) == (not ctx.get(dut.launch))
        await ctx.tick()
        ctx.set(dut.start, 0)
        place = 0
        for cycle in range(2000):
            ctx.set(dut.i.valid, place < len(words))
            ctx.set(dut.i.payload, words[place] if place < len(words) else 0)
            ctx.set(dut.idle, cycle > 200)
            ctx.set(dut.drained, cycle > 300)
            if act:
                act(ctx, dut, cycle)
            if fault and cycle == fault[0]:
                ctx.set(dut.fault, {"code": fault[1], "position": 77})
            await ctx.delay(1e-8)
            if ctx.get(dut.launch):
                end["launched"] = cycle
            if any(ctx.get(dut.push[name]) for name in QUEUES):
                log.append((ctx.get(dut.position), {
                    name for name in QUEUES if ctx.get(dut.push[name])}))
            if ctx.get(dut.fetch):
                request = ctx.get(dut.request)
                log.append((ctx.get(dut.fetch), request.address, request.beats, request.tag))
            if ctx.get(dut.done) or ctx.get(dut.failed):
                end.update(done=ctx.get(dut.done), cycle=cycle, flush=ctx.get(dut.flush))
            if not ctx.get(dut.busy):
                break
            place += ctx.get(dut.i.valid) & ctx.get(dut.i.ready)
            await ctx.tick()
        end.update(code=ctx.get(dut.error.code), position=ctx.get(dut.error.position))

    simulate(dut, bench)
    return log, end


@pytest.mark.parametrize("bus_width", [64, 128, 1024])
def test_dispatches_to_the_units(bus_width):
    log, end = run([
        pack_command(Opcode.CHECK, sha256=SHA256),
        pack_command(Opcode.FETCH, channel=Channel.PARAMETER, stream=2, region=1, offset=128,
                     beats=3),
        *(pack_command(opcode) for opcode in (Opcode.COMPUTE, Opcode.LOAD, Opcode.STORE,
                                              Opcode.VECTOR, Opcode.END))],
        config_of(bus_width=bus_width))
    assert log == [(2, 0x20080, 3, 2), (2, {"weights", "array", "post"}), (3, {"load"}),
                   (4, {"store"}), (5, {"vector"})]
    assert end == {"launched": -1, "done": 1, "cycle": 301, "flush": 1, "code": 0, "position": 0}


def test_waits_for_room_in_every_queue():
    log, end = run([pack_command(Opcode.LOAD), pack_command(Opcode.COMPUTE),
                    pack_command(Opcode.LOAD)], full=("post",))
    assert (log, end["code"]) == ([(0, {"load"})], 0) and "done" not in end


SRAM = config_of(codebook_storage="sram")
FAULTS = {
    "opcode": ([pack_command(Opcode.LOAD), bytes([9]) + bytes(COMMAND_BYTES - 1)], None,
               ErrorCode.OPCODE, 1),
    "codebook command on a ROM": ([pack_command(Opcode.CODEBOOK)], None, ErrorCode.OPCODE, 0),
    "channel": ([pack_command(Opcode.FETCH, channel=3)], None, ErrorCode.OPCODE, 0),
    "no END": ([pack_command(Opcode.LOAD)] * 3, None, ErrorCode.OPCODE, 3),
    "fetch beyond its region": ([pack_command(Opcode.FETCH, offset=4064, beats=5)], None,
                                ErrorCode.DRAM_RANGE, 0),
    "load beyond its region": ([pack_command(Opcode.LOAD, offset=0xFFFFFFC0, beats=8)], None,
                               ErrorCode.DRAM_RANGE, 0),
    "load beyond all addresses": ([pack_command(Opcode.LOAD, region=3, offset=0xFFFC0000, beats=1)],
                                  None, ErrorCode.DRAM_RANGE, 0),
    "offset within a beat": ([pack_command(Opcode.FETCH, offset=4, beats=1)], None,
                             ErrorCode.ALIGNMENT, 0),
    "store of too few beats": ([pack_command(Opcode.STORE, words=3, beats=2)], None,
                               ErrorCode.LENGTH, 0),
    "store of too many beats": ([pack_command(Opcode.STORE, words=3, beats=4)], None,
                                ErrorCode.LENGTH, 0),
    **{f"{opcode.name} waits for {unit} to come": (
        [pack_command(Opcode.LOAD), pack_command(opcode, wait={unit: 2 if unit == "load" else 1})],
        None, ErrorCode.WAIT, 1) for opcode in WAITING
        for unit in ("load", "array", "post", "vector", "store")},
    "codebook": ([pack_command(Opcode.CHECK, sha256=OTHER)], None, ErrorCode.CODEBOOK, 0),
    "codebook not loaded": ([pack_command(Opcode.CHECK, sha256=SHA256)], SRAM,
                            ErrorCode.CODEBOOK, 0),
    "another codebook loaded": ([pack_command(Opcode.CODEBOOK, sha256=SHA256, codewords=256),
                                 pack_command(Opcode.CHECK, sha256=OTHER)], SRAM,
                                ErrorCode.CODEBOOK, 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_errors_stop_the_program(name):
    commands, config, code, position = FAULTS[name]
    _, end = run([*commands, *([] if name == "no END" else [pack_command(Opcode.END)])], config)
    assert end == {"launched": -1, "done": 0, "cycle": 301, "flush": 1, "code": code,
                   "position": position}


EVERYTHING = config_of(vector_columns=2)
LEFT_OUT = {
    "no element-wise operations": (
        EVERYTHING.model_copy(update={"vector_elementwise": False}),
        [*({"operation": operation} for operation in (
            VectorOp.SUBTRACT, VectorOp.MAXIMUM, VectorOp.MINIMUM, VectorOp.MULTIPLY)),
         {"operation": VectorOp.ADD, "broadcast": 1}]),
    "no tables": (EVERYTHING.model_copy(update={"vector_tables": "none"}),
                  [{"operation": VectorOp.TABLE}]),
    "shared tables": (EVERYTHING.model_copy(update={"vector_tables": "shared"}),
                      [{"operation": VectorOp.TABLE, "lane_tables": 1}]),
    "no moves": (EVERYTHING.model_copy(update={"vector_moves": False}),
                 [{"rotation": 1}, {"first_lane": 7}, {"lanes": 8}]),
    "no sliding": (config_of(), [{"operation": VectorOp.SLIDING}]),
    "no such operation": (EVERYTHING, [{"operation": max(VectorOp) + 1}, {"operation": 15}]),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_is_left_out_is_an_error(case):
    """A command that asks for it stops the program, and passes where nothing is left out."""
    config, bodies = LEFT_OUT[case]
    for body in bodies:
        program = [pack_command(Opcode.VECTOR, **body), pack_command(Opcode.END)]
        log, end = run(program, config)
        assert (log, end["done"], end["code"]) == ([], 0, ErrorCode.OPCODE)
        if config != EVERYTHING:
            log, end = run(program, EVERYTHING)
            assert (log, end["done"]) == ([(0, {"vector"})], 1)


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_is_there_passes(case):
    config, _ = LEFT_OUT[case]
    available = available_operations(config)
    log, end = run([*(pack_command(Opcode.VECTOR, operation=operation)
                      for operation in available), pack_command(Opcode.END)], config)
    assert len(log) == len(available) and end["done"] == 1


def test_loaded_codebook_passes():
    _, end = run([pack_command(Opcode.CODEBOOK, sha256=SHA256, codewords=256),
                  pack_command(Opcode.CHECK, sha256=SHA256), pack_command(Opcode.END)], SRAM)
    assert end["done"] == 1


def test_a_transfer_may_end_with_its_region():
    log, end = run([pack_command(Opcode.FETCH, offset=4064, beats=4), pack_command(Opcode.END)])
    assert log == [(1, 0x10000 + 4064, 4, 0)] and end["done"] == 1


def test_faults_of_units_count_from_where_they_say():
    _, end = run([pack_command(Opcode.COMPUTE), pack_command(Opcode.END)],
                 fault=(150, ErrorCode.BUFFER_RANGE))
    assert (end["done"], end["code"], end["position"]) == (0, ErrorCode.BUFFER_RANGE, 77)


def test_what_was_handed_out_may_be_waited_for():
    """Also by commands that do not wait, whose counts nobody looks at."""
    program = [
        pack_command(Opcode.FETCH, wait={"store": 9}), pack_command(Opcode.LOAD),
        pack_command(Opcode.COMPUTE, wait={"load": 1}),
        pack_command(Opcode.VECTOR, wait={"load": 1, "array": 1, "post": 1}),
        pack_command(Opcode.STORE, wait={"vector": 1}),
        pack_command(Opcode.LOAD, wait={"store": 1, "load": 0xFFFF}), pack_command(Opcode.END)]
    log, end = run(program)
    assert (len(log), end["done"]) == (6, 1)


STARTS = {
    "address within a beat": ({"address": 0x1004}, ErrorCode.ALIGNMENT),
    "more beats than the limit": ({"beats": 17, "limit": 128}, ErrorCode.DRAM_RANGE),
    "beyond all addresses": ({"address": 0xFFFFFFF8, "beats": 16}, ErrorCode.DRAM_RANGE),
    "no limit set": ({"limit": 0}, ErrorCode.DRAM_RANGE),
}


@pytest.mark.parametrize("case", STARTS)
def test_a_program_that_cannot_be_read_is_refused(case):
    inputs, code = STARTS[case]
    log, end = run([pack_command(Opcode.LOAD), pack_command(Opcode.END)], **inputs)
    assert (log, end["launched"]) == ([], None), "nothing is asked for"
    assert (end["done"], end["code"], end["position"]) == (0, code, 0)


@pytest.mark.parametrize("inputs", [{"beats": 16, "limit": 128},
                                    {"address": 0xFFFFFF80, "beats": 16}])
def test_a_program_may_end_with_its_limit(inputs):
    _, end = run([pack_command(Opcode.END)], **inputs)
    assert (end["launched"], end["done"]) == (-1, 1)


@pytest.mark.parametrize("input_name", ["settled", "drained"])
def test_waits_for_a_quiet_bus(input_name):
    def act(ctx, dut, cycle):
        ctx.set(dut.drained, 1)
        ctx.set(getattr(dut, input_name), 40 <= cycle < 60 or cycle > 300)

    log, end = run([pack_command(Opcode.LOAD), pack_command(Opcode.END)], act=act,
                   **{input_name: 0})
    assert (end["launched"], end["done"], len(log)) == (40, 1, 1)


@pytest.mark.parametrize("cycle", [3, 40, 150, 250, 299])
def test_abort_ends_a_program(cycle):
    """At once where it runs; while it is ending, its end is the one that it would have had."""
    def act(ctx, dut, now):
        ctx.set(dut.abort, now == cycle)

    _, end = run([pack_command(Opcode.LOAD), pack_command(Opcode.END)], act=act)
    ending = cycle > 201
    assert (end["done"], end["code"], end["cycle"]) == (
        ending, 0 if ending else ErrorCode.ABORTED, 301)


def test_abort_without_a_program_does_nothing():
    _, end = run([pack_command(Opcode.END)], abort=1,
                 act=lambda ctx, dut, cycle: ctx.set(dut.abort, 0))
    assert end["done"] == 1


def test_watchdog_ends_a_program_in_which_nothing_goes_on():
    program = [pack_command(Opcode.LOAD), pack_command(Opcode.COMPUTE), pack_command(Opcode.END)]
    _, end = run(program, full=("post",), watchdog=120)
    assert (end["done"], end["code"], end["position"]) == (0, ErrorCode.WATCHDOG, 1)
    # As long as units finish commands, it is patient.
    _, end = run(program, watchdog=120,
                 act=lambda ctx, dut, cycle: ctx.set(dut.progress, cycle == 100))
    assert (end["done"], end["cycle"]) == (1, 301)


def test_watchdog_does_not_wait_for_a_dead_bus():
    """The program fails, though the bus owes it something; the next one waits for that."""
    def act(ctx, dut, cycle):
        ctx.set(dut.drained, 0)
        ctx.set(dut.idle, 1)

    _, end = run([pack_command(Opcode.END)], watchdog=100, act=act)
    assert (end["done"], end["code"]) == (0, ErrorCode.WATCHDOG) and 100 < end["cycle"] < 140
    _, end = run([pack_command(Opcode.END)], watchdog=100, act=act, drained=0)
    assert (end["launched"], end["done"], end["code"]) == (None, 0, ErrorCode.WATCHDOG)
