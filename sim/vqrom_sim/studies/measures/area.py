"""Area of a point's accelerator, from synthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.area import GROUPS, measure_area
from vqrom_sim.flows import random_codebook
from vqrom_sw.codebook import UniversalCodebook, uniform_codebook
from vqrom_sw.io import content_key, source_digest

from ..context import Context, LibraryFiles
from ..definition import Column, Scalar
from ..point import GRIDS, Point
from ..work import Result, Work
from .measure import Measure

SYNTHESIS = "Yosys, logic synthesis without layout"
KEPT = ("library", "groups", "memories", "total", "codebook_storage")
"""What is kept of an area report."""


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
    """

    config: AcceleratorConfig
    codebook: UniversalCodebook
    library: LibraryFiles

    @property
    def key(self) -> str:
        """Sources, configuration, content of the codebook and of the library."""
        return content_key(source_digest(__name__), self.config.model_dump_json(),
                           codebook_sha256(self.codebook.codewords), self.library.sha256)

    @property
    def label(self) -> str:
        """What is synthesised."""
        return f"area of {self.config.rows} x {self.config.columns}"

    def run(self) -> Result:
        """Generate the accelerator, and synthesise each of its modules."""
        self.library.check_unchanged()
        paths = [Path(path) for path in self.library.paths]
        report = measure_area(self.config, self.codebook.codewords, paths)
        return {name: report[name] for name in KEPT}


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
    config, options = point.built
    # No hardware depends on the name and on the DRAM.
    plain = config.model_copy(update={
        "name": "study", "dram_latency": AcceleratorConfig.model_fields["dram_latency"].default})
    return (AreaWork(plain, point_codebook(point, context), context.library(options.library)),)


def area_figures(point: Point, context: Context,
                 results: Sequence[Result]) -> dict[str, Scalar]:
    """Sizes of the whole, and logic of each part."""
    report, = results
    total = report["total"]
    return {
        "nand2": total["nand2"], "area_um2": total["area_um2"],
        "memory_bits": total["memory_bits"],
        "codebook_bits": report["codebook_storage"]["bits"],
        **{f"{group}_nand2": report["groups"][group]["nand2"] for group in GROUPS},
    }


AREA = Measure(
    "area",
    (Column("nand2", "NAND2", "logic of the whole accelerator, in NAND2 equivalents", SYNTHESIS),
     Column("area_um2", "um2", "logic of the whole accelerator, where a cell library is named",
            SYNTHESIS),
     Column("memory_bits", "bits", "bits of memories that are kept whole", SYNTHESIS),
     Column("codebook_bits", "bits", "bits of the codebook", "configuration"),
     *(Column(f"{group}_nand2", "NAND2", f"logic of the group {group}", SYNTHESIS)
       for group in GROUPS)),
    frozenset({"weights", "codebook", "seed", "library", "technology"}),
    area_works, area_figures)
"""Logic by group, and bits of memories."""
