"""The check: published macros beside what the model says of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

from .constants import ArrayConstants, PublishedMacro
from .shapes import MacroEstimate
from .technology import Technology


@dataclass(frozen=True)
class CheckedFigure:
    """One figure of a published macro.

    Members
    -------
    technology, macro, shape:
        Of what.
    figure:
        Member of the estimate: ``area_um2``, ``access_ns``, ``read_pj``, ``write_pj``,
        ``leakage_uw``.
    published, estimated:
        Both values.
    basis, role, source:
        As in :class:`~.constants.PublishedMacro`; the source in full.
    """

    technology: str
    macro: str
    shape: str
    figure: str
    published: float
    estimated: float
    basis: str
    role: str
    source: str

    @property
    def error(self) -> float:
        """Relative error of the estimate."""
        return self.estimated / self.published - 1

    @property
    def counts(self) -> bool:
        """Whether it is an area that a macro of this technology's kind has been given."""
        return (self.figure == "area_um2" and self.basis in ("silicon", "layout")
                and self.role != "other")


@dataclass(frozen=True)
class CheckSummary:
    """Errors of several areas together, as absolute values.

    Members
    -------
    macros:
        Number of areas.
    mean, worst:
        Mean and largest relative error.
    """

    macros: int
    mean: float
    worst: float


def check_published(*technologies: Technology) -> list[CheckedFigure]:
    """Every figure of every macro that the technologies' files name, in their order."""
    return [CheckedFigure(technology.name, macro.name, macro.shape.text, figure, value,
                          getattr(estimate, figure), macro.basis, macro.role,
                          technology.sources[macro.source].text)
            for technology in technologies for macro in technology.published
            for estimate in [_estimate(technology, macro)]
            for figure, value in macro.figures.items()]


def summarise(figures: list[CheckedFigure], role: str | None = None) -> CheckSummary | None:
    """Errors of the areas that count, of all roles or one; None if there are none."""
    errors = [abs(one.error) for one in figures if one.counts and role in (None, one.role)]
    return CheckSummary(len(errors), fmean(errors), max(errors)) if errors else None


def _estimate(technology: Technology, macro: PublishedMacro) -> MacroEstimate:
    if macro.cell_um2 is not None:
        technology = _with_cell(technology, macro.kind, macro.cell_um2)
    return technology.estimate(macro.shape)


def _with_cell(technology: Technology, kind: str, cell_um2: float) -> Technology:
    """The technology with another bit cell of the same proportions, the circuits around it
    growing with the cell."""
    constants: ArrayConstants = getattr(technology, kind)
    scale = math.sqrt(cell_um2 / (constants.cell_width_um.value * constants.cell_height_um.value))
    names = ("cell_width_um", "cell_height_um", "row_um", "column_um", "data_um")
    scaled = {name: getattr(constants, name).model_copy(
        update={"value": getattr(constants, name).value * scale}) for name in names}
    return technology.model_copy(update={kind: constants.model_copy(update=scaled)})
