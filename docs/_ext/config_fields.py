"""Meaning, range and default of each field of the accelerator's configuration, from the code."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from vqrom_hw.config import PRESETS, AcceleratorConfig

HEADING = re.compile(r"^(\w[\w, ]*):$")


def meanings() -> dict[str, str]:
    """The text of each member in the docstring of the configuration; one text may be of several.

    Raises
    ------
    ValueError
        If a field has no text there.
    """
    lines = (inspect.getdoc(AcceleratorConfig) or "").splitlines()
    lines = lines[lines.index("Members") + 2:]
    rules = [number for number, line in enumerate(lines) if line and not line.strip("-")]
    lines = lines[:rules[0] - 1] if rules else lines
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        heading = HEADING.match(line)
        if heading:
            names = heading[1].split(", ")
            found |= dict.fromkeys(names, "")
        else:
            for name in names:
                found[name] = f"{found[name]} {textwrap.dedent(line).strip()}".strip()
    missing = set(AcceleratorConfig.model_fields) - set(found)
    if missing:
        raise ValueError(f"AcceleratorConfig must say what its members mean, also {missing!r}")
    return found


def allowed(field: FieldInfo) -> str:
    """What values a field may have, as one reads it."""
    annotation: Any = field.annotation
    if get_origin(annotation) is Literal:
        return ", ".join(map(str, get_args(annotation)))
    if annotation is bool:
        return "true, false"
    limits = {name: getattr(rule, name) for rule in field.metadata
              for name in ("ge", "le", "min_length", "max_length") if hasattr(rule, name)}
    if "ge" in limits:
        return f"{limits['ge']} to {limits['le']}"
    return f"text of {limits['min_length']} to {limits['max_length']} characters"


def default(field: FieldInfo) -> str:
    """The default value, or that there is none."""
    return "required" if field.is_required() else _as_toml(field.default)


def preset_value(preset: str, name: str) -> str:
    """What a preset says of a field, or its default."""
    value = PRESETS[preset].get(name)
    return default(AcceleratorConfig.model_fields[name]) if value is None else _as_toml(value)


def _as_toml(value: object) -> str:
    """A value as a TOML file has it, but texts without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)
