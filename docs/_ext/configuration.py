"""Directives ``configuration`` and ``presets``: the accelerator's fields, from the code."""

from __future__ import annotations

from config_fields import allowed, default, meanings, preset_value
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from vqrom_hw.config import PRESETS, AcceleratorConfig


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
