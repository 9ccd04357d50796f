"""A study whose file has been read and checked: axes, expressions and columns as objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_toml

from .context import Context
from .definition import (
    FIELDS,
    OPTION_FIELDS,
    PROPERTIES,
    Axis,
    Column,
    Derived,
    Expression,
    Scalar,
    Search,
    StudyFile,
    check_apart,
    check_single,
    checked,
    field_columns,
    parse_axis,
)
from .measures import MEASURES, Measure

MAX_STUDY_BYTES = 1 << 20
"""Largest study file that is read."""
SHIPPED = Path(__file__).parent / "shipped"
"""Where the studies lie that come with vqrom."""
ERROR, FEASIBLE, PARETO = "error", "feasible", "pareto"
"""Columns that say what became of a point."""


def shipped_studies() -> tuple[str, ...]:
    """Names of the studies that come with vqrom."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


@dataclass(frozen=True, eq=False)
class Study:
    """What varies, what is measured, and what counts as better; checked.

    Members
    -------
    file:
        The content of the study file.
    folder:
        Absolute path to which its paths are relative.

    Raises
    ------
    VqromError
        If it names what does not exist, sets a field in two places or one that nothing depends on,
        or an expression is wrong.
    """

    file: StudyFile
    folder: Path

    def __post_init__(self) -> None:
        self._check_measures()
        for name, value in self.file.base.items():
            if name not in FIELDS:
                raise VqromError(f"{self._name}: [base] must set fields of the configuration or of "
                                 f"the study, not {name!r}")
            check_single(name, value, f"{self._name}: [base]")
        for name in self.file.computed:
            if name not in FIELDS:
                raise VqromError(f"{self._name}: [computed] must set fields of the configuration "
                                 f"or of the study, not {name!r}")
        check_apart(self.axes, self.file.base, self.file.computed)
        self._check_expressions()
        self._check_columns()
        self._check_used()

    @classmethod
    def load(cls, source: str | Path) -> Study:
        """Read a study file, or a study that comes with vqrom by its name.

        Raises
        ------
        VqromError
            If it is absent, too large, no TOML, or says what cannot be done.
        """
        path = Path(source)
        if str(source) in shipped_studies():
            path = SHIPPED / f"{source}.toml"
        elif path.suffix != ".toml":
            raise VqromError(f"study must be one of {', '.join(shipped_studies())} or a .toml "
                             f"file, not {str(source)!r}")
        values = read_toml(path, "study", MAX_STUDY_BYTES)
        values.setdefault("name", path.stem)
        return cls.of(values, path.parent, f"study {str(path)!r}")

    @classmethod
    def of(cls, values: Mapping[str, Any], folder: str | Path = ".",
           where: str = "study") -> Study:
        """A study from what a file would hold, with a folder to which its paths are relative.

        Raises
        ------
        VqromError
            If it says what cannot be done; the line begins with ``where``.
        """
        return cls(checked(StudyFile, values, where), Path(folder).absolute())

    @property
    def _name(self) -> str:
        return f"study {self.file.name!r}"

    @cached_property
    def sha256(self) -> str:
        """Of all that the file says."""
        text = json.dumps(self.file.model_dump(mode="json", by_alias=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """What varies, in the order of the file."""
        return tuple(parse_axis(name, given) for name, given in self.file.axes.items())

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured, in the order of the table's columns."""
        return tuple(measure for name, measure in MEASURES.items() if name in self.file.measures)

    @cached_property
    def computed(self) -> dict[str, Expression]:
        """Fields that follow from others."""
        return {name: Expression(text, f"computed field {name!r}")
                for name, text in self.file.computed.items()}

    @cached_property
    def derived(self) -> dict[str, Expression]:
        """Columns that follow from others."""
        return {name: Expression(text.expression if isinstance(text, Derived) else text,
                                 f"derived column {name!r}")
                for name, text in self.file.derived.items()}

    @cached_property
    def constraints(self) -> tuple[Expression, ...]:
        """What must be true."""
        return tuple(Expression(text, "constraint") for text in self.file.constraints)

    @cached_property
    def field_constraints(self) -> tuple[Expression, ...]:
        """Constraints that need no measurement: points that break one are left out."""
        return tuple(one for one in self.constraints if one.names <= self._field_names)

    @cached_property
    def measured_constraints(self) -> tuple[Expression, ...]:
        """Constraints over measured or derived columns."""
        return tuple(one for one in self.constraints if not one.names <= self._field_names)

    @cached_property
    def context(self) -> Context:
        """How its names become things."""
        def tuples(given: Mapping[str, str | list[str]]) -> dict[str, tuple[str, ...]]:
            return {name: (value,) if isinstance(value, str) else tuple(value)
                    for name, value in given.items()}
        return Context(self.folder, tuples(self.file.workloads), tuples(self.file.libraries))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the table: axes of several fields, fields, measures, derived, status."""
        varied = frozenset[str]().union(*(axis.fields for axis in self.axes))
        linked = [Column(axis.name, "", f"which value of the axis {axis.name}", "study", "axis")
                  for axis in self.axes if axis.linked]
        measured = [column for measure in self.measures for column in measure.columns]
        derived = [_derived_column(name, given) for name, given in self.file.derived.items()]
        return (*linked, *field_columns(set(varied)), *measured, *derived, *self._status)

    @property
    def _status(self) -> list[Column]:
        found = [Column(ERROR, "", "why the point could not be measured; empty if it was", "study",
                        "status")]
        if self.measured_constraints:
            found.append(Column(FEASIBLE, "", "whether all constraints hold", "study", "status"))
        if self.file.objectives:
            found.append(Column(
                PARETO, "", "1: no other point is as good in all objectives and better in one; 2: "
                "the same without the points of 1; and so on", "study", "status"))
        return found

    @cached_property
    def _field_names(self) -> frozenset[str]:
        return frozenset((*FIELDS, *PROPERTIES, *(axis.name for axis in self.axes)))

    def _check_measures(self) -> None:
        for number, name in enumerate(self.file.measures):
            if name not in MEASURES:
                raise VqromError(f"{self._name}: measures must be of {', '.join(MEASURES)}, "
                                 f"not {name!r}")
            if name in self.file.measures[:number]:
                raise VqromError(f"{self._name}: measures must differ, and {name!r} is there twice")

    def _check_expressions(self) -> None:
        """Every name in an expression is that of a field or column."""
        fields = {*FIELDS, *(axis.name for axis in self.axes)}
        for expression in self.computed.values():
            expression.check_names(fields)
        known = {*self._field_names, *self._measured_names}
        for name, expression in self.derived.items():
            expression.check_names(known)
            known.add(name)
        for expression in self.constraints:
            expression.check_names(known)

    @property
    def _measured_names(self) -> set[str]:
        return {column.name for measure in self.measures for column in measure.columns}

    def _check_columns(self) -> None:
        """No name twice, and objectives and comparisons of columns that are there."""
        names = [column.name for column in self.columns]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise VqromError(f"{self._name}: columns must have different names, and {twice!r} is "
                             "there twice")
        for what, listed in (("objectives", self.file.objectives),
                             ("compare_within", self.file.compare_within)):
            for name in listed:
                if name not in names or name in (ERROR, FEASIBLE, PARETO):
                    raise VqromError(f"{self._name}: {what} must name columns of the table, "
                                     f"not {name!r}")
        if self.file.search is not None:
            self._check_search(self.file.search)

    def _check_search(self, search: Search) -> None:
        """Something to search, and first designs that are within it."""
        if not (self.file.objectives and self.axes):
            raise VqromError(f"{self._name}: a search must have axes and objectives")
        searched = {axis.name: [value[axis.name] for value in axis.values] for axis in self.axes
                    if axis.name not in self.file.compare_within}
        for name, value in (one for design in search.first for one in design.items()):
            if value not in searched.get(name, ()):
                raise VqromError(f"{self._name}: first designs of a search must have values of "
                                 f"axes that are searched, not {name} = {value!r}")

    def _check_used(self) -> None:
        """Refuse an axis on which nothing depends: its points would be the same one."""
        used = {"config"}.union(*(measure.fields for measure in self.measures),
                                *(expression.names for expression in (
                                    *self.computed.values(), *self.derived.values())))
        for axis in self.axes:
            for name in sorted(axis.fields & set(OPTION_FIELDS) - used):
                raise VqromError(f"axis {axis.name!r}: nothing that is measured or computed "
                                 f"depends on {name!r}")


def _derived_column(name: str, given: str | Derived) -> Column:
    one = Derived(expression=given) if isinstance(given, str) else given
    return Column(name, one.unit, one.meaning or one.expression, f"computed: {one.expression}",
                  "derived")


def values_of(study: Study, field: str) -> list[Scalar]:
    """All values that the base and the axes give a field."""
    given = [study.file.base[field]] if field in study.file.base else []
    return given + [value[field] for axis in study.axes for value in axis.values
                    if field in value]
