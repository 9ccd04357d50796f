"""All points of a study, and the checks that need them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

from vqrom_hw.errors import VqromError
from vqrom_sim.technology import load_technology
from vqrom_sw import zoo

from .definition import MAX_POINTS, Expression, Scalar
from .point import Point, make_point
from .study import Study, values_of


def point_of(study: Study, chosen: Sequence[int]) -> Point:
    """The point at some place of each axis."""
    given: dict[str, Scalar] = dict(study.file.base)
    for axis, number in zip(study.axes, chosen, strict=True):
        given |= axis.values[number]
    return make_point(given, study.computed, study.folder)


def allowed(study: Study, point: Point) -> bool:
    """Whether a point breaks no constraint over fields; one with an error is kept to be shown."""
    return bool(point.error) or holds(study.field_constraints, point.values)


def holds(constraints: Sequence[Expression], values: Mapping[str, Scalar]) -> bool:
    """Whether all constraints are true.

    Raises
    ------
    VqromError
        If one cannot be computed.
    """
    return all(constraint.value(values) for constraint in constraints)


def all_points(study: Study) -> list[Point]:
    """Every combination of the axes' values that breaks no constraint, the last axis fastest.

    Raises
    ------
    VqromError
        If there are too many, none is left, or a value of an axis fits none.
    """
    sizes = [len(axis.values) for axis in study.axes]
    if math.prod(sizes) > MAX_POINTS:
        raise VqromError(f"study {study.file.name!r} must have at most {MAX_POINTS} combinations "
                         f"to measure them all, not {math.prod(sizes)}; a [search] takes more")
    places = list(product(*map(range, sizes)))
    made = [point_of(study, place) for place in places]
    for number, axis in enumerate(study.axes):
        for place, value in enumerate(axis.values):
            own = [point for point, chosen in zip(made, places, strict=True)
                   if chosen[number] == place]
            if all(point.error for point in own):
                raise VqromError(f"axis {axis.name!r}: {value[axis.name]!r} fits no other values: "
                                 f"{own[0].error}")
    points = [point for point in made if allowed(study, point)]
    if not points:
        raise VqromError(f"study {study.file.name!r}: constraints must leave a point")
    return points


def check_things(study: Study) -> None:
    """Read what the study names, before anything is measured.

    Raises
    ------
    VqromError
        If a workload, a cell library, a codebook, a characterisation, a technology or a network of
        the zoo is not there.
    """
    context = study.context
    fields = frozenset[str]().union(*(measure.fields for measure in study.measures))
    for field, read in (("workload", context.programs), ("library", context.library)):
        if field in fields:
            for value in values_of(study, field):
                read(str(value))
    for field, blank, check in (("codebook", "random", context.codebook),
                                ("characterisation", "none", context.characterisation),
                                ("technology", "none", lambda source: load_technology(
                                    context.technology(source))),
                                ("scored", "none", zoo.entry)):
        if field in fields:
            for value in values_of(study, field):
                if value != blank:
                    check(str(value))
    if "workload" in fields and not values_of(study, "workload") \
            and "workload" not in study.computed:
        raise VqromError(f"study {study.file.name!r} must set the field 'workload'")
