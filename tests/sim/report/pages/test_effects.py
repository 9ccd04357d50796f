"""What an axis does, from points that differ in it alone."""

from __future__ import annotations

import math

import pytest

from tests.sim.report.pages.study_tables import factorial
from vqrom_sim.report import Objective, PointTable, StudyColumn, StudyFacts
from vqrom_sim.report.pages.effects import effects
from vqrom_sim.report.pages.study_figures import front


def of(axes: dict[str, list], objective: list, goal: str = "min") -> list:
    """Effects of some axes on one objective ``y``."""
    values = axes | {"y": objective}
    table = PointTable(tuple(StudyColumn(name, "", "", "") for name in values), values,
                       [None] * len(objective), [None] * len(objective))
    study = StudyFacts("s", "", tuple(axes), (Objective("y", goal),))  # type: ignore[arg-type]
    return [group[0] for group in effects(table, study)]


def test_a_factorial_study_is_compared_pair_by_pair() -> None:
    (cycles, area), (_, storage), (_, ports) = effects(*factorial())
    assert cycles.paired and cycles.factors and cycles.values == (8, 16) and cycles.pairs == (4, 3)
    assert cycles.changes == pytest.approx((1, 0.5))
    assert cycles.summary == "×0.5 at 16 … ×1 at 8"
    # Areas are 9, 12, 17, 20 with 8 rows and 17, 20, 33 with 16; the failed point is in no pair.
    assert area.changes[1] == pytest.approx(math.prod((17 / 9, 20 / 12, 33 / 17)) ** (1 / 3))
    assert storage.changes[1] == pytest.approx(math.prod((17 / 9, 20 / 12, 33 / 17)) ** (1 / 3))
    assert ports.pairs == (4, 3)


def test_an_objective_around_zero_is_subtracted() -> None:
    (one,) = of({"a": [1, 2, 3]}, [0, 4, -1])
    assert one.paired and not one.factors and one.changes == (0, 4, -1)
    assert one.summary == "-1 at 3 … +4 at 2"


def test_a_search_has_no_pairs() -> None:
    one, other = of({"a": [1, 1, 2, 3], "b": [7, 8, 9, 10]}, [4.0, 2.0, 1.0, 3.0])
    assert not one.paired and one.factors
    # One point in three has a partner that differs in b alone, which is enough.
    assert other.paired and other.changes == (1, 0.5, None, None)
    assert one.changes == (2.0, 1.0, 3.0) and one.pairs == (2, 1, 1)
    (most, _) = of({"a": [1, 1, 2], "b": [7, 8, 9]}, [4.0, 2.0, 1.0], "max")
    assert most.changes == (1.0, 0.25)


def test_axes_of_one_value_do_nothing() -> None:
    assert of({"a": [1, 1], "b": [1, 2]}, [3, 3])[0].axis == "b"
    assert of({"a": [1, 1], "b": [1, 2]}, [3, 3])[0].summary == "no change"


@pytest.mark.parametrize(("across", "up", "rows"), [
    ("min", "min", [0, 1, 3]), ("min", "max", [0, 2]), ("max", "min", [3]), ("max", "max", [2, 3])])
def test_front_of_two(across: str, up: str, rows: list[int]) -> None:
    xs = {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}
    ys = {0: 5.0, 1: 4.0, 2: 6.0, 3: 1.0}
    assert front(list(xs), xs, ys, Objective("x", across),  # type: ignore[arg-type]
                 Objective("y", up)) == rows  # type: ignore[arg-type]
