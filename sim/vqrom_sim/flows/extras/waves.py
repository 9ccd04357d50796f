"""Waves of one layer of a network: where it is in the run, and its signals on the first image."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sim.engines import (
    SIGNALS_FILE,
    WAVES_FILE,
    Counts,
    Waves,
    record_waves,
    trace_model,
)
from vqrom_sw.compiler import COLUMN, CompiledNetwork, Program
from vqrom_sw.progress import Progress

from ..staged import StagedRun, place_inputs


def stage_of(compiled: CompiledNetwork, layer: str) -> int:
    """Number of the stage in which the accelerator does a layer.

    Raises
    ------
    VqromError
        If it does no layer of that name.
    """
    names = [_layers_of(program) for program in compiled.programs]
    for number, found in enumerate(names):
        if layer in found:
            return number
    known = ", ".join(name for found in names for name in found)
    raise VqromError(f"waves must be those of a layer that the accelerator does ({known}), "
                     f"not {layer!r}")


def layer_waves(compiled: CompiledNetwork, codewords: np.ndarray, run: StagedRun, layer: str,
                progress: Progress) -> Waves:
    """Record a layer on the first image: from the first cycle in which any unit works on it to the
    last.

    Parameters
    ----------
    compiled:
        The stages and their programs, with contents.
    codewords:
        int8 ``[k, d]`` for the ROM.
    run:
        The run of the same network, with at least one image, for the maps between stages.
    layer:
        Its name.
    progress:
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    VqromError
        If the accelerator does no such layer, a header is missing, the simulation fails, or it
        counts something else than the run did.
    """
    number = stage_of(compiled, layer)
    program, counts = compiled.programs[number], run.counts[number]
    assert program is not None and counts is not None
    maps = {name: values[:1] for name, values in run.maps.items()}
    image = place_inputs(compiled.network, program, compiled.stages[number].inputs, maps)
    window = trace_model(program).window(_layers_of(program)[layer])
    waves = record_waves(program, codewords, image, window, progress)
    _check_same(waves, counts)
    return waves


def describe_waves(waves: Waves, layer: str) -> dict[str, Any]:
    """The key ``waves`` of ``report.json``."""
    return {"file": WAVES_FILE, "signals": SIGNALS_FILE, "layer": layer, "image": 0,
            "first_cycle": waves.window[0], "end_cycle": waves.window[1], "cycles": waves.cycles,
            "complete": waves.complete}


def _layers_of(program: Program | None) -> dict[str, int]:
    """Numbers of the layers that a program has commands of, without its own first and last one,
    which load and store."""
    if program is None:
        return {}
    commanded = set(program.table[:, COLUMN["layer"]].tolist())
    return {program.layers[number]: number for number in range(1, len(program.layers) - 1)
            if number in commanded}


def _check_same(waves: Waves, counts: Counts) -> None:
    for name, value in counts.counters[0].items():
        if waves.counters[name] != value:
            raise VqromError(f"recorded run must count {value} {name}, as the other run did, "
                             f"not {waves.counters[name]}")
