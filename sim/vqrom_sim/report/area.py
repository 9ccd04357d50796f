"""What an area estimate gives back: the size of every component, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from . import plots
from .files import staged, write_json
from .frames import html_table, to_frame
from .pages import area_page

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]

AREA_FILE, PAGE_FILE = "area.json", "report.html"


@dataclass(frozen=True)
class ComponentRow:
    """One component of the accelerator, all its instances, without what is inside submodules.

    Members
    -------
    component, group:
        Path from the top (``weight_loader/codebook_rom``), and the part that it counts for.
    modules, instances:
        Verilog modules that it is made of, and how many instances there are.
    cells, flip_flops:
        Library cells, and those of them that hold a bit.
    nand2, area_um2:
        NAND2 equivalents, and square micrometres where the cell library gives them, else None.
    memory_bits:
        Bits of memories that synthesis kept whole, which are in none of the other figures.
    """

    component: str
    group: str
    modules: tuple[str, ...]
    instances: int
    cells: int
    flip_flops: int
    nand2: float
    memory_bits: int
    area_um2: float | None


@dataclass(frozen=True, eq=False)
class AreaReport:
    """The area of an accelerator, from logic synthesis without layout.

    Members
    -------
    report:
        What ``area.json`` holds (``docs/sim/area.md``).
    design:
        Contents of the generated files that were synthesised, by name.
    """

    report: dict[str, Any]
    design: Mapping[str, bytes]

    @cached_property
    def components(self) -> list[ComponentRow]:
        """One row for each component."""
        return [ComponentRow(**row | {"modules": tuple(row["modules"])})
                for row in self.report["components"]]

    @property
    def nand2(self) -> float:
        """The whole accelerator's logic in NAND2 equivalents."""
        return self.report["total"]["nand2"]

    @property
    def area_um2(self) -> float | None:
        """The same in square micrometres; None with the generic cell library."""
        return self.report["total"]["area_um2"]

    def to_pandas(self) -> DataFrame:
        """The components as a table.

        Raises
        ------
        VqromError
            If pandas is not installed.
        """
        return to_frame(self.components)

    def plot(self) -> Figure:
        """NAND2 equivalents of each part of the accelerator, largest first."""
        return plots.on_white(plots.area_figure(self.report))

    def save(self, directory: str | Path) -> list[str]:
        """Write ``area.json``, its page and the Verilog that it is of; the names of the files.

        Raises
        ------
        VqromError
            If the directory cannot be written.
        """
        with staged(Path(directory)) as folder:
            for name, content in self.design.items():
                (folder / name).write_bytes(content)
            write_json(folder / AREA_FILE, self.report)
            area_page(folder / PAGE_FILE, self.report)
        return [AREA_FILE, PAGE_FILE, *self.design]

    def _repr_html_(self) -> str:
        rows = [(plots.GROUP_TITLES.get(name, name), sizes["cells"], sizes["flip_flops"],
                 sizes["nand2"], sizes["memory_bits"])
                for name, sizes in (*self.report["groups"].items(),
                                    ("total", self.report["total"]))]
        return html_table(f"Area of {self.report['config']['name']}",
                          ("part", "cells", "flip-flops", "NAND2 equivalents", "memory bits"),
                          rows)
