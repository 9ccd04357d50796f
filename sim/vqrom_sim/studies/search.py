"""Search of spaces that are too large to be measured as a whole, by Optuna.

Points are asked for in batches, and told in the order in which they were asked for, so that the
same seed finds the same points however many workers measure them, and after any interruption: what
is known is answered from the store, and the search takes the way it took before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import optuna
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import Trial, TrialState

from vqrom_hw.errors import VqromError

from .definition import Axis, Scalar, Search
from .pareto import Row, comparable, costs_of
from .point import Point
from .points import allowed, point_of
from .study import FEASIBLE, Study

MeasurePoints = Callable[[Sequence[Point]], list[Row]]
"""Measures points; their rows, in the same order."""
TRIALS_PER_DESIGN = 20
"""Proposals for each design that is wanted; beyond that the search ends with fewer."""
BROKEN = "broken"
"""Constraint of a trial as Optuna wants it: above 0 if a row of its design breaks one of ours."""

Design = tuple[int, ...]
"""The place on each axis that is searched."""


def search_rows(study: Study, measure: MeasurePoints) -> list[Row]:
    """Rows of the points that a search measured, in the order in which it found them.

    Axes that are named in ``compare_within`` are not searched: each design is measured with all
    their values, and judged by the geometric mean over them.

    Parameters
    ----------
    study:
        A study with a search.
    measure:
        Measures a batch.

    Raises
    ------
    VqromError
        If no design breaks no constraint over fields.
    """
    search = study.file.search
    assert search is not None
    walk = _Walk(study, measure)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = optuna.create_study(sampler=_sampler(search), directions=[
        StudyDirection.MINIMIZE for _ in study.file.objectives])
    for design in search.first:
        trials.enqueue_trial(_places(study, design))
    asked = 0
    while len(walk.found) < search.points and asked < TRIALS_PER_DESIGN * search.points:
        batch = [trials.ask() for _ in range(search.batch)]
        asked += len(batch)
        designs = [walk.propose(trial) for trial in batch]
        walk.measure_new(designs, search.points)
        for trial, design in zip(batch, designs, strict=True):
            _tell(trials, trial, walk.verdict(design))
    if not walk.found:
        raise VqromError(f"study {study.file.name!r}: constraints must leave a point")
    return [row for rows in walk.found.values() for row in rows]


@dataclass
class _Walk:
    """What a search has seen.

    Members
    -------
    study, measure:
        The study, and what measures points of it.
    found:
        The rows of each design that was measured, in order.
    """

    study: Study
    measure: MeasurePoints
    found: dict[Design, list[Row]] = field(default_factory=dict)

    def propose(self, trial: Trial) -> Design:
        """The design that a trial proposes; numbers in order, words as categories."""
        return tuple(
            trial.suggest_int(axis.name, 0, len(axis.values) - 1) if _ordered(axis)
            else trial.suggest_categorical(axis.name, range(len(axis.values)))
            for axis in self.study.axes if self._searched(axis))

    def measure_new(self, designs: Sequence[Design], most: int) -> None:
        """Measure the designs that have not been, until there are as many as are wanted."""
        new: dict[Design, list[Point]] = {}
        for design in designs:
            if design in self.found or design in new or len(self.found) + len(new) == most:
                continue
            points = [point for point in self._points(design) if allowed(self.study, point)]
            if points:
                new[design] = points
        rows = iter(self.measure([point for points in new.values() for point in points]))
        for design, points in new.items():
            self.found[design] = [next(rows) for _ in points]

    def verdict(self, design: Design) -> tuple[list[float], bool] | None:
        """A design's objectives, less is better, and whether it breaks a constraint; None if it
        could not be measured."""
        rows = self.found.get(design)
        if rows is None:
            return None
        broken = any(row.get(FEASIBLE) is False for row in rows)
        complete = [comparable(self.study, row | {FEASIBLE: None}) for row in rows]
        if not all(complete):
            return None
        costs = [costs_of(self.study, row) for row in rows]
        return [_mean(list(objective)) for objective in zip(*costs, strict=True)], broken

    def _searched(self, axis: Axis) -> bool:
        return axis.name not in self.study.file.compare_within

    def _points(self, design: Design) -> list[Point]:
        """A design with all values of the axes that are not searched."""
        places = iter(design)
        choices = [(next(places),) if self._searched(axis) else range(len(axis.values))
                   for axis in self.study.axes]
        return [point_of(self.study, chosen) for chosen in product(*choices)]


def _places(study: Study, design: Mapping[str, Scalar]) -> dict[str, int]:
    """The place of each value on its axis."""
    values = {axis.name: [value[axis.name] for value in axis.values] for axis in study.axes}
    return {name: values[name].index(value) for name, value in design.items()}


def _tell(trials: optuna.Study, trial: Trial, verdict: tuple[list[float], bool] | None) -> None:
    if verdict is None:
        trials.tell(trial, state=TrialState.FAIL)
        return
    costs, broken = verdict
    trial.set_constraint(BROKEN, float(broken))
    trials.tell(trial, costs)


def _sampler(search: Search) -> BaseSampler:
    if search.sampler == "nsga2":
        return NSGAIISampler(seed=search.seed, population_size=max(2, search.batch))
    if search.sampler == "tpe":
        return TPESampler(seed=search.seed)
    return RandomSampler(seed=search.seed)


def _ordered(axis: Axis) -> bool:
    """Whether an axis holds numbers that grow, so that neighbours are alike."""
    values = [value[axis.name] for value in axis.values]
    numbers = [value for value in values
               if isinstance(value, int | float) and not isinstance(value, bool)]
    return len(numbers) == len(values) and numbers == sorted(numbers)


def _mean(costs: list[float]) -> float:
    """The geometric mean; the arithmetic one where signs differ, or a cost is 0."""
    if all(cost > 0 for cost in costs) or all(cost < 0 for cost in costs):
        size = math.exp(math.fsum(math.log(abs(cost)) for cost in costs) / len(costs))
        return math.copysign(size, costs[0])
    return math.fsum(costs) / len(costs)
