"""The bits and meanings of the fields of every command, from the layouts in the code."""

from __future__ import annotations

from collections.abc import Iterator

from amaranth.lib import data
from field_meanings import MEANINGS

from vqrom_hw.isa import Opcode


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
