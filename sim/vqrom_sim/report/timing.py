"""What static timing gives back: how fast each component is, and the slowest paths by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape

from .files import staged, write_json
from .frames import html_table, to_frame
from .tables import plain_table

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]

TIMING_FILE = "timing.json"


@dataclass(frozen=True)
class TimingRow:
    """The slowest path that ends in a component.

    Members
    -------
    component, group:
        Path from the top (``compute_unit/sequencer``), and the part that it counts for.
    period_ns, fmax_mhz:
        How long the path takes, set-up time included, and the clock that it allows.
    start, end:
        ``component: register`` where it starts and ends.
    cells:
        Cells on the path.
    ends:
        Registers and ports of the component, all instances, that paths end in.
    """

    component: str
    group: str
    period_ns: float
    fmax_mhz: float
    start: str
    end: str
    cells: int
    ends: int


@dataclass(frozen=True, eq=False)
class TimingReport:
    """Static timing of an accelerator, without layout.

    Members
    -------
    report:
        What ``timing.json`` holds (``docs/sim/timing.md``).
    """

    report: dict[str, Any]

    @property
    def fmax_mhz(self) -> float:
        """The fastest clock with the nominal wires."""
        return self.report["fmax_mhz"]

    @property
    def slack_ns(self) -> float | None:
        """What is left of the period that was asked for; negative if it is too short."""
        asked = self.report["asked"]
        return None if asked is None else asked["slack_ns"]

    @cached_property
    def components(self) -> list[TimingRow]:
        """One row for each component, slowest first."""
        return [TimingRow(**row | {"start": _name(row["start"]), "end": _name(row["end"])})
                for row in self.report["components"]]

    def to_pandas(self) -> DataFrame:
        """The components as a table.

        Raises
        ------
        VqromError
            If pandas is not installed.
        """
        return to_frame(self.components)

    def save(self, directory: str | Path) -> list[str]:
        """Write ``timing.json``; the names of the files.

        Raises
        ------
        VqromError
            If the directory cannot be written.
        """
        with staged(Path(directory)) as folder:
            write_json(folder / TIMING_FILE, self.report)
        return [TIMING_FILE]

    def _repr_html_(self) -> str:
        return html_table(
            f"Timing of {self.report['config']['name']}: {self.fmax_mhz:,.1f} MHz",
            ("component", "MHz", "from", "to", "cells"),
            [(row.component, row.fmax_mhz, row.start, row.end, row.cells)
             for row in self.components])


def timing_table(report: Mapping[str, Any], most: int = 15) -> RenderableType:
    """Fastest clock by the wires assumed, and the slowest components with their paths."""
    library = report["library"]
    corner = library["corner"]
    wires = plain_table(
        "wires", "fF for each sink", "ns", "MHz", "from", "to",
        title=f"Timing of {escape(report['config']['name'])}",
        caption=f"cells: {escape(library['name'])}, {corner['voltage_v']:g} V, "
                f"{corner['temperature_c']:g} °C; memories: {report['technology']['name']}; "
                f"{escape(library['estimator'])}")
    for row in report["wires"]:
        slowest = row["slowest"]
        wires.add_row(row["name"], f"{row['ff_per_sink']:.2f}", f"{row['period_ns']:.3f}",
                      f"{row['fmax_mhz']:,.1f}", escape(_name(slowest["start"])),
                      escape(_name(slowest["end"])),
                      style="bold" if row["name"] == "nominal" else None)
    parts = plain_table("slowest into", "ns", "MHz", "cells", "from", "to")
    for row in report["components"][:most]:
        parts.add_row(escape(row["component"]), f"{row['period_ns']:.3f}",
                      f"{row['fmax_mhz']:,.1f}", str(row["cells"]), escape(_name(row["start"])),
                      escape(row["end"]["register"]))
    return Group(wires, parts)


def _name(place: Mapping[str, str]) -> str:
    """``component: register``."""
    return f"{place['component']}: {place['register']}"
