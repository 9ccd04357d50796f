"""The study file: what varies, what is measured, and what counts as better."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vqrom_hw.errors import VqromError

MAX_VALUES = 10_000
"""Most values of an axis."""
MAX_POINTS = 100_000
"""Most points of a full factorial; larger spaces are searched."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
Value = str | bool | int | float
Text = Annotated[str, Field(max_length=1000)]


class Part(BaseModel):
    """What all tables of a study file have: no field but theirs, no value of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Range(Part):
    """Numbers of an axis, from the first to the last: a step apart, or each a multiple.

    Members
    -------
    first, last:
        Written ``from`` and ``to``; ``last`` belongs to the axis if it is met.
    step, factor:
        What is added, or what is multiplied by; one of the two.
    """

    first: int | float = Field(alias="from")
    last: int | float = Field(alias="to")
    step: int | float | None = Field(default=None, gt=0)
    factor: int | float | None = Field(default=None, gt=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.step is None) == (self.factor is None):
            raise ValueError("a range must have either step or factor")
        if self.factor is not None and self.first <= 0:
            raise ValueError(f"a range with a factor must begin above 0, not at {self.first!r}")
        return self

    @property
    def values(self) -> list[int | float]:
        """The numbers.

        Raises
        ------
        VqromError
            If there are too many of them, or none.
        """
        found, value, number = [], self.first, 0
        # Not by repeated addition, which would gather rounding errors.
        while value <= self.last:
            found.append(value)
            number += 1
            if number > MAX_VALUES:
                raise VqromError(f"range must have at most {MAX_VALUES} values")
            value = self.first + number * self.step if self.step is not None \
                else self.first * (self.factor or 1) ** number
        if not found:
            raise VqromError(f"range must hold a value, but {self.first!r} is above {self.last!r}")
        return found


class Derived(Part):
    """A column that is computed from others.

    Members
    -------
    expression, unit, meaning:
        How it is computed, in which unit it is, and what it means.
    """

    expression: Text
    unit: Text = ""
    meaning: Text = ""


class Search(Part):
    """How a space is searched that is too large to be measured as a whole.

    Members
    -------
    points:
        Distinct points that are measured.
    batch:
        Points that are asked for at once; the answers to all of them teach the next batch.
    sampler:
        ``nsga2`` (a genetic algorithm for several objectives), ``tpe`` (a tree-structured Parzen
        estimator) or ``random``.
    seed:
        Seed of the sampler: the same one finds the same points.
    first:
        Designs that are measured before all others, such as what is used today: values of axes by
        name; the sampler chooses those that are not named.
    """

    points: int = Field(ge=1, le=MAX_POINTS)
    batch: int = Field(default=16, ge=1, le=1000)
    sampler: Literal["nsga2", "tpe", "random"] = "nsga2"
    seed: int = Field(default=0, ge=0, lt=1 << 32)
    first: list[dict[str, Value]] = []


class StudyFile(Part):
    """The content of a study file, as ``docs/sim/studies.md`` explains it.

    Members
    -------
    name, description:
        What the study is called, and what it asks.
    measures:
        What is measured at each point: names of :data:`vqrom_sim.studies.measures.MEASURES`.
    base:
        Fields that are the same at all points.
    axes:
        Values of a field, a range of them, or tables of several fields that vary together.
    computed:
        Fields that follow from others: expressions by field, in the order of the file.
    workloads:
        Names for what runs: a topology, a network, or several that run one after the other.
    libraries:
        Names for cell libraries: Liberty files that belong together.
    constraints:
        Expressions that must be true. Where all that they read are fields, other points are left
        out; otherwise they are in the table and in no Pareto front.
    derived:
        Columns that are computed from others.
    objectives:
        Columns that shall be small (``min``) or large (``max``).
    compare_within:
        Columns whose values must be the same for two points to be compared with each other.
    search:
        Search the space; without it, every combination is measured.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)
    description: str = Field(default="", max_length=10_000)
    measures: list[Name] = Field(default=["cycles", "traffic", "area"], min_length=1)
    base: dict[Name, Value] = {}
    # Each of the three forms is checked by itself, so that an error names it (`.axes`).
    axes: dict[Name, Any] = {}
    computed: dict[Name, Text] = {}
    workloads: dict[str, Text | list[Text]] = {}
    libraries: dict[str, Text | list[Text]] = {}
    constraints: list[Text] = []
    derived: dict[Name, Text | Derived] = {}
    objectives: dict[Name, Literal["min", "max"]] = {}
    compare_within: list[Name] = []
    search: Search | None = None
