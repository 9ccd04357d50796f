"""The fields of a point: the accelerator's dimensions, and what else a study can vary."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError

from .columns import Column
from .expressions import Scalar

Weights = Literal["index", "raw", "int4", "int2"]
"""What layers have in the place of weights."""


class PointOptions(BaseModel):
    """What a point has beside the accelerator's configuration.

    Members
    -------
    config:
        The configuration whose fields hold where the study sets none: a preset or a TOML file.
    workload:
        What runs: a topology, a network, or several of them one after the other; ``none`` where no
        measure runs anything.
    weights:
        ``index``: indices into the codebook. ``raw``: int8. ``int4``, ``int2``: numbers of a
        uniform grid, which are indices into the codebook of all their pairs or groups of four;
        they give the codebook its shape.
    codebook:
        Content of the codebook: ``random``, or a file as ``vqrom compress`` writes it.
    codebook_reload:
        With ``codebook_storage`` ``sram``: whether a program loads the codebook once (``network``)
        or before each indexed layer (``layer``), as accelerators with a codebook for each layer do.
    seed:
        Seed of the random codebook and of random weights.
    tune:
        Whether the fastest of several tilings is taken, tried on the cycle model.
    library:
        Cell library: a name of the study's ``[libraries]``, an open library that is found
        (``sky130``, ``asap7``), or ``generic``, whose unit is the NAND2 equivalent.
    technology:
        Technology of the memories, by name or as a TOML file; ``none`` for that of the cells.
    scored:
        Network of the zoo that is compressed with weights as the point has them, and scored on its
        own samples; ``none`` where no measure needs it. It need not be the workload.
    characterisation:
        Energies of an accelerator's logic, by the name of one that comes along (``edge16-sky130``,
        ...) or as a file that ``vqrom energy`` writes, with the same cells as ``library``; for
        other configurations they are scaled by the sizes of components. ``none`` where no measure
        needs it.
    dram_pj_per_bit:
        Energy of a bit that crosses the DRAM bus, in picojoules; without it, only the ends of the
        technology's range are accounted.
    frequency_mhz:
        Clock frequency in megahertz.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    config: str = Field(default="edge16", min_length=1, max_length=1000)
    workload: str = Field(default="none", min_length=1, max_length=1000)
    weights: Weights = "index"
    codebook: str = Field(default="random", min_length=1, max_length=1000)
    codebook_reload: Literal["network", "layer"] = "network"
    seed: int = Field(default=0, ge=0, lt=1 << 32)
    tune: bool = False
    library: str = Field(default="generic", min_length=1, max_length=64)
    technology: str = Field(default="none", min_length=1, max_length=1000)
    scored: str = Field(default="none", min_length=1, max_length=64)
    characterisation: str = Field(default="none", min_length=1, max_length=1000)
    dram_pj_per_bit: float | None = Field(default=None, gt=0, le=1e6)
    frequency_mhz: float | None = Field(default=None, gt=0, le=1e6)


CONFIG_FIELDS = tuple(name for name in AcceleratorConfig.model_fields if name != "name")
"""Fields of the configuration that a study can set."""

OPTION_FIELDS = tuple(PointOptions.model_fields)
"""Fields of a point beside those."""

FIELDS = OPTION_FIELDS + CONFIG_FIELDS
"""All fields, in the order of the table's columns."""

PROPERTIES = {
    "pe_rows": ("PEs", "PEs of one column"),
    "processing_elements": ("PEs", "PEs of the whole array"),
    "peak_macs_per_cycle": ("MACs/cycle", "multiply-accumulates in a cycle in which the whole "
                            "array works"),
    "fill_steps": ("cycles", "cycles in which the decoder fills all shadow registers"),
    "index_width": ("bits", "bits of an index into the codebook"),
}
"""Figures of a configuration that follow from its fields, with unit and meaning."""

_UNITS = {
    "seed": "", "dram_pj_per_bit": "pJ/bit", "frequency_mhz": "MHz", "subvector": "weights",
    "codewords": "codewords", "rows": "lanes", "columns": "channels", "decode_ports": "codewords",
    "post_lanes": "sums", "vector_lanes": "channels", "vector_taps": "kernel positions",
    "vector_columns": "kernel columns", "bus_width": "bits", "activation_words": "words",
    "activation_banks": "memories", "accumulator_depth": "pixels", "weight_fifo_beats": "beats",
    "parameter_fifo_beats": "beats", "vector_fifo_beats": "beats",
    "activation_fifo_beats": "beats", "command_queue": "commands", "max_burst_beats": "beats",
    "dram_latency": "cycles",
}
"""Units of the fields that are numbers."""

Model = TypeVar("Model", bound=BaseModel)


def field_columns(axes: set[str]) -> list[Column]:
    """Columns of all fields and of :data:`PROPERTIES`.

    Parameters
    ----------
    axes:
        Fields that vary by the study's wish.
    """
    meanings = members_of(PointOptions) | members_of(AcceleratorConfig)
    fields = [Column(name, _UNITS.get(name, ""), meanings[name], "study",
                     "axis" if name in axes else "field") for name in FIELDS]
    return fields + [Column(name, unit, meaning, "configuration", "field")
                     for name, (unit, meaning) in PROPERTIES.items()]


def members_of(model: type[BaseModel]) -> dict[str, str]:
    """The meaning of each member by its name, from the class's own text, without markup."""
    text = inspect.getdoc(model) or ""
    listed = text.partition("-------\n")[2].partition("\n\nRaises")[0]
    found = {}
    for names, meaning in re.findall(r"^(\w[\w, \n]*):\n((?:    .*\n?)+)", listed, re.MULTILINE):
        plain = re.sub(r"\s+", " ", meaning.replace("``", "")).strip()
        found |= {name.strip(): plain for name in names.split(",")}
    return found


def checked(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """An object of a model from values by name.

    Raises
    ------
    VqromError
        If a value is missing, unknown or out of range; in one line that begins with ``where``.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise VqromError(f"{where}: {first_error(error)}") from None


def first_error(error: ValidationError) -> str:
    """The first thing that pydantic found, in one line that names the member and its value."""
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"{name!r} is no field here"
    if first["type"] == "missing":
        return f"field {name!r} must be given"
    return f"{name}: {message}, not {str(first['input'])[:100]!r}"


def check_single(name: str, value: Scalar, where: str) -> None:
    """Refuse a value that its field cannot take, whatever the other fields are.

    Raises
    ------
    VqromError
        If no configuration or no point can have it.
    """
    model = AcceleratorConfig if name in CONFIG_FIELDS else PointOptions
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        wrong = [one for one in error.errors() if one["loc"][:1] == (name,)]
        if wrong:
            raise VqromError(f"{where}: {name}: {wrong[0]['msg']}, not {value!r}") from None
