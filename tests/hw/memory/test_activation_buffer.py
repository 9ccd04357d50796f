"""The activation buffer against a list and Python's arbitration: banks, grants, byte enables."""

import random

import pytest

from tests.hw.simulation import config_of, simulate
from vqrom_hw.memory import ActivationBuffer
from vqrom_hw.memory.activation_buffer import bank_of

SHAPES = [(16, 1, 1, 1, 1), (16, 1, 16, 3, 3), (48, 6, 2, 2, 1), (64, 16, 8, 3, 3)]
"""Words, rows, banks, readers, writers."""


def requests_of(rng, ports, words):
    """Whether each port asks, and where: sometimes beyond the end, often at the same place."""
    near = rng.randrange(words)
    return [(rng.random() < 0.7, rng.choice(
        [near, rng.randrange(words), rng.randrange(words), words, (1 << 20) - 1]))
        for _ in range(ports)]


def grants_of(requests, words, banks):
    """(granted, performed) of each port."""
    taken, result = set(), []
    for asks, address in requests:
        exists, bank = address < words, bank_of(address, banks)
        performed = asks and exists and bank not in taken
        taken |= {bank} if performed else set()
        result.append((asks and (performed or not exists), performed))
    return result


def drive(ctx, ports, requests) -> None:
    """Put one request, or none, to each port."""
    for port, (asks, address) in zip(ports, requests, strict=True):
        ctx.set(port.request, asks)
        ctx.set(port.address, address)


def granted(ctx, ports):
    """Which ports are served in this cycle."""
    return [bool(ctx.get(port.grant)) for port in ports]


def errors_of(requests, words):
    """Which ports ask for a word beyond the end."""
    return [asks and address >= words for asks, address in requests]


@pytest.mark.parametrize(("words", "rows", "banks", "readers", "writers"), SHAPES)
def test_equals_a_list(words: int, rows: int, banks: int, readers: int, writers: int) -> None:
    config = config_of(1, 2, rows, 1, 1, 1, activation_words=words, activation_banks=banks)
    dut, rng = ActivationBuffer(config, readers, writers), random.Random(words + banks)
    content = [[0] * rows for _ in range(words)]

    async def bench(ctx) -> None:
        for _ in range(400):
            reads = requests_of(rng, readers, words)
            writes = requests_of(rng, writers, words)
            drive(ctx, dut.read_ports, reads)
            drive(ctx, dut.write_ports, writes)
            values = [[rng.getrandbits(8) for _ in range(rows)] for _ in writes]
            masks = [rng.getrandbits(rows) for _ in writes]
            for port, value, mask in zip(dut.write_ports, values, masks, strict=True):
                ctx.set(port.word, int.from_bytes(bytes(value), "little"))
                ctx.set(port.mask, mask)
            read_grants = grants_of(reads, words, banks)
            write_grants = grants_of(writes, words, banks)
            assert granted(ctx, dut.read_ports) == [one for one, _ in read_grants]
            assert granted(ctx, dut.write_ports) == [one for one, _ in write_grants]
            assert ctx.get(dut.reads) == sum(done for _, done in read_grants)
            assert ctx.get(dut.writes) == sum(done for _, done in write_grants)
            assert ctx.get(dut.range_error) == sum(
                error << port for port, error in enumerate(
                    errors_of(reads, words) + errors_of(writes, words)))
            expected = [int.from_bytes(bytes(content[address]), "little") if done else None
                        for (_, address), (_, done) in zip(reads, read_grants, strict=True)]
            for (_, address), (_, done), value, mask in zip(
                    writes, write_grants, values, masks, strict=True):
                if done:
                    content[address] = [new if mask >> lane & 1 else old for lane, (new, old)
                                        in enumerate(zip(value, content[address], strict=True))]
            await ctx.tick()
            for port, word in zip(dut.read_ports, expected, strict=True):
                assert word is None or ctx.get(port.word) == word

    simulate(dut, bench)


@pytest.mark.parametrize("banks", [1, 2, 4, 8, 16])
def test_every_word_has_its_place(banks: int) -> None:
    places = {(bank_of(address, banks), address // banks) for address in range(1024)}
    assert places == {(bank, place) for bank in range(banks) for place in range(1024 // banks)}


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 64, 512])
def test_strides_spread_over_banks(stride: int) -> None:
    assert len({bank_of(step * stride, 8) for step in range(64)}) == 8
