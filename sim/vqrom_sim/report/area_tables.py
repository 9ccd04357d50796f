"""Area reports as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .plots import GROUP_TITLES
from .tables import plain_table


def area_table(area: Mapping[str, Any]) -> RenderableType:
    """Area by group of components, the codebook in all its forms, and what flat synthesis says."""
    parts: list[RenderableType] = [_groups(area), _forms(area["codebook_storage"])]
    if area["flat"]:
        parts.append(_flat(area))
    return Group(*parts)


def um2_text(value: float | None) -> str:
    """An area in um2, with a digit after the point where it is small; a dash for None."""
    return "–" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _groups(area: Mapping[str, Any]) -> Table:
    library, technology, total = area["library"], area["technology"], area["total"]
    logic = "logic µm², estimated" if library["um2"] == "estimated" else "logic µm²"
    table = plain_table(
        "part", "cells", "NAND2 eq.", logic, "memory µm²", "% of area",
        title=f"Area of {escape(area['config']['name'])}",
        caption=f"cells: {escape(library['name'])} ({escape(library['source'])}); "
                f"{escape(library['estimator'])}; memories: {escape(technology['name'])}, "
                f"± {technology['memory_error']:.0%}")
    for name, sizes in (*area["groups"].items(), ("total", total)):
        if name == "total":
            table.add_section()
        table.add_row(
            GROUP_TITLES.get(name, name), f"{sizes['cells']:,}", f"{sizes['nand2']:,.0f}",
            um2_text(sizes["logic_um2"]),
            um2_text(sizes["memory_um2"]) if sizes["memory_bits"] else "",
            f"{100 * sizes['area_um2'] / max(total['area_um2'], 1e-9):.1f}",
            style="bold" if name == "total" else None)
    return table


def _forms(storage: Mapping[str, Any]) -> Table:
    ports = storage["read_ports"]
    table = plain_table(
        "form", "µm²", "±", "cycles", "by", left=1,
        title=f"The codebook, {storage['bits']:,} bits with {ports} read "
              f"port{'' if ports == 1 else 's'}, in all its forms",
        caption=f"smallest with a codeword for each port in each cycle: {storage['recommended']}"
                + ("" if storage["clear"] else ", though errors overlap")
                + f"; this accelerator has {storage['stored']}")
    for row in storage["forms"]:
        best = row["form"] == storage["recommended"]
        label = f"{row['form']}: {row['what']}"
        if row["area_um2"] is None:
            table.add_row(label, "–", "", "", row["reason"], style="dim")
        else:
            table.add_row(label, um2_text(row["area_um2"]), f"{row['error']:.0%}",
                          f"{row['cycles']:.3g}", row["method"], style="bold" if best else None)
    return table


def _flat(area: Mapping[str, Any]) -> Text:
    flat = area["flat"]
    return Text(f"synthesised in one piece: {flat['nand2']:,.0f} NAND2 equivalents, so the sum of "
                f"the modules is {flat['error']:+.2%} off")
