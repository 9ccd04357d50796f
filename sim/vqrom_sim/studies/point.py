"""A point of a study: one accelerator, one workload, and what else belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError

from .definition import CONFIG_FIELDS, FIELDS, PROPERTIES, Expression, PointOptions, Scalar, checked

GRIDS = {"int4": 2, "int2": 4}
"""Weights of a uniform grid by the weights of one codeword: 8 bits hold so many of them."""
GRID_CODEWORDS = 256
"""Codewords of a uniform grid: all values of an index of 8 bits."""


@dataclass(frozen=True)
class Point:
    """What is measured as one row of the table.

    Members
    -------
    values:
        Every field by name, :data:`.fields.PROPERTIES`, and labels of axes; None where a field has
        no value because the configuration cannot be built.
    config, options:
        The same as objects; None where they cannot be made.
    error:
        Why they cannot; empty if they can.
    """

    values: Mapping[str, Scalar]
    config: AcceleratorConfig | None
    options: PointOptions | None
    error: str = ""

    @property
    def built(self) -> tuple[AcceleratorConfig, PointOptions]:
        """Configuration and options of a point without an error."""
        assert self.config is not None and self.options is not None, self.error
        return self.config, self.options


def make_point(given: Mapping[str, Scalar], computed: Mapping[str, Expression],
               folder: Path) -> Point:
    """A point from the fields that a study sets.

    Parameters
    ----------
    given:
        Fields and labels by name.
    computed:
        Expressions of further fields, over fields.
    folder:
        Folder of the study file, to which a configuration file is relative.

    Returns
    -------
    Point
        With its error, where the fields do not fit each other.
    """
    values: dict[str, Scalar] = dict(given)
    try:
        source = str(values.get("config", PointOptions.model_fields["config"].default))
        preset = preset_fields(source, str(folder))
        defaults = {name: field.default for name, field in PointOptions.model_fields.items()
                    if not field.is_required()}
        known = defaults | preset | values
        for name, expression in computed.items():
            values[name] = known[name] = expression.value(known)
        _take_grid(values)
        config = checked(AcceleratorConfig, preset | {
            "name": preset["name"],
            **{name: values[name] for name in CONFIG_FIELDS if name in values}}, "config")
        options = checked(PointOptions, {name: value for name, value in values.items()
                                         if name in PointOptions.model_fields}, "point")
    except VqromError as error:
        blank: dict[str, Scalar] = dict.fromkeys([*FIELDS, *PROPERTIES])
        return Point(blank | values, None, None, str(error))
    made: dict[str, Scalar] = options.model_dump() | config.model_dump(exclude={"name"})
    made |= {name: getattr(config, name) for name in PROPERTIES}
    return Point(values | made, config, options)


@cache
def preset_fields(source: str, folder: str) -> dict[str, Any]:
    """All fields of a preset, or of a configuration file beside the study file.

    Raises
    ------
    VqromError
        If there is no such configuration.
    """
    if source.endswith(".toml"):
        source = str(Path(folder, source))
    return load_config(source).model_dump()


def _take_grid(values: dict[str, Scalar]) -> None:
    """Give the codebook the shape of a uniform grid, where the weights are of one."""
    weights = values.get("weights")
    if weights not in GRIDS:
        return
    for name, needed in (("subvector", GRIDS[str(weights)]), ("codewords", GRID_CODEWORDS)):
        if values.setdefault(name, needed) != needed:
            raise VqromError(f"weights {weights!r} must have {name} {needed!r}, "
                             f"not {values[name]!r}")
    if values.get("codebook", "random") != "random":
        raise VqromError(f"weights {weights!r} must have the codebook of their grid, "
                         f"not {values['codebook']!r}")
