"""Campaigns: hostile programs, and resets in the middle of right ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from tests.hostile.bench import Bench, Outcome, Start
from tests.hostile.programs import good_start, hostile_start
from tests.placed_network import PlacedNetwork
from tests.random_networks import NetworkBuilder, random_codebook
from vqrom_hw.config import load_config
from vqrom_hw.isa import ErrorCode

CONFIG = load_config("tiny").model_copy(update={"activation_words": 160, "max_burst_beats": 8})
"""A buffer so small that maps are spilled, and bursts so short that transfers take several."""
CODEBOOK = random_codebook(CONFIG)
LONGEST_RESET = 3000
"""Cycles within which a reset comes; some programs have ended by then."""


@dataclass
class Tally:
    """What a campaign has found.

    Members
    -------
    ended:
        Starts by how they ended: ``done``, ``reset``, or the name of the error.
    faults:
        A line for each start that hung, touched what it must not, or was followed by a wrong
        result; with its seed.
    """

    ended: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


@cache
def bench() -> Bench:
    """The accelerator of all campaigns."""
    return Bench(CONFIG, CODEBOOK)


@cache
def works() -> tuple[PlacedNetwork, ...]:
    """Networks with all kinds of commands, small enough for thousands of runs."""
    mixed = NetworkBuilder(CODEBOOK, (6, 4, 3), 5)
    mixed.conv(20, padding=(1, 1, 1, 1))
    mixed.conv(20, padding=(1, 1, 1, 1), groups=20, raw=True)
    pooled = NetworkBuilder(CODEBOOK, (5, 5, 8), 6)
    pooled.conv(8, padding=(1, 1, 1, 1), raw=True)
    pooled.max_pool()
    pooled.linear(7)
    return tuple(PlacedNetwork(net, CODEBOOK, CONFIG, 4096 - 192) for net in (mixed, pooled))


def hostile_programs(first: int, count: int) -> Tally:
    """Run hostile programs of the seeds from ``first`` on, each followed by the right one."""
    return _campaign(first, count, hostile_start)


def resets(first: int, count: int) -> Tally:
    """Reset the accelerator in the middle of the right program, alone or with the bus, then run the
    program again."""
    def start(work: PlacedNetwork, rng: random.Random) -> Start:
        return good_start(work, rng, reset=rng.randint(1, LONGEST_RESET),
                          with_bus=rng.random() < 0.3)
    return _campaign(first, count, start)


def aborts(first: int, count: int) -> Tally:
    """Abort the right program at any time, then run it again."""
    def start(work: PlacedNetwork, rng: random.Random) -> Start:
        return good_start(work, rng, abort=rng.randint(1, LONGEST_RESET))
    return _campaign(first, count, start)


def _campaign(first: int, count: int, wrong) -> Tally:
    tally = Tally()
    by_work: dict[int, list[int]] = {}
    for seed in range(first, first + count):
        by_work.setdefault(seed % len(works()), []).append(seed)
    for number, seeds in by_work.items():
        work, starts = works()[number], list[Start]()
        for seed in seeds:
            rng = random.Random(seed)
            starts += [wrong(work, rng), good_start(work, rng)]
        _judge(work, seeds, bench().run(work, starts), tally)
    return tally


def _judge(work: PlacedNetwork, seeds: Sequence[int], results: Sequence[tuple[Outcome, bytes]],
           tally: Tally) -> None:
    for seed, (wrong, _), (right, content) in zip(seeds, results[::2], results[1::2], strict=True):
        failed = wrong.error is not ErrorCode.NONE
        tally.ended["hang" if wrong.hang else "reset" if wrong.was_reset
                    else wrong.error.name if failed else "done"] += 1
        if not wrong.harmless:
            tally.faults.append(f"seed {seed}: {wrong}")
        elif not right.harmless or right.error is not ErrorCode.NONE:
            tally.faults.append(f"seed {seed}: after it {right}")
        elif not np.array_equal(work.output(content, work.places["output"]), work.expected):
            tally.faults.append(f"seed {seed}: after it wrong outputs")
