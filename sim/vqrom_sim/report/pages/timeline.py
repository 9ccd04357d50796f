"""When which unit works on which layer, as a picture that shows more the closer one looks."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqrom_sim.engines import Timeline

from .drawing import FAINT, PALETTE, axis, layout, text

MOST_SPANS = 40_000
"""Spans that a page holds. If there are more, spans of a layer with short gaps become one."""


def timeline_data(timeline: Timeline) -> dict[str, Any]:
    """The spans as the page's script takes them, by unit and start.

    Parameters
    ----------
    timeline:
        From the cycle model.

    Returns
    -------
    dict
        ``units`` and ``layers`` (names), ``unit``, ``layer``, ``start``, ``end`` and ``busy``
        (cycles in which the unit works) of each span, and ``gap``: the longest pause that was
        taken into a span, 0 if there are few enough spans. ``palette`` and ``mixed`` are colours of
        layers, and that of several layers together.
    """
    order = np.lexsort((timeline.start, timeline.unit))
    unit, layer, start, end, worked = (np.asarray(one)[order].astype(np.int64) for one in (
        timeline.unit, timeline.layer, timeline.start, timeline.end, timeline.worked))
    gap = timeline.gap
    firsts = _firsts(unit, layer, start, end, gap)
    while len(firsts) > MOST_SPANS and gap < timeline.cycles:
        gap = max(2 * gap, 1)
        firsts = _firsts(unit, layer, start, end, gap)
    lasts = np.append(firsts[1:], len(unit))[:len(firsts)] - 1
    busy = np.add.reduceat(worked, firsts) if len(firsts) else worked
    return {"units": list(timeline.units), "layers": list(timeline.layers), "gap": gap,
            "unit": unit[firsts].tolist(), "layer": layer[firsts].tolist(),
            "start": start[firsts].tolist(), "end": end[lasts].tolist(), "busy": busy.tolist(),
            "palette": [colour for colour in PALETTE if colour != FAINT], "mixed": FAINT}


def _firsts(unit: np.ndarray, layer: np.ndarray, start: np.ndarray, end: np.ndarray,
            gap: int) -> np.ndarray:
    """Numbers of the spans that go on with none before them."""
    if not len(unit):
        return np.zeros(0, np.int64)
    joined = (unit[1:] == unit[:-1]) & (layer[1:] == layer[:-1]) & (start[1:] - end[:-1] <= gap)
    return np.flatnonzero(np.append(True, ~joined))


def timeline_spec(timeline: Timeline) -> dict[str, Any]:
    """The empty picture; the page's script fills it with bars for what is in view."""
    units = [text(unit) for unit in timeline.units]
    last = max(timeline.cycles, 1)
    return {"data": [], "layout": layout(
        90 + 34 * len(units), meta="timeline", barmode="overlay", showlegend=False, bargap=0.15,
        xaxis=axis("cycle", range=[0, last], tickformat="~s", minallowed=0, maxallowed=last),
        yaxis={"automargin": True, "tickvals": list(range(len(units))), "ticktext": units,
               "range": [len(units) - 0.4, -0.6], "fixedrange": True, "ticks": "",
               "showgrid": False, "zeroline": False})}
