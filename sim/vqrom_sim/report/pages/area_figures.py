"""The accelerator's area as a treemap, memories beside logic, and the codebook in all forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plots import GROUP_TITLES
from .drawing import PALETTE, axis, layout, text


def area_spec(area: Mapping[str, Any]) -> dict[str, Any]:
    """Tiles for the logic and the memories of each component, within that of its group.

    Parameters
    ----------
    area:
        What ``area.json`` holds.
    """
    groups = list(area["groups"])
    whole = text(area["config"]["name"])
    ids, labels, parents = ["whole"], [whole], [""]
    values: list[float] = [0]
    colours, shapes = ["rgba(0,0,0,0)"], [""]
    for number, group in enumerate(groups):
        ids.append(f"group {group}")
        labels.append(text(GROUP_TITLES.get(group, group)))
        parents.append("whole")
        values.append(0)
        colours.append(PALETTE[number % len(PALETTE)])
        shapes.append("")
    for number, row in enumerate(area["components"]):
        for kind in ("logic", "memory"):
            if row[f"{kind}_um2"]:
                ids.append(f"{kind} {number}")
                labels.append(text(_short(row["component"])
                                   + (", memory" if kind == "memory" else "")))
                parents.append(f"group {row['group']}")
                values.append(row[f"{kind}_um2"])
                colours.append(PALETTE[groups.index(row["group"]) % len(PALETTE)])
                shapes.append("/" if kind == "memory" else "")
    return {
        "data": [{
            "type": "treemap", "ids": ids, "labels": labels, "parents": parents, "values": values,
            "branchvalues": "remainder", "marker": {
                "colors": colours, "line": {"width": 1, "color": "rgba(255,255,255,0.7)"},
                "pattern": {"shape": shapes, "size": 7, "solidity": 0.12, "fgcolor": "#ffffff",
                            "fillmode": "overlay"}},
            "textinfo": "label+percent root", "tiling": {"packing": "squarify", "pad": 2},
            "pathbar": {"visible": True, "thickness": 22},
            "hovertemplate": "<b>%{label}</b><br>%{value:,.0f} µm²<br>%{percentRoot:.1%} of the "
                             "whole<extra></extra>"}],
        "layout": layout(480, margin={"l": 4, "r": 4, "t": 4, "b": 4}),
    }


def storage_spec(storage: Mapping[str, Any]) -> dict[str, Any]:
    """The codebook in each form that has an area: cells and macros, all read ports."""
    rows = [row for row in storage["forms"] if row["area_um2"] is not None]
    names = [row["form"].replace("_", " ") for row in rows]
    said = [f"{text(row['what'])}<br>{row['area_um2']:,.0f} µm² ± {row['error']:.0%}<br>"
            f"{row['cycles']:.3g} cycle{'' if row['cycles'] == 1 else 's'} a lookup of all ports"
            for row in rows]
    return {"data": [{
        "type": "bar", "orientation": "h", "y": names, "width": 0.7, "name": label,
        "x": [row[key] for row in rows], "text": said, "textposition": "none",
        "marker": {"color": colour, "pattern": {
            "shape": shape, "size": 7, "solidity": 0.15, "fgcolor": "#ffffff",
            "fillmode": "overlay"}},
        "hovertemplate": f"<b>%{{y}}</b><br>%{{text}}<br>{label}: %{{x:,.0f}} µm²<extra></extra>"}
        for key, label, colour, shape in (("logic_um2", "cells", PALETTE[0], ""),
                                          ("memory_um2", "macros", PALETTE[1], "/"))],
        "layout": layout(110 + 26 * len(rows), barmode="stack",
                         xaxis=axis("µm²", tickformat="~s"),
                         yaxis={"automargin": True, "autorange": "reversed", "ticks": ""})}


def _short(component: str) -> str:
    """A component by the last part of its path; the accelerator's own logic by a name."""
    return component.rpartition("/")[2] or "top"
