"""Tilings tried on the cycle model: the compiler estimates, the model knows."""

from __future__ import annotations

from typing import Protocol

from vqrom_sim.engines import run_model
from vqrom_sw.compiler import BEAT_COST, Program
from vqrom_sw.progress import Progress

BEAT_COSTS = (BEAT_COST, 0.0, 0.25, 4.0)
"""What a bus beat is worth in the compiler's estimates; each gives other strips."""


class Compile(Protocol):
    """Compiles one network or topology for one accelerator."""

    def __call__(self, *, contents: bool, beat_cost: float) -> Program: ...


def fastest_program(compile_for: Compile, *, contents: bool,
                    progress: Progress | None = None) -> Program:
    """The program of the fewest cycles, and of the fewest bytes among those.

    Parameters
    ----------
    compile_for:
        Compiles the network or topology with a given price of a bus beat.
    contents:
        Whether the resulting program holds the bytes of its commands and constants; the tries
        need none.
    progress:
        Called with what is being done, how much of it is done, and how much there is.
    """
    tell = progress or (lambda what, done, total: None)

    def figures(cost: float) -> tuple[int, int]:
        program = compile_for(contents=False, beat_cost=cost)
        moved = sum(sum(streams.values()) for streams in program.fetched_bytes)
        return run_model(program).counters[0]["cycles"], moved

    tried = []
    for number, cost in enumerate(BEAT_COSTS):
        tell("trying tilings", number, len(BEAT_COSTS))
        tried.append((*figures(cost), number))
    tell("trying tilings", len(BEAT_COSTS), len(BEAT_COSTS))
    return compile_for(contents=contents, beat_cost=BEAT_COSTS[min(tried)[-1]])
