"""What a study file may say: fields, axes, expressions and columns, without what is measured.

The shapes of the file's tables are checked here, each value by itself; whether names of measures
and columns exist is checked where those are known, by :class:`vqrom_sim.studies.study.Study`.
"""

from .axes import Axis, check_apart, parse_axis
from .columns import Column
from .expressions import Expression, Scalar
from .fields import (
    CONFIG_FIELDS,
    FIELDS,
    OPTION_FIELDS,
    PROPERTIES,
    PointOptions,
    check_single,
    checked,
    field_columns,
)
from .spec import MAX_POINTS, Derived, Search, StudyFile

__all__ = [
    "CONFIG_FIELDS", "FIELDS", "MAX_POINTS", "OPTION_FIELDS", "PROPERTIES", "Axis", "Column",
    "Derived", "Expression", "PointOptions", "Scalar", "Search", "StudyFile", "check_apart",
    "check_single", "checked", "field_columns", "parse_axis",
]
