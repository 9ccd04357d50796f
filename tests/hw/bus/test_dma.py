"""DMA: bursts as AXI4 allows them, data in order, nothing asked for without room."""

import random

import pytest

from tests.hw.simulation import config_of, receiver, sender, simulate
from vqrom_hw.bus import BOUNDARY, ReadDma, WriteDma
from vqrom_hw.bus.bursts import BurstSplitter
from vqrom_hw.bus.prefetch_fifo import PrefetchFifo


def request(address, beats, tag=0, command=0):
    return {"address": address, "beats": beats, "tag": tag, "command": command}


def fields(view):
    return view.address, view.beats, view.tag


@pytest.mark.parametrize(("beat_bytes", "most"), [(8, 16), (16, 256), (64, 4), (32, 1)])
def test_bursts_cover_requests_and_cross_no_boundary(beat_bytes: int, most: int) -> None:
    rng, out = random.Random(most), []
    dut = BurstSplitter(beat_bytes, most)
    requests = [request(rng.randrange(1 << 14) * beat_bytes, rng.choice([1, most, 7, 300]),
                        rng.getrandbits(1)) for _ in range(12)]
    total = sum(one["beats"] for one in requests)

    async def collect(ctx) -> None:
        while sum(beats for _, beats, _ in out) < total:
            ctx.set(dut.o.ready, rng.random() < 0.7)
            _, _, valid, ready, payload = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload)
            if valid and ready:
                out.append(fields(payload))

    simulate(dut, sender(dut.i, requests, rng), collect)
    covered = [(address + beat * beat_bytes, tag) for address, beats, tag in out
               for beat in range(beats)]
    assert covered == [(one["address"] + beat * beat_bytes, one["tag"]) for one in requests
                       for beat in range(one["beats"])]
    for address, beats, _ in out:
        assert 1 <= beats <= most
        assert address // BOUNDARY == (address + beats * beat_bytes - 1) // BOUNDARY


def test_channel_asks_only_for_what_it_can_hold() -> None:
    """A consumer that sleeps: no more beats are under way than the FIFO has room for."""
    depth, out, under_way = 16, [], [0]
    dut = PrefetchFifo(64, depth, 8)
    requests = [request(64 * number, 5) for number in range(10)]

    async def memory(ctx) -> None:
        pending = []
        while len(out) < 50:
            ctx.set(dut.burst.ready, 1)
            beat = pending.pop(0) if pending else None
            ctx.set(dut.beat.valid, beat is not None)
            ctx.set(dut.beat.payload, beat or 0)
            if ctx.get(dut.burst.valid):
                address, beats, _ = fields(ctx.get(dut.burst.payload))
                pending += [address + 8 * number for number in range(beats)]
                under_way[0] += beats
            assert ctx.get(dut.beat.ready)
            assert under_way[0] - len(out) <= depth
            await ctx.tick()

    async def consumer(ctx) -> None:
        await ctx.tick().repeat(100)
        assert under_way[0] == 15, "three requests of five fit, a fourth does not"
        await receiver(dut.o, 50, out)(ctx)

    simulate(dut, sender(dut.request, requests), consumer, memory)
    assert out == [one["address"] + 8 * beat for one in requests for beat in range(5)]


def read_memory(dut, rng, log, stop, error_at=None):
    """An in-order AXI memory with latency: a beat holds its own address; bad bursts are errors."""
    async def bench(ctx) -> None:
        pending = []
        while not stop():
            ready = rng.random() < 0.7
            ctx.set(dut.arready, ready)
            send = bool(pending) and rng.random() < 0.8
            address, last = pending[0] if send else (0, 0)
            ctx.set(dut.rvalid, send)
            ctx.set(dut.rdata, address)
            ctx.set(dut.rlast, last)
            ctx.set(dut.rresp, 2 if send and address == error_at else 0)
            if send:
                assert ctx.get(dut.rready)
                pending.pop(0)
                log.append((ctx.get(dut.beat), ctx.get(dut.origin.tag), ctx.get(dut.error)))
            if ready and ctx.get(dut.arvalid):
                start, beats = ctx.get(dut.araddr), ctx.get(dut.arlen) + 1
                assert (ctx.get(dut.arburst), ctx.get(dut.arsize)) == (1, 3)
                assert start // BOUNDARY == (start + 8 * beats - 1) // BOUNDARY
                pending += [(start + 8 * beat, beat == beats - 1) for beat in range(beats)]
            await ctx.tick()
    return bench


def test_read_channels_share_the_bus() -> None:
    """Three channels, each gets its own data in its own order; every beat is counted once."""
    rng, log, outs = random.Random(5), [], ([], [], [])
    dut = ReadDma(config_of(), (16, 16, 8))
    requests = [[request(0x10000 * (number + 1) + 8 * rng.randrange(2000), rng.randint(1, 40),
                         rng.getrandbits(1)) for _ in range(6)] for number in range(3)]
    totals = [sum(one["beats"] for one in channel) for channel in requests]

    def stop():
        return all(len(out) == total for out, total in zip(outs, totals, strict=True))

    benches = [sender(dut.requests[number], requests[number], rng)
               for number in range(3)]
    benches += [receiver(dut.outputs[number], totals[number], outs[number], rng)
                for number in range(3)]
    simulate(dut, *benches, read_memory(dut, rng, log, stop, requests[1][2]["address"]))
    for channel, out in zip(requests, outs, strict=True):
        assert out == [one["address"] + 8 * beat for one in channel for beat in range(one["beats"])]
    for number, channel in enumerate(requests):
        for tag in range(2):
            assert sum(entry[:2] == (1 << number, tag) for entry in log) == sum(
                one["beats"] for one in channel if one["tag"] == tag)
    assert sum(error for _, _, error in log) == 1


