"""The directive ``command-layouts``: the bits of every command, from the layouts in the code."""

from __future__ import annotations

from amaranth.lib import data
from command_fields import table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from vqrom_hw.isa import BODIES, Opcode, header_layout

EMPTY = data.StructLayout({})


class CommandLayouts(SphinxDirective):
    """The header's table, then a section for each opcode."""

    def run(self) -> list[nodes.Node]:
        size, texts = header_layout.size, _docs()
        lines = ["## Header", "", *table(header_layout, 0)]
        for opcode in Opcode:
            layout = BODIES.get(opcode, EMPTY)
            what = texts[opcode]
            lines += ["", f"## `{opcode.name}`, opcode {opcode.value}", "", what, ""]
            lines += table(layout, size, opcode) if layout.size else []
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _docs() -> dict[Opcode, str]:
    """The text below each opcode in its source, which is what autodoc shows, too."""
    found = ModuleAnalyzer.for_module(Opcode.__module__).find_attr_docs()
    return {opcode: " ".join(found["Opcode", opcode.name]).replace("``", "`").strip()
            for opcode in Opcode}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command-layouts", CommandLayouts)
    return {"parallel_read_safe": True}
