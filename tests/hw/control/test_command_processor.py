"""The command processor: dispatch in order, every error with its code and position."""

import pytest

from tests.hw.isa.packing import pack_command
from tests.hw.simulation import config_of, simulate
from vqrom_hw.control import CommandProcessor
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


def run(commands, config=None, limit=4096, full=(), fault=None, beats=None):
    """Run a program against units that finish at once; what it pushed, fetched, and its end."""
    config = config or config_of()
    dut, log, end = CommandProcessor(config, DIGEST), [], {}
    content = b"".join(commands)
    words = [int.from_bytes(content[place:place + config.beat_bytes], "little")
             for place in range(0, len(content), config.beat_bytes)]

    async def bench(ctx):
        ctx.set(dut.beats, len(words) if beats is None else beats)
        for region in Region:
            ctx.set(dut.bases[region], 0x10000 * (region + 1))
            ctx.set(dut.limits[region], limit)
        ctx.set(dut.room, {name: name not in full for name in QUEUES})
        ctx.set(dut.fetch_room, -1)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        place = 0
        for cycle in range(2000):
            ctx.set(dut.i.valid, place < len(words))
            ctx.set(dut.i.payload, words[place] if place < len(words) else 0)
            ctx.set(dut.idle, cycle > 200)
            ctx.set(dut.drained, cycle > 300)
            if fault and cycle == fault[0]:
                ctx.set(dut.fault, {"code": fault[1], "position": 77})
            await ctx.delay(1e-8)
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
        pack_command(Opcode.FETCH, channel=Channel.PARAMETER, stream=2, region=1, offset=64,
                     beats=3),
        *(pack_command(opcode) for opcode in (Opcode.COMPUTE, Opcode.LOAD, Opcode.STORE,
                                              Opcode.VECTOR, Opcode.END))],
        config_of(bus_width=bus_width))
    assert log == [(2, 0x20040, 3, 2), (2, {"weights", "array", "post"}), (3, {"load"}),
                   (4, {"store"}), (5, {"vector"})]
    assert end == {"done": 1, "cycle": 301, "flush": 1, "code": 0, "position": 0}


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
    assert end == {"done": 0, "cycle": 301, "flush": 1, "code": code, "position": position}


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
