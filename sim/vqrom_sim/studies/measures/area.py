"""Area of a point's accelerator, from synthesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.area import FORMS, GROUPS, CellLibrary, choose_library, measure_area
from vqrom_sim.flows import random_codebook
from vqrom_sw.codebook import UniversalCodebook, uniform_codebook
from vqrom_sw.io import content_key, source_digest

from ..context import GENERIC, Context, LibraryFiles
from ..definition import Column, Scalar
from ..point import GRIDS, Point
from ..work import Result, Work
from .measure import Measure

SYNTHESIS = "Yosys, logic synthesis without layout"
MACROS = "macro model of the technology"
BOTH = f"{SYNTHESIS}; {MACROS}"
KEPT = ("library", "components", "groups", "memories", "total", "codebook_storage")
"""What is kept of an area report."""
NO_TECHNOLOGY = "none"
"""Where a point names no technology: that of the cells is taken."""


@dataclass(frozen=True)
class AreaWork(Work):
    """Synthesis of an accelerator.

    Members
    -------
    config:
        The accelerator, without what no hardware depends on.
    codebook:
        Content of the ROM.
    library:
        The cells.
    technology, technology_sha256:
        The technology of the memories, by name or file, None for that of the cells; and its
        constants' digest.
    """

    config: AcceleratorConfig
    codebook: UniversalCodebook
    library: LibraryFiles
    technology: str | None
    technology_sha256: str

    @property
    def key(self) -> str:
        """Sources, configuration, content of the codebook, of the library and of the constants of
        the technology."""
        return content_key(source_digest(__name__), self.config.model_dump_json(),
                           codebook_sha256(self.codebook.codewords), self.library.sha256,
                           self.technology_sha256)

    @property
    def label(self) -> str:
        """What is synthesised."""
        return f"area of {self.config.rows} x {self.config.columns}"

    def run(self) -> Result:
        """Generate the accelerator, and synthesise each of its modules."""
        self.library.check_unchanged()
        cells = choose_library(self.library.paths or (GENERIC,), self.technology)
        if _digest(cells) != self.technology_sha256:
            raise VqromError(f"technology {cells.technology.name!r} must be the same as when the "
                             "study began")
        report = measure_area(self.config, self.codebook.codewords, cells)
        return {name: report[name] for name in KEPT}


def _digest(cells: CellLibrary) -> str:
    """Of all constants of a technology."""
    return content_key(cells.technology.model_dump_json())


@cache
def _cells(library: LibraryFiles, technology: str | None) -> CellLibrary:
    """A library with its technology, read once for all points."""
    return choose_library(library.paths or (GENERIC,), technology)


def point_codebook(point: Point, context: Context) -> UniversalCodebook:
    """Content of the ROM of a point's accelerator.

    Raises
    ------
    VqromError
        If it is a file that cannot be read.
    """
    config, options = point.built
    if options.weights in GRIDS:
        return uniform_codebook(8 // GRIDS[options.weights])
    if options.codebook == "random":
        return random_codebook(config.codewords, config.subvector, options.seed)
    return context.codebook(options.codebook)


def area_works(point: Point, context: Context) -> tuple[AreaWork, ...]:
    """The synthesis of the point's accelerator."""
    config, _ = point.built
    # No hardware depends on the name and on the DRAM.
    plain = config.model_copy(update={
        "name": "study", "dram_latency": AcceleratorConfig.model_fields["dram_latency"].default})
    library, technology = _chosen(point, context)
    return (AreaWork(plain, point_codebook(point, context), library, technology,
                     _digest(_cells(library, technology))),)


def cells_of(point: Point, context: Context) -> CellLibrary:
    """The cells that a point is mapped to, and the technology of its memories."""
    return _cells(*_chosen(point, context))


def _chosen(point: Point, context: Context) -> tuple[LibraryFiles, str | None]:
    """The files of the cells, and the technology by name or file, None for that of the cells."""
    _, options = point.built
    technology = None if options.technology == NO_TECHNOLOGY \
        else context.technology(options.technology)
    return context.library(options.library), technology


def area_figures(point: Point, context: Context,
                 results: Sequence[Result]) -> dict[str, Scalar]:
    """Sizes of the whole, and logic of each part."""
    report, = results
    total = report["total"]
    forms = {form["form"]: form for form in report["codebook_storage"]["forms"]}
    return {
        **{name: total[name] for name in ("nand2", "area_um2", "logic_um2", "memory_um2",
                                          "memory_bits")},
        "codebook_bits": report["codebook_storage"]["bits"],
        "codebook_um2": stored_area(report["codebook_storage"]),
        "codebook_recommended": report["codebook_storage"]["recommended"],
        **{f"form_{name}_um2": forms[name]["area_um2"] for name in FORMS},
        "form_rom_banked_cycles": forms["rom_banked"]["cycles"],
        **{f"{group}_nand2": report["groups"][group]["nand2"] for group in GROUPS},
    }


def stored_area(storage: Mapping[str, Any]) -> float | None:
    """Area of the codebook in the form in which the accelerator holds it."""
    return next(form["area_um2"] for form in storage["forms"]
                if form["form"] == storage["stored"])


AREA = Measure(
    "area",
    (Column("nand2", "NAND2", "logic of the whole accelerator, in NAND2 equivalents", SYNTHESIS),
     Column("area_um2", "um2", "logic and memories of the whole accelerator", BOTH),
     Column("logic_um2", "um2", "logic of the whole accelerator", SYNTHESIS),
     Column("memory_um2", "um2", "memories that are kept whole, as macros", MACROS),
     Column("memory_bits", "bits", "bits of memories that are kept whole", SYNTHESIS),
     Column("codebook_bits", "bits", "bits of the codebook", "configuration"),
     Column("codebook_um2", "um2", "the codebook with all its ports, as the accelerator holds it",
            BOTH),
     Column("codebook_recommended", "", "the smallest form of the codebook that serves all ports "
            "in every cycle", BOTH),
     *(Column(f"form_{name}_um2", "um2", f"the codebook as {what}", BOTH)
       for name, what in FORMS.items()),
     Column("form_rom_banked_cycles", "cycles", "what the banked form takes for words that all "
            "ports ask for at once, on average", "exact mean over equally likely indices"),
     *(Column(f"{group}_nand2", "NAND2", f"logic of the group {group}", SYNTHESIS)
       for group in GROUPS)),
    frozenset({"weights", "codebook", "seed", "library", "technology"}),
    area_works, area_figures)
"""Logic by group, and bits of memories."""
