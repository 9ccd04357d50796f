"""The cycle model's one entry: a program in, cycles and counters out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np

import vqrom_hw
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.counters import COUNTERS
from vqrom_hw.errors import VqromError
from vqrom_sw import command_table
from vqrom_sw.program import Program

from ..cache import cache_root


@contextmanager
def _compiled_code() -> Iterator[None]:
    """Keep numba's machine code by a hash of all sources: numba itself looks at one file only."""
    digest = hashlib.sha256(Path(command_table.__file__).read_bytes())
    for folder in (Path(str(vqrom_hw.__file__)).parent, Path(__file__).parent):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    before, numba.config.CACHE_DIR = (
        numba.config.CACHE_DIR, str(cache_root() / "numba" / digest.hexdigest()[:32]))
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


with _compiled_code():
    from . import kernel, state


@dataclass(frozen=True)
class ModelRun:
    """What the hardware would count.

    Members
    -------
    counters:
        Of one run, by the names of :data:`vqrom_hw.counters.COUNTERS`.
    layer_counters:
        Per entry of :attr:`Program.layers`: what was counted from the end of the command before to
        the end of each of its own, in the order in which units finish them.
    """

    counters: dict[str, int]
    layer_counters: list[dict[str, int]]


def run_model(program: Program) -> ModelRun:
    """Time a program, without its values.

    Raises
    ------
    VqromError
        If the program does not reach its end within its cycle limit.
    """
    return run_table(program.config, program.table, len(program.layers), program.cycle_limit)


def run_table(config: AcceleratorConfig, table: np.ndarray, layers: int, limit: int) -> ModelRun:
    """Time the commands of a table, int64 ``[n, len(COLUMNS)]``, of so many layers.

    Raises
    ------
    VqromError
        If they do not reach END within ``limit`` cycles.
    """
    beats = len(table) * state.dimensions_of(config).command_beats
    counters, by_layer, ended = kernel.run(
        state.initial_state(config, beats), table, state.dimensions_of(config),
        state.vector_latencies(config), layers, limit)
    if not ended:
        raise VqromError(f"program must reach its END within {limit} cycles")
    return ModelRun(_named(counters), [_named(row) for row in by_layer])


def _named(values: np.ndarray) -> dict[str, int]:
    return dict(zip(COUNTERS, map(int, values), strict=True))


def _warm_up() -> None:
    """Compile, or load what was compiled, now rather than in the first run."""
    from vqrom_hw.commands import Opcode
    from vqrom_hw.config import load_config

    end = np.array([command_table.new_row({"opcode": int(Opcode.END)})], np.int64)
    run_table(load_config("tiny"), end, 1, 1000)


_warm_up()
