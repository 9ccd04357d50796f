"""Directives ``configuration`` and ``presets``: the accelerator's fields, from the code."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any, Literal, get_args, get_origin

from docutils import nodes
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

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
    limits = {name: getattr(rule, name) for rule in field.metadata
              for name in ("ge", "le", "min_length", "max_length") if hasattr(rule, name)}
    if "ge" in limits:
        return f"{limits['ge']} to {limits['le']}"
    return f"text of {limits['min_length']} to {limits['max_length']} characters"


def default(field: FieldInfo) -> str:
    """The default value, or that there is none."""
    return "required" if field.is_required() else str(field.default)


def preset_value(preset: str, name: str) -> str:
    """What a preset says of a field, or its default."""
    value = PRESETS[preset].get(name)
    return default(AcceleratorConfig.model_fields[name]) if value is None else str(value)


class Configuration(SphinxDirective):
    """A definition list of all fields: meaning, default and range; then the presets' values."""

    def run(self) -> list[nodes.Node]:
        texts = meanings()
        lines: list[str] = []
        for name, field in AcceleratorConfig.model_fields.items():
            lines += [f"`{name}`", f": {texts[name].replace('``', '`')}", "",
                      f"  *Default:* {default(field)}. *Allowed:* {allowed(field)}.", ""]
        return self.parse_text_to_nodes("\n".join(lines))


class Presets(SphinxDirective):
    """A table of the presets, a line for each field in which they are more than the default."""

    def run(self) -> list[nodes.Node]:
        fields = [name for name in AcceleratorConfig.model_fields
                  if name != "name" and any(name in preset for preset in PRESETS.values())]
        lines = ["| field | " + " | ".join(f"`{name}`" for name in PRESETS) + " |",
                 "|---|" + "---|" * len(PRESETS)]
        lines += ["| " + " | ".join([f"`{field}`", *(preset_value(name, field)
                                                     for name in PRESETS)]) + " |"
                  for field in fields]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("configuration", Configuration)
    app.add_directive("presets", Presets)
    return {"parallel_read_safe": True}
