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
    nand2, logic_um2:
        The cells in NAND2 equivalents and in um2.
    memory_bits, memory_um2:
        Memories that synthesis kept whole: their bits, and um2 by the macro model.
    area_um2:
        Cells and memories together.
    """

    component: str
    group: str
    modules: tuple[str, ...]
    instances: int
    cells: int
    flip_flops: int
    nand2: float
    logic_um2: float
    memory_bits: int
    memory_um2: float
    area_um2: float


@dataclass(frozen=True)
class CodebookForm:
    """One form of the codebook, same bits and lookup ports as the accelerator's.

    Members
    -------
    form, what:
        Its name, and what it is.
    method:
        How its area is known: by synthesis, by the macro model or both; None without an area.
    logic_um2, memory_um2, area_um2:
        Cells, macros, and both together; None where the form is not measured.
    low_um2, high_um2:
        Range in which the area is expected.
    error:
        Half of that range, relative.
    cycles:
        Mean cycles of a lookup of all ports: 1, or more where banks are shared.
    macros:
        Macros that it is made of.
    access_ns:
        Access time of a macro; None without one.
    reason:
        Why it has no area, or None.
    """

    form: str
    what: str
    method: str | None
    logic_um2: float | None
    memory_um2: float | None
    area_um2: float | None
    low_um2: float | None
    high_um2: float | None
    error: float | None
    cycles: float | None
    macros: int | None
    access_ns: float | None
    reason: str | None


@dataclass(frozen=True, eq=False)
class AreaReport:
    """The area of an accelerator: logic synthesis without layout, and a model of memory macros.

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
    def area_um2(self) -> float:
        """The whole accelerator in um2, logic and memories."""
        return self.report["total"]["area_um2"]

    @property
    def codebook_forms(self) -> list[CodebookForm]:
        """The codebook in every form that could hold it."""
        return [CodebookForm(**row) for row in self.report["codebook_storage"]["forms"]]

    @property
    def recommended_form(self) -> str:
        """Name of the smallest form with a codeword for each port in each cycle."""
        return self.report["codebook_storage"]["recommended"]

    def to_pandas(self) -> DataFrame:
        """The components as a table.

        Raises
        ------
        VqromError
            If pandas is not installed.
        """
        return to_frame(self.components)

    def plot(self) -> Figure:
        """um2 of each part of the accelerator, logic and memories, largest first."""
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
                 sizes["nand2"], sizes["logic_um2"], sizes["memory_um2"])
                for name, sizes in (*self.report["groups"].items(),
                                    ("total", self.report["total"]))]
        return html_table(f"Area of {self.report['config']['name']}",
                          ("part", "cells", "flip-flops", "NAND2 equivalents", "logic µm²",
                           "memory µm²"),
                          rows)
