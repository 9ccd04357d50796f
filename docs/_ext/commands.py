"""The directive ``command-layouts``: the bits of every command, from the layouts in the code."""

from __future__ import annotations

from collections.abc import Iterator

from amaranth.lib import data
from docutils import nodes
from field_meanings import MEANINGS
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from vqrom_hw.isa import BODIES, Opcode, header_layout

EMPTY = data.StructLayout({})


def leaves(layout: data.Layout, path: str = "",
           offset: int = 0) -> Iterator[tuple[str, int, int, str]]:
    """Path, lowest bit, width and signedness of every field, records and arrays taken apart."""
    if isinstance(layout, data.ArrayLayout):
        # All elements are alike: the first says it.
        yield from leaves(layout[0].shape, f"{path}[i]", offset)
        return
    assert isinstance(layout, data.StructLayout)
    for name in layout.members:
        field = layout[name]
        inner = f"{path}.{name}" if path else name
        if isinstance(field.shape, data.Layout):
            yield from leaves(field.shape, inner, offset + field.offset)
        else:
            kind = "signed" if getattr(field.shape, "signed", False) else ""
            yield inner, offset + field.offset, field.width, kind


def meaning(path: str) -> str:
    """What a field means.

    Raises
    ------
    KeyError
        If the glossary of fields does not know it.
    """
    return MEANINGS[path.replace("[i]", "").removeprefix("post.")]


def table(layout: data.Layout, start: int, opcode: Opcode | None = None) -> list[str]:
    """Lines of a table of the fields that an opcode uses; they begin at bit ``start``.

    A meaning that begins with names of opcodes is of these alone.
    """
    lines = ["| field | bits | width | meaning |", "|---|---|---|---|"]
    for path, offset, width, kind in leaves(layout, offset=start):
        text = meaning(path)
        names, _, rest = text.partition(": ")
        if set(names.split(", ")) <= set(Opcode.__members__):
            if opcode is None or opcode.name not in names.split(", "):
                continue
            text = rest
        bits = f"{offset}..{offset + width - 1}" if width > 1 else str(offset)
        lines.append(f"| `{path}` | {bits} | {width} {kind} | {text} |")
    return lines


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
