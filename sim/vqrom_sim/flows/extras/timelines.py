"""The timeline of a whole network: those of its programs, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vqrom_sim.engines import Timeline, trace_model
from vqrom_sw.compiler import Program


def program_timeline(programs: Sequence[Program]) -> Timeline | None:
    """When which unit works on which layer of one image, traced on the cycle model.

    A program begins when the one before it ends: what the host does in between takes no cycles
    here. Layers of the same name, as the loads and stores of all programs, are one.

    Parameters
    ----------
    programs:
        In the order in which they run.

    Returns
    -------
    Timeline or None
        None if there is no program.
    """
    if not programs:
        return None
    traced = [trace_model(program) for program in programs]
    names = list(dict.fromkeys(name for one in traced for name in one.layers))
    begins = np.cumsum([0, *(one.cycles for one in traced)])
    places = [np.array([names.index(name) for name in one.layers], np.int64) for one in traced]
    return Timeline(
        traced[0].units, tuple(names),
        unit=np.concatenate([one.unit for one in traced]),
        layer=np.concatenate([place[one.layer] for place, one in zip(places, traced, strict=True)]),
        start=np.concatenate([one.start + begin
                              for begin, one in zip(begins, traced, strict=False)]),
        end=np.concatenate([one.end + begin for begin, one in zip(begins, traced, strict=False)]),
        worked=np.concatenate([one.worked for one in traced]),
        gap=max(one.gap for one in traced), cycles=int(begins[-1]))