@pytest.mark.parametrize("most", [1, 8])
def test_writes_arrive_in_order(most: int) -> None:
    rng, memory, accepted = random.Random(most), {}, [0]
    dut = WriteDma(config_of(max_burst_beats=most))
    requests = [request(8 * rng.randrange(4096), beats) for beats in (1, 30, 8, 3)]
    data = [rng.getrandbits(64) for _ in range(sum(one["beats"] for one in requests))]

    async def subordinate(ctx) -> None:
        addresses, bursts, acknowledge, beats = [], 0, 0, []
        while accepted[0] < len(data) or not ctx.get(dut.idle):
            ready = rng.random() < 0.6, rng.random() < 0.6
            ctx.set(dut.awready, ready[0])
            ctx.set(dut.wready, ready[1])
            answer = acknowledge > 0 and rng.random() < 0.5
            ctx.set(dut.bvalid, answer)
            acknowledge -= answer
            assert not ctx.get(dut.error)
            if ready[0] and ctx.get(dut.awvalid):
                start, count = ctx.get(dut.awaddr), ctx.get(dut.awlen) + 1
                assert count <= most
                addresses += [(start + 8 * beat, beat == count - 1) for beat in range(count)]
                bursts += 1
            if ready[1] and ctx.get(dut.wvalid):
                assert ctx.get(dut.wstrb) == 0xFF
                beats.append((ctx.get(dut.wdata), ctx.get(dut.wlast)))
                accepted[0] += 1
                acknowledge += ctx.get(dut.wlast)
            await ctx.tick()
        for (address, last), (value, marked) in zip(addresses, beats, strict=True):
            assert last == marked
            memory[address] = value

    simulate(dut, sender(dut.request, requests), sender(dut.i, data, rng), subordinate)
    place = 0
    for one in requests:
        for beat in range(one["beats"]):
            assert memory[one["address"] + 8 * beat] == data[place]
            place += 1


def test_write_error_is_reported() -> None:
    dut, seen = WriteDma(config_of()), []

    async def subordinate(ctx) -> None:
        ctx.set(dut.awready, 1)
        ctx.set(dut.wready, 1)
        await ctx.tick().repeat(12)
        ctx.set(dut.bvalid, 1)
        ctx.set(dut.bresp, 2)
        seen.append(ctx.get(dut.error))
        await ctx.tick()
        ctx.set(dut.bvalid, 0)
        await ctx.tick()
        seen.append(ctx.get(dut.error))

    simulate(dut, sender(dut.request, [request(64, 2)]), sender(dut.i, [1, 2]), subordinate)
    assert seen == [1, 0]


def test_flushed_reads_are_waited_for_and_dropped() -> None:
    """After a flush the bus is drained, and the next request begins afresh."""
    dut, out = ReadDma(config_of(), (16, 8)), []

    async def bench(ctx) -> None:
        ctx.set(dut.arready, 1)
        ctx.set(dut.requests[0].payload, request(0, 40, command=3))
        ctx.set(dut.requests[0].valid, 1)
        await ctx.tick()
        ctx.set(dut.requests[0].valid, 0)
        await ctx.tick().repeat(8)  # two bursts of eight beats fit the FIFO
        ctx.set(dut.flush, 1)
        for beat in range(16):
            assert not ctx.get(dut.drained)
            ctx.set(dut.rvalid, 1)
            ctx.set(dut.rlast, beat % 8 == 7)
            ctx.set(dut.rdata, 99)
            assert ctx.get(dut.origin.command) == 3 and not ctx.get(dut.arvalid)
            await ctx.tick()
        ctx.set(dut.rvalid, 0)
        assert ctx.get(dut.drained)
        ctx.set(dut.flush, 0)
        ctx.set(dut.requests[0].payload, request(8 * 100, 1))
        ctx.set(dut.requests[0].valid, 1)
        await ctx.tick()
        ctx.set(dut.requests[0].valid, 0)
        await ctx.tick().until(dut.arvalid)
        assert (ctx.get(dut.araddr), ctx.get(dut.arlen)) == (800, 0)
        ctx.set(dut.rdata, 7)
        ctx.set(dut.rvalid, 1)
        await ctx.tick()
        ctx.set(dut.rvalid, 0)

    simulate(dut, bench, receiver(dut.outputs[0], 1, out))
    assert out == [7]


def test_flushed_writes_end_their_burst_without_byte_enables() -> None:
    """The beat that is on the bus stays as it is; those after it change nothing in memory."""
    dut, beats = WriteDma(config_of()), []

    async def bench(ctx) -> None:
        ctx.set(dut.awready, 1)
        ctx.set(dut.request.payload, request(0, 20))
        ctx.set(dut.request.valid, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, 5)
        await ctx.tick()
        ctx.set(dut.request.valid, 0)
        await ctx.tick().until(dut.wvalid)
        ctx.set(dut.flush, 1)
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(3)
        ctx.set(dut.wready, 1)
        while not beats or not beats[-1][1]:
            assert ctx.get(dut.wvalid)
            beats.append((ctx.get(dut.wstrb), ctx.get(dut.wlast)))
            await ctx.tick()
        ctx.set(dut.bvalid, 1)
        assert not ctx.get(dut.idle)
        await ctx.tick()
        ctx.set(dut.bvalid, 0)
        assert ctx.get(dut.idle) and not ctx.get(dut.wvalid) and not ctx.get(dut.awvalid)

    simulate(dut, bench)
    assert [strobe for strobe, _ in beats] == [0xFF] + [0] * 7
