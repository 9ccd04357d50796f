"""Axes of a study: values of a field, a range of them, or fields that vary together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vqrom_hw.errors import VqromError

from .expressions import Scalar
from .fields import FIELDS, check_single, checked
from .spec import MAX_VALUES, Range

LABEL = "label"
"""What a value of several fields is called in the axis's own column."""


@dataclass(frozen=True)
class Axis:
    """What varies.

    Members
    -------
    name:
        A field, or a name of the study's own for fields that vary together.
    values:
        For each value the fields that it sets; the axis's own name is one of them.
    linked:
        Whether the fields vary together.
    """

    name: str
    values: tuple[Mapping[str, Scalar], ...]
    linked: bool

    @property
    def fields(self) -> frozenset[str]:
        """Fields that it sets."""
        return frozenset(name for value in self.values for name in value if name in FIELDS)


def parse_axis(name: str, given: Any) -> Axis:
    """An axis as a study file has it.

    Raises
    ------
    VqromError
        If it is none of the three forms, is empty, repeats a value, or sets what is no field or
        what a field cannot take.
    """
    where = f"axis {name!r}"
    if isinstance(given, dict):
        given = checked(Range, given, where).values
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_VALUES:
        raise VqromError(f"{where}: must be a list of 1 to {MAX_VALUES} values, or a range, "
                         f"not {str(given)[:100]!r}")
    linked = all(isinstance(value, dict) for value in given)
    if not linked and name not in FIELDS:
        raise VqromError(f"{where}: must be a field of the configuration or of the study, or a "
                         "list of tables that set such fields")
    if linked and name in FIELDS:
        raise VqromError(f"{where}: must have a name that is no field, since its values set "
                         "several fields")
    values = [_linked(where, name, value) if linked else _single(where, name, value)
              for value in given]
    names = [value[name] for value in values]
    for number, value in enumerate(names):
        # By type as well: True is no repetition of 1.
        if any(value == one and type(value) is type(one) for one in names[:number]):
            raise VqromError(f"{where}: must have different values, but {value!r} is there twice")
    return Axis(name, tuple(values), linked)


def _single(where: str, name: str, value: Any) -> dict[str, Scalar]:
    if not isinstance(value, str | bool | int | float):
        raise VqromError(f"{where}: must have words, numbers or truth values, "
                         f"not {str(value)[:100]!r}")
    check_single(name, value, where)
    return {name: value}


def _linked(where: str, name: str, given: dict[str, Any]) -> dict[str, Scalar]:
    fields = {key: value for key, value in given.items() if key != LABEL}
    if not fields:
        raise VqromError(f"{where}: each table must set a field, not {given!r}")
    values: dict[str, Scalar] = {}
    for key, value in fields.items():
        if key not in FIELDS:
            raise VqromError(f"{where}: must set fields of the configuration or of the study, "
                             f"not {key!r}")
        values |= _single(where, key, value)
    label = given.get(LABEL, " ".join(f"{key}={value}" for key, value in fields.items()))
    if not isinstance(label, str) or not 1 <= len(label) <= 200:
        raise VqromError(f"{where}: label must be a word of 1 to 200 characters, not {label!r}")
    return {name: label} | values


def check_apart(axes: tuple[Axis, ...], base: Mapping[str, Scalar],
                computed: Mapping[str, object]) -> None:
    """Refuse a field that is set in more than one place.

    Raises
    ------
    VqromError
        If two axes set it, or an axis and the base, or it is computed as well.
    """
    owners: dict[str, str] = {name: "[base]" for name in base}
    for name in computed:
        _claim(owners, name, f"computed field {name!r}")
    for axis in axes:
        for name in sorted(axis.fields):
            _claim(owners, name, f"axis {axis.name!r}")


def _claim(owners: dict[str, str], field: str, owner: str) -> None:
    if field in owners:
        raise VqromError(f"field {field!r} must be set in one place, "
                         f"not in {owners[field]} and in {owner}")
    owners[field] = owner
