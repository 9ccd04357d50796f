"""The unpacker against the definition of a bit stream."""

import random

import pytest

from tests.hw.simulation import sender, simulate
from vqrom_hw.errors import VqromError
from vqrom_hw.lib import Unpacker


def beats_of(in_width, widths, items):
    """A packet: fields one after the other, cut into beats."""
    bits, place = 0, 0
    for item, width in zip(items, widths, strict=True):
        bits |= item << place
        place += width
    return [(bits >> (beat * in_width)) & ((1 << in_width) - 1)
            for beat in range(-(-place // in_width))]


def run_packets(in_width, out_width, packets, seed, *period, gaps=True):
    """Feed packets of items, with random gaps on both sides; the items that come out, and when."""
    dut, out, rng = Unpacker(in_width, out_width, *period), [], random.Random(seed)
    every, last_width = period or (1, out_width)
    widths = [last_width if place % every == every - 1 else out_width for place in range(100)]
    beats = [beat for items in packets for beat in beats_of(in_width, widths[:len(items)], items)]
    place = iter(position for items in packets for position in range(len(items)))

    async def collect(ctx) -> None:
        cycle = 0
        while len(out) < sum(map(len, packets)):
            ctx.set(dut.o.ready, not gaps or rng.random() < 0.7)
            _, _, valid, ready, payload, last = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload, dut.last)
            if valid and ready:
                out.append((payload & ((1 << widths[next(place)]) - 1), last, cycle))
            cycle += 1

    simulate(dut, sender(dut.length, [len(items) for items in packets]),
             sender(dut.i, beats, rng if gaps else None), collect)
    return out


def check_order(packets, out) -> None:
    assert [item for item, _, _ in out] == [item for items in packets for item in items]
    assert [last for _, last, _ in out] == [
        place == len(items) - 1 for items in packets for place in range(len(items))]


@pytest.mark.parametrize(("in_width", "out_width"),
                         [(64, 8), (64, 64), (64, 13), (16, 40), (8, 1), (64, 512), (128, 72),
                          (1, 3)])
def test_items_come_out_whole_and_in_order(in_width: int, out_width: int) -> None:
    rng = random.Random(out_width)
    packets = [[rng.getrandbits(out_width) for _ in range(length)] for length in (1, 5, 2, 17, 1)]
    check_order(packets, run_packets(in_width, out_width, packets, in_width))


@pytest.mark.parametrize(("in_width", "out_width", "period", "last_width"), [
    (64, 24, 3, 8), (64, 64, 2, 1), (64, 112, 3, 56), (16, 40, 2, 39), (64, 512, 2, 64),
    (8, 6, 4, 6), (64, 7, 1, 3)])
def test_every_last_item_is_short(in_width: int, out_width: int, period: int,
                                  last_width: int) -> None:
    """No beat of the next packet is taken early, though the short item may have come already."""
    rng = random.Random(out_width)
    packets = [[rng.getrandbits(last_width if place % period == period - 1 else out_width)
                for place in range(period * count)] for count in (1, 5, 2, 9, 1, 1)]
    check_order(packets, run_packets(in_width, out_width, packets, in_width, period, last_width))


@pytest.mark.parametrize(("out_width", "period"), [(64, ()), (40, ()), (64, (4, 16)), (8, ())])
def test_one_item_a_cycle_and_one_cycle_between_packets(out_width: int,
                                                        period: tuple[int, ...]) -> None:
    packets = [[0] * 8, [0] * 4, [0] * 12]
    out = run_packets(64, out_width, packets, 0, *period, gaps=False)
    assert [cycle for _, _, cycle in out] == [*range(1, 9), *range(10, 14), *range(15, 27)]


def test_one_beat_a_cycle() -> None:
    """Items of several beats: the beats alone decide."""
    out = run_packets(64, 160, [[0] * 8], 0, gaps=False)
    assert [cycle for _, _, cycle in out] == [-(-160 * count // 64) for count in range(1, 9)]


def test_width_wrong() -> None:
    with pytest.raises(VqromError, match=r"^out_width must be a positive integer, not 0$"):
        Unpacker(8, 0)
    with pytest.raises(VqromError, match=r"^period must be a positive integer, not 0$"):
        Unpacker(8, 8, 0)
    with pytest.raises(VqromError, match=r"^last_width must be at most 8, not 9$"):
        Unpacker(8, 8, 2, 9)
