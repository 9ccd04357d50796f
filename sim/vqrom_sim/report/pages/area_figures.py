"""The accelerator's area as a treemap: groups, and the components in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plots import GROUP_TITLES, quantity
from .drawing import PALETTE, axis, layout, text


def area_spec(area: Mapping[str, Any]) -> dict[str, Any]:
    """A tile for each component within that of its group, as large as its area.

    Parameters
    ----------
    area:
        What ``area.json`` holds. Tiles are square micrometres where it has them for all components,
        else NAND2 equivalents of logic.
    """
    measured = area["total"]["area_um2"] is not None
    key, unit = ("area_um2", "µm²") if measured else ("nand2", "NAND2 equivalents")
    groups = list(area["groups"])
    whole = text(area["config"]["name"])
    ids, labels, parents = ["whole"], [whole], [""]
    values: list[float] = [0]
    colours = ["rgba(0,0,0,0)"]
    for number, group in enumerate(groups):
        ids.append(f"group {group}")
        labels.append(text(GROUP_TITLES.get(group, group)))
        parents.append("whole")
        values.append(0)
        colours.append(PALETTE[number % len(PALETTE)])
    for number, row in enumerate(area["components"]):
        if row[key]:
            ids.append(f"component {number}")
            labels.append(text(_short(row["component"])))
            parents.append(f"group {row['group']}")
            values.append(row[key])
            colours.append(PALETTE[groups.index(row["group"]) % len(PALETTE)])
    return {
        "data": [{
            "type": "treemap", "ids": ids, "labels": labels, "parents": parents, "values": values,
            "branchvalues": "remainder", "marker": {"colors": colours, "line": {
                "width": 1, "color": "rgba(255,255,255,0.7)"}},
            "textinfo": "label+percent root", "tiling": {"packing": "squarify", "pad": 2},
            "pathbar": {"visible": True, "thickness": 22},
            "hovertemplate": f"<b>%{{label}}</b><br>%{{value:.4s}} {unit}<br>%{{percentRoot:.1%}} "
                             "of the whole<extra></extra>"}],
        "layout": layout(480, margin={"l": 4, "r": 4, "t": 4, "b": 4}),
    }


def storage_spec(storage: Mapping[str, Any]) -> dict[str, Any]:
    """The codebook as ROM and as registers, both with all read ports, in NAND2 equivalents."""
    names, colours = ("ROM", "registers"), (PALETTE[5], PALETTE[6])
    values = [storage["rom"]["nand2"], storage["registers"]["nand2"]]
    return {
        "data": [{"type": "bar", "orientation": "h", "y": list(names), "x": values, "width": 0.7,
                  "marker": {"color": list(colours)}, "text": [quantity(value).strip()
                                                               for value in values],
                  "textposition": "outside", "cliponaxis": False,
                  "hovertemplate": "%{y}: %{x:,.0f} NAND2 equivalents<extra></extra>"}],
        "layout": layout(150, xaxis=axis("NAND2 equivalents", tickformat="~s"), yaxis={
            "automargin": True, "autorange": "reversed", "ticks": ""},
            margin={"l": 8, "r": 60, "t": 12, "b": 8})}


def _short(component: str) -> str:
    """A component by the last part of its path; the accelerator's own logic by a name."""
    return component.rpartition("/")[2] or "top"
