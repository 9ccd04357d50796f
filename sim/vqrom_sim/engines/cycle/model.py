"""The cycle model's one entry: a program in, cycles and counters out."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numba.core import config as numba_config

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COUNTERS
from vqrom_sim.engines.counts import Counts
from vqrom_sim.engines.timeline import Timeline
from vqrom_sw.compiler import Program
from vqrom_sw.io import cache_root, content_key, source_digest
from vqrom_sw.progress import Progress

from . import kernel
from .intervals import NO_LOG, UNITS, Log, closed_rows, new_log
from .registers.state import dimensions_of, initial_state


def run_model(program: Program, images: int = 1, progress: Progress | None = None) -> Counts:
    """Time a program, without its values; every image takes the same cycles.

    The first run of a process loads the model's machine code, or compiles it where none is kept:
    that takes half a minute.

    Parameters
    ----------
    program:
        Compiled network; its contents are not needed.
    images:
        How many times it runs.
    progress:
        Called with what is being done, how much of it is done, and how much there is.

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


def trace_model(program: Program) -> Timeline:
    """Time a program once, and write down which unit works on which layer when.

    Array: a command of its is under way, its waits included. Post-processing: sums are finished and
    not yet written. Weights: the feed gives a step's worth of weights to the loader (or codewords
    to an SRAM). The others: they have a command that waits for no other one. This takes longer than
    :func:`run_model`.

    Parameters
    ----------
    program:
        Compiled network; its contents are not needed.

    Raises
    ------
    VqromError
        If the program does not reach its end within its cycle limit, or the intervals do not add
        up to what the counters say.
    """
    log = new_log(len(program.table))
    counters, _ = _run(program.config, program.table, len(program.layers), program.cycle_limit, log)
    rows, gap = closed_rows(log)
    unit, layer, start, end, worked = rows.T.copy()
    count = _named(counters)
    _check_busy(np.bincount(unit, worked, len(UNITS)).astype(np.int64), count)
    return Timeline(UNITS, program.layers, unit, layer, start, end, worked, gap, count["cycles"])


def _check_busy(worked: np.ndarray, counters: dict[str, int]) -> None:
    """Compare the cycles of each unit's intervals with the counters."""
    expected = {name: counters[f"{name}_busy"] for name in ("post", "load", "store", "vector")}
    expected["array"] = sum(counters[f"{cause}_cycles"] for cause in (
        "compute", "weights", "accumulators"))
    for name, cycles in expected.items():
        found = int(worked[UNITS.index(name)])
        if found != cycles:
            raise VqromError(f"intervals of unit {name!r} must add up to its {cycles} cycles, "
                             f"not {found}")


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
    return _run(config, table, layers, limit, NO_LOG)


def _run(config: AcceleratorConfig, table: np.ndarray, layers: int, limit: int,
         log: Log) -> tuple[np.ndarray, np.ndarray]:
    dimensions = dimensions_of(config)
    counters, by_layer, ended = _kept_kernel()(
        initial_state(config, len(table) * dimensions.command_beats), table.ravel(), dimensions,
        layers, limit, log)
    if not ended:
        raise VqromError(f"program must reach its END within {limit} cycles")
    return counters, by_layer


def machine_code_key() -> str:
    """Key of the kept machine code: the sources of the model and of all that it takes from others.

    numba itself looks at the one file only that holds the function, and at the processor.
    """
    return content_key(source_digest(kernel.__name__))


@cache
def _kept_kernel() -> Any:
    """:func:`.kernel.run`; its machine code is kept in the cache folder if that can be written."""
    folder = cache_root() / "numba" / machine_code_key()
    if _writable(folder):
        settings = cast(Any, numba_config)
        before, settings.CACHE_DIR = settings.CACHE_DIR, str(folder)
        try:
            cast(Any, kernel.run).enable_caching()
        finally:
            settings.CACHE_DIR = before
    return kernel.run


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made too. Where they cannot, numba would keep
    its code beside the sources, by their time of change alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _named(values: np.ndarray) -> dict[str, int]:
    return dict(zip(COUNTERS, map(int, values), strict=True))
