"""Pictures of a study: Pareto plots, what each axis does, and all points as parallel lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from .drawing import FAINT, PALETTE, SYMBOLS, axis, layout, scale, text, value_axis
from .effects import Effect
from .study_data import (
    Objective,
    PointTable,
    StudyFacts,
    Value,
    brief,
    distinct,
    groups_of,
    numbers,
    shown,
)

MOST_PAIRS = 6
"""Pareto plots of a page; the first objectives come first."""

_HOVER = {"meta": "points", "hovertemplate": "%{text}<extra></extra>"}
"""Of traces whose ``customdata`` are rows: the page writes beside the mouse what they hold."""

_CHANGES = {(True, True): "× the first value’s", (True, False): "less the first value’s",
            (False, True): "best, × that of all", (False, False): "best, less that of all"}
"""What a change is, by whether it is paired and a factor."""

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def pareto_figures(table: PointTable, study: StudyFacts) -> list[tuple[str, dict[str, Any]]]:
    """A title and a picture for each pair of objectives."""
    pairs = list(combinations(study.objectives, 2))[:MOST_PAIRS]
    return [(f"{one.column} and {other.column}", _pareto(table, study, one, other))
            for one, other in pairs]


def _pareto(table: PointTable, study: StudyFacts, across: Objective,
            up: Objective) -> dict[str, Any]:
    rows = table.good()
    xs = dict(zip(rows, numbers(table, across, rows), strict=True))
    ys = dict(zip(rows, numbers(table, up, rows), strict=True))

    def trace(chosen: Sequence[int], **more: Any) -> dict[str, Any]:
        return {"type": "scatter", "x": [xs[row] for row in chosen],
                "y": [ys[row] for row in chosen], "customdata": list(chosen),
                **more}

    first = [row for row in rows if table.ranks[row] == 1]
    rest = [row for row in rows if table.ranks[row] != 1]
    border = front(rows, xs, ys, across, up)
    # Points that are not compared with each other have no border in common.
    lines = [] if len(groups_of(table, study)) > 1 else [
        trace(border, name="best of these two", mode="lines", hoverinfo="skip",
              line={"color": PALETTE[0], "width": 1.5, "dash": "dot",
                                        "shape": "hv" if across.goal == "min" else "vh"})]
    data = [
        trace(rest, name="other points", mode="markers", **_HOVER,
              marker={"color": FAINT, "size": 7, "opacity": 0.55, "symbol": "circle"}),
        *lines,
        trace(first, name="Pareto front of all objectives", mode="markers", **_HOVER,
              marker={"color": PALETTE[0], "size": 10, "symbol": "diamond",
                      "line": {"width": 1, "color": "#ffffff"}}),
    ]
    return {"data": data, "layout": layout(
        460, xaxis=_objective_axis(table, across, list(xs.values())),
        yaxis=_objective_axis(table, up, list(ys.values())))}


def front(rows: Sequence[int], xs: dict[int, float], ys: dict[int, float], across: Objective,
          up: Objective) -> list[int]:
    """Rows that no other beats in both objectives, from left to right; one of equal points."""
    order = sorted(rows, key=lambda row: (across.sign * xs[row], up.sign * ys[row]))
    kept: list[int] = []
    for row in order:
        if not kept or up.sign * ys[row] < up.sign * ys[kept[-1]]:
            kept.append(row)
    return kept if across.goal == "min" else kept[::-1]


def effect_figures(table: PointTable,
                   found: Sequence[Sequence[Effect]]) -> list[tuple[str, dict[str, Any]]]:
    """The axis and a picture of its effects, for each axis."""
    return [(group[0].axis, _effects(table, group)) for group in found]


def _effects(table: PointTable, group: Sequence[Effect]) -> dict[str, Any]:
    values = group[0].values
    labels = [text(shown(value), 16) for value in values]
    data = []
    for number, effect in enumerate(group):
        colour = PALETTE[number % len(PALETTE)]
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": text(effect.objective.column),
            "x": list(range(len(values))), "y": list(effect.changes),
            "line": {"color": colour, "dash": DASHES[number % len(DASHES)], "width": 2},
            "marker": {"color": colour, "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8},
            "text": [_effect_text(effect, place) for place in range(len(values))],
            "hovertemplate": "%{text}<extra></extra>", "connectgaps": True})
    kinds = {(effect.paired, effect.factors) for effect in group}
    title = _CHANGES[kinds.pop()] if len(kinds) == 1 else "change"
    changes = [change for effect in group for change in effect.changes if change is not None]
    return {"data": data, "layout": layout(
        300, xaxis=axis(table.label(group[0].axis), tickvals=list(range(len(values))),
                        ticktext=labels, range=[-0.3, len(values) - 0.7]),
        yaxis=value_axis(title, changes))}


def _effect_text(effect: Effect, place: int) -> str:
    change = effect.changes[place]
    said = "not known" if change is None else effect.change_text(change)
    what = "pairs of points" if effect.paired else "points"
    return (f"{text(effect.axis)} = {text(shown(effect.values[place]))}<br>"
            f"{text(effect.objective.column)}: {said}<br>{effect.pairs[place]} {what}")


def parallel_figure(table: PointTable, study: StudyFacts) -> dict[str, Any]:
    """Each point as a line across axes and objectives; those of the front in front."""
    names = [*study.axes, *(objective.column for objective in study.objectives)]
    rows = table.good()
    places = {name: _places([table.values[name][row] for row in rows]) for name in names}
    order = dict(zip(rows, range(len(rows)), strict=True))
    data = []
    for name, chosen, style in (
            ("other points", [row for row in rows if table.ranks[row] != 1],
             {"color": FAINT, "width": 0.7}),
            ("Pareto front", [row for row in rows if table.ranks[row] == 1],
             {"color": PALETTE[0], "width": 2})):
        xs: list[int | None] = []
        ys: list[float | None] = []
        for row in chosen:
            xs += [*range(len(names)), None]
            ys += [*(places[one][0][order[row]] for one in names), None]
        data.append({"type": "scatter", "mode": "lines", "name": name, "x": xs, "y": ys,
                     "customdata": [row for row in chosen for _ in range(len(names) + 1)],
                     "line": style, **_HOVER, "opacity": 0.45 if name == "other points" else 0.9})
    last = len(names) - 1
    notes = [{"x": place, "y": height, "text": text(label, 14), "showarrow": False,
              "xanchor": "right" if place == last else "left",
              "xshift": -3 if place == last else 3, "font": {"size": 10},
              "bgcolor": "rgba(255,255,255,0.75)", "borderpad": 1}
             for place, name in enumerate(names) for height, label in places[name][1]]
    return {"data": data, "layout": layout(
        420, annotations=notes, dragmode=False, xaxis=axis(
            "", tickvals=list(range(len(names))), ticktext=[text(name, 22) for name in names],
            range=[-0.1, last + 0.1], fixedrange=True, side="bottom"),
        yaxis={"visible": False, "range": [-0.06, 1.06], "fixedrange": True})}


def _places(values: Sequence[Value]) -> tuple[list[float], list[tuple[float, str]]]:
    """Height of each value between 0 and 1, and labels with their heights.

    Up to ten different values lie evenly, all of them labelled. More numbers lie in proportion,
    or in that of their logarithms where they are far apart; the least and the greatest have labels.
    """
    found = distinct(values)
    if len(found) <= 10 or not all(isinstance(value, int | float) for value in found):
        step = 1 / max(len(found) - 1, 1)
        height = {value: place * step for place, value in enumerate(found)}
        kept = range(len(found)) if len(found) <= 10 else (0, len(found) - 1)
        return ([height[value] for value in values],
                [(place * step, brief(found[place])) for place in kept])
    reals = [float(value) for value in values if isinstance(value, int | float)]
    if scale(reals) == "log":
        reals = [math.log(value) for value in reals]
    low, high = min(reals), max(reals)
    return ([(value - low) / (high - low) for value in reals],
            [(0.0, brief(found[0])), (1.0, brief(found[-1]))])


def _objective_axis(table: PointTable, objective: Objective,
                    values: Sequence[float]) -> dict[str, Any]:
    better = "less" if objective.goal == "min" else "more"
    return value_axis(f"{table.label(objective.column)}, {better} is better", values)
