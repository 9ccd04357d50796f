"""The memory model against macros that others made."""

from __future__ import annotations

import pytest

from vqrom_sim.technology import (
    CheckedFigure,
    check_published,
    load_technology,
    summarise,
    technology_names,
)

EACH, MEAN = 0.20, 0.10
"""Errors of area that are allowed: of each macro, and on average."""


@pytest.fixture(scope="module")
def figures() -> list[CheckedFigure]:
    """Every published figure of every technology."""
    return check_published(*map(load_technology, technology_names()))


def test_areas_are_close_to_published_ones(figures: list[CheckedFigure]) -> None:
    for one in figures:
        if one.counts:
            print(f"{one.technology:10}{one.macro:42}{one.published:12,.0f} um2 "
                  f"{one.estimated:12,.0f} um2 {one.error:+7.1%}  {one.role}")
    everything, kept = summarise(figures), summarise(figures, "validation")
    assert everything and everything.macros >= 60
    assert everything.worst <= EACH and everything.mean <= MEAN
    # Those that no constant was fitted to.
    assert kept and kept.macros >= 40
    assert kept.worst <= EACH and kept.mean <= MEAN


@pytest.mark.parametrize(("technology", "macro", "area_um2"), [
    ("130nm", "OpenRAM ROM of 34048 bits", 61_710),
    ("130nm", "OpenRAM ROM of 16384 bits", 37_712),
    ("130nm", "sky130_sram_2kbyte_1rw_32x512_8", 483.86 * 326.1),
    ("28nm", "28 nm 5.92 Mb/mm2, 512 Kb", 512 / 1024 / 5.92 * 1e6),
    ("7nm", "TSMC 7 nm 29.2 Mb/mm2, 2048x128", 256 / 1024 / 29.2 * 1e6),
    ("7nm", "Intel 10 nm 23.6 Mb/mm2, 1 Mb", 1 / 23.6 * 1e6),
    ("7nm", "srambank_256x4x64_6t122", 30.348 * 77.76),
    ("130nm-ihp", "RM_IHPSG13_1P_1024x64", 784.48 * 336.46)])
def test_named_macros(figures: list[CheckedFigure], technology: str, macro: str,
                      area_um2: float) -> None:
    """The figures are those that were published, and each of them counts."""
    [found] = [one for one in figures if one.technology == technology and one.macro == macro
               and one.figure == "area_um2"]
    assert found.counts and found.published == pytest.approx(area_um2, rel=1e-5)
    assert abs(found.error) <= EACH


def test_stated_errors_hold(figures: list[CheckedFigure]) -> None:
    """Each macro's area lies within the error that its technology states, each characterised
    energy, time and leakage within the factor."""
    for one in figures:
        if one.role == "other" or one.basis == "model":
            continue
        technology = load_technology(one.technology)
        group = getattr(technology, one.shape.split()[0])
        if one.figure == "area_um2":
            assert abs(one.error) <= group.area_error, one
        else:
            factor = group.leakage_factor if one.figure == "leakage_uw" else group.energy_factor
            assert 1 / factor <= one.estimated / one.published <= factor, one


def test_calibration_is_not_all(figures: list[CheckedFigure]) -> None:
    """Each technology with areas that count has some that nothing was fitted to."""
    for name in technology_names():
        own = [one for one in figures if one.technology == name and one.counts]
        assert not own or any(one.role == "validation" for one in own), name


def test_another_models_figures_do_not_count(figures: list[CheckedFigure]) -> None:
    """CACTI's areas, and those of other generators, are listed and not counted."""
    other = [one for one in figures if one.figure == "area_um2" and not one.counts]
    assert {one.basis for one in other} == {"layout", "model"}
    assert all(one.basis == "model" or one.role == "other" for one in other)
    assert summarise(other) is None
