"""The cycle model's one entry: a program in, cycles and counters out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numba.core import config as numba_config

import vqrom_hw
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COUNTERS
from vqrom_sim.engines.counts import Counts
from vqrom_sw.compiler import Program
from vqrom_sw.compiler.program import command_table
from vqrom_sw.io import cache_root
from vqrom_sw.progress import Progress


@contextmanager
def _compiled_code() -> Iterator[None]:
    """Keep numba's machine code by a hash of all sources: numba itself looks at one file only."""
    digest = hashlib.sha256(Path(command_table.__file__).read_bytes())
    for folder in (Path(str(vqrom_hw.__file__)).parent, Path(__file__).parent):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    before, numba_config.CACHE_DIR = (
        numba_config.CACHE_DIR, str(cache_root() / "numba" / digest.hexdigest()[:32]))
    try:
        yield
    finally:
        numba_config.CACHE_DIR = before


with _compiled_code():
    from . import kernel, state


def run_model(program: Program, images: int = 1, progress: Progress | None = None) -> Counts:
    """Time a program, without its values; every image takes the same cycles.

    Raises
    ------
    VqromError
        If the program does not reach its end within its cycle limit.
    """
    tell = progress or (lambda what, done, total: None)
    tell("cycle model", 0, 1)
    counters, layers = run_table(program.config, program.table, len(program.layers),
                                 program.cycle_limit)
    tell("cycle model", 1, 1)
    return Counts([_named(counters)] * images, [_named(row * images) for row in layers])


def run_table(config: AcceleratorConfig, table: np.ndarray, layers: int,
              limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Counters int64 ``[len(COUNTERS)]`` of a table of commands, and the same per layer.

    Parameters
    ----------
    config:
        Accelerator.
    table:
        int64 ``[n, len(COLUMNS)]`` of :mod:`vqrom_sw.compiler.program.command_table`.
    layers:
        Layers that the commands name.
    limit:
        Cycles within which they must reach END.

    Raises
    ------
    VqromError
        If they do not.
    """
    dimensions = state.dimensions_of(config)
    counters, by_layer, ended = kernel.run(
        state.initial_state(config, len(table) * dimensions.command_beats), table.ravel(),
        dimensions, state.vector_latencies(config), layers, limit)
    if not ended:
        raise VqromError(f"program must reach its END within {limit} cycles")
    return counters, by_layer


def _named(values: np.ndarray) -> dict[str, int]:
    return dict(zip(COUNTERS, map(int, values), strict=True))


def _warm_up() -> None:
    """Compile, or load what was compiled, now rather than in the first run."""
    from vqrom_hw.config import load_config
    from vqrom_hw.isa import Opcode

    end = np.array([command_table.new_row({"opcode": int(Opcode.END)})], np.int64)
    run_table(load_config("tiny"), end, 1, 1000)


_warm_up()
