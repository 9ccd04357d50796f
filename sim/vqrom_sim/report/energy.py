"""What an energy account gives back: picojoules of every component and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape

from . import plots
from .files import staged, write_json
from .frames import html_table, to_frame
from .pages import energy_page
from .tables import plain_table

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]

ENERGY_FILE, CHARACTERISATION_FILE = "energy.json", "characterisation.json"
PAGE_FILE = "report.html"
_COLUMNS = ("dynamic_pj", "clock_pj", "leakage_pj", "total_pj")


@dataclass(frozen=True)
class EnergyRow:
    """Energy of a component's logic, or of its memories, over a whole run.

    Members
    -------
    component, group:
        Path from the top, and the part that it counts for.
    what:
        The event that logic is counted by, or the macro that memories are made of.
    dynamic_pj, clock_pj, leakage_pj:
        Of data and accesses, of the clock, and of leakage.
    estimator:
        Where the figures come from.
    """

    component: str
    group: str
    what: str
    dynamic_pj: float
    clock_pj: float
    leakage_pj: float
    estimator: str


@dataclass(frozen=True, eq=False)
class EnergyReport:
    """Energy of a run.

    Members
    -------
    report:
        What ``energy.json`` holds (``docs/sim/energy.md``).
    characterisation:
        What ``characterisation.json`` holds: energies of the accelerator's logic, which serve other
        runs, too.
    """

    report: dict[str, Any]
    characterisation: dict[str, Any]

    @cached_property
    def rows(self) -> list[EnergyRow]:
        """One row for each component, then one for each kind of memory."""
        parts = [(row, row["event"]) for row in self.report["components"]]
        parts += [(row, row["macro"]) for row in self.report["memories"]]
        return [EnergyRow(row["component"], row["group"], what, row["dynamic_pj"],
                          row["clock_pj"], row["leakage_pj"], row["estimator"])
                for row, what in parts]

    @property
    def chip_pj_per_image(self) -> float:
        """Energy of one input without DRAM."""
        return self.report["chip_pj_per_image"]

    def to_pandas(self) -> DataFrame:
        """Components and memories as a table.

        Raises
        ------
        VqromError
            If pandas is not installed.
        """
        return to_frame(self.rows)

    def save(self, directory: str | Path) -> list[str]:
        """Write ``energy.json``, its page and ``characterisation.json``; the names of the files.

        Raises
        ------
        VqromError
            If the directory cannot be written.
        """
        with staged(Path(directory)) as folder:
            write_json(folder / ENERGY_FILE, self.report)
            write_json(folder / CHARACTERISATION_FILE, self.characterisation)
            energy_page(folder / PAGE_FILE, self.report)
        return [ENERGY_FILE, CHARACTERISATION_FILE, PAGE_FILE]

    def _repr_html_(self) -> str:
        rows = [(title, *(sizes[key] / self.report["images"] / 1e3 for key in _COLUMNS))
                for title, sizes in _titled(self.report)]
        return html_table(f"Energy of {self.report['network']} on {self.report['config']['name']}",
                          ("part", "dynamic nJ", "clock nJ", "leakage nJ", "all nJ"), rows)


def energy_table(report: Mapping[str, Any]) -> RenderableType:
    """Energy of one input by group of components, and with DRAM."""
    images, total = report["images"], report["total"]["total_pj"]
    table = plain_table(
        "nJ per input", "dynamic", "clock", "leakage", "all", "%",
        title=f"Energy of {escape(report['network'])} on {escape(report['config']['name'])}",
        caption=f"logic: {escape(report['library']['name'])}, {report['library']['supply_v']} V; "
                f"memories: {escape(report['technology']['name'])}; "
                f"{report['frequency_mhz']:g} MHz")
    for title, sizes in _titled(report):
        if title == "total":
            table.add_section()
        table.add_row(title, *(f"{sizes[key] / images / 1e3:,.1f}" for key in _COLUMNS),
                      f"{100 * sizes['total_pj'] / total:.1f}" if total else "",
                      style="bold" if title == "total" else None)
    dram = plain_table("DRAM, pJ per bit", "nJ per input", "with the chip")
    for row in report["dram"]:
        dram.add_row(f"{row['pj_per_bit']:g}", f"{row['energy_pj'] / images / 1e3:,.1f}",
                     f"{row['with_chip_pj'] / images / 1e3:,.1f}")
    return Group(table, dram)


def _titled(report: Mapping[str, Any]) -> list[tuple[str, Mapping[str, float]]]:
    return [*((plots.GROUP_TITLES[name], sizes) for name, sizes in report["groups"].items()),
            ("total", report["total"])]
