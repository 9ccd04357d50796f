"""The page of an energy account: where the energy of a run goes, and what each figure rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..plots import GROUP_TITLES
from .drawing import FAINT, PALETTE, axis, hatched, layout, text
from .headline import count, percent
from .provenance import identities
from .shell import figure, write_page
from .study_data import brief

KINDS = {"dynamic_pj": "data and accesses", "clock_pj": "clock", "leakage_pj": "leakage"}
"""Kinds of energy as pages call them."""


def energy_page(path: Path, energy: Mapping[str, Any]) -> None:
    """Write the page of an energy account.

    Parameters
    ----------
    path:
        Where the HTML goes.
    energy:
        What ``energy.json`` holds.

    Raises
    ------
    VqromError
        If the file cannot be written.
    """
    costs = [row["pj_per_bit"] for row in energy["dram"]]
    write_page(
        path, "energy.html.j2", [], energy=energy, config=energy["config"], kinds=KINDS,
        title=f"Energy of {energy['network']} on {energy['config']['name']}",
        groups_plot=figure("groups", "Energy of each part of the accelerator",
                           groups_spec(energy)),
        layers_plot=figure("layers", "Energy of each layer", layers_spec(energy))
        if energy["layers"] else None,
        dram_plot=figure("dram", "Energy with DRAM", dram_spec(energy)) if costs else None,
        titles=GROUP_TITLES, count=count, percent=percent, brief=brief,
        flat=flat, joules=joules,
        identities=identities(energy["config"], None))


def groups_spec(energy: Mapping[str, Any]) -> dict[str, Any]:
    """Energy of one image by group of components and kind."""
    images = energy["images"]
    groups = _by_size(energy)
    names = [text(GROUP_TITLES.get(name, name)) for name, _ in groups]
    data = [{
        "type": "bar", "orientation": "h", "name": label, "y": names, "width": 0.72,
        "x": [parts[kind] / images * 1e-12 for _, parts in groups],
        "marker": hatched(number),
        "hovertemplate": f"<b>%{{y}}</b><br>{label}: %{{x:.4s}}J<extra></extra>"}
        for number, (kind, label) in enumerate(KINDS.items())]
    return {"data": data, "layout": layout(
        110 + 26 * len(names), barmode="stack",
        xaxis=axis("energy of one image, J", tickformat="~s"),
        yaxis={"automargin": True, "autorange": "reversed", "ticks": ""})}


def _by_size(energy: Mapping[str, Any]) -> list[tuple[str, Mapping[str, float]]]:
    """Groups of components and their energies, those that take most first."""
    return sorted(energy["groups"].items(), key=lambda item: -item[1]["total_pj"])


def layers_spec(energy: Mapping[str, Any]) -> dict[str, Any]:
    """Energy of one image by layer and group, in the order in which layers run."""
    images, layers = energy["images"], energy["layers"]
    names = [f"{number} {text(row['name'])}" for number, row in enumerate(layers, start=1)]
    data = [{
        "type": "bar", "orientation": "h", "name": GROUP_TITLES[group], "y": names, "width": 0.8,
        "x": [row["groups"][group] / images * 1e-12 for row in layers],
        "marker": hatched(number),
        "hovertemplate": f"<b>%{{y}}</b><br>{GROUP_TITLES[group]}: %{{x:.4s}}J<extra></extra>"}
        for number, (group, _) in enumerate(_by_size(energy))]
    return {"data": data, "layout": layout(
        140 + 20 * len(names), barmode="stack",
        xaxis=axis("energy of one image, J", tickformat="~s"),
        yaxis={"automargin": True, "autorange": "reversed", "ticks": ""})}


def dram_spec(energy: Mapping[str, Any]) -> dict[str, Any]:
    """Energy of one image, of the chip and of DRAM, for each energy of a bit in DRAM."""
    images = energy["images"]
    names = [f"{row['pj_per_bit']:g} pJ a bit" for row in energy["dram"]]
    parts = (("chip", [energy["total"]["total_pj"] / images * 1e-12] * len(names), PALETTE[0]),
             ("DRAM", [row["energy_pj"] / images * 1e-12 for row in energy["dram"]], FAINT))
    return {"data": [{
        "type": "bar", "orientation": "h", "name": name, "y": names, "x": values, "width": 0.7,
        "marker": {"color": colour},
        "hovertemplate": f"DRAM at %{{y}}<br>{name}: %{{x:.4s}}J<extra></extra>"}
        for name, values, colour in parts], "layout": layout(
        100 + 26 * len(names), barmode="stack",
        xaxis=axis("energy of one image, J", tickformat="~s"),
        yaxis={"automargin": True, "autorange": "reversed", "ticks": ""})}


def joules(picojoules: float) -> str:
    """An energy with four digits and its unit: ``76.81 µJ``."""
    units = ("fJ", "pJ", "nJ", "µJ", "mJ", "J")
    value, place = picojoules * 1e3, 0
    while abs(value) >= 999.95 and place < len(units) - 1:
        value, place = value / 1e3, place + 1
    return f"{value:.4g}\u202f{units[place]}"


def flat(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """What a mapping holds, nested names joined by dots, for a table of facts."""
    if not isinstance(value, Mapping):
        return [(prefix, value)]
    return [fact for name, inner in value.items()
            for fact in flat(inner, f"{prefix}.{name}" if prefix else str(name))]
