"""The groups of a Liberty text, and the short text that mapping needs of a long one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_sw.io import cached_directory, content_key, source_digest

SEQUENTIAL = ("ff", "ff_bank", "latch", "latch_bank")
"""Groups that make a cell a flip-flop or a latch."""
NOT_FOR_LOGIC = ("dont_use", "is_isolation_cell", "is_level_shifter", "always_on")
"""Attributes of cells that are not for mapping: their maker says so, or they bridge supplies."""
KEPT_BYTES = 1 << 20
"""From this many characters on the short text of a library is kept in the cache."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|[{}]', re.DOTALL)
_HEADER = re.compile(r"(\w+)\s*\(([^()]*)\)\s*$")
_ATTRIBUTE = re.compile(r'(\w+)\s*:\s*("(?:[^"\\]|\\.)*"|[^;\n]*)')
_PIN = ("direction", "function", "clock", "three_state")
_SHORT = "cells.lib"


@dataclass
class Group:
    """``kind(name) { attributes children }`` of a Liberty text, to the depth of a pin.

    Members
    -------
    kind, name:
        Before and inside the parentheses, quotes taken off.
    attributes:
        ``name : value``, quotes taken off; of those that occur again, the first.
    children:
        Groups in it.
    """

    kind: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Group] = field(default_factory=list)


def read_library(text: str) -> Group:
    """The ``library`` group of a Liberty text, to the depth of a pin.

    Raises
    ------
    VqromError
        If its braces do not match, or it is not one library.
    """
    roots = _groups(text)
    if len(roots) != 1 or roots[0].kind != "library":
        raise VqromError("a Liberty file must hold one library(...) group, "
                         f"not {[root.kind for root in roots[:3]]!r}")
    return roots[0]


@lru_cache(maxsize=16)
def mapping_text(text: str) -> str:
    """What mapping to a library reads of its Liberty text: cells with areas, functions, flip-flops.

    Tables of timing and power are 99 % of a library. Without them Yosys maps to the same cells,
    since it maps for area, and it does not read megabytes again for each module. Cells that are not
    for logic (:data:`NOT_FOR_LOGIC`) are left out. The short text of a long one is kept in the
    cache.

    Raises
    ------
    VqromError
        As :func:`read_library`.
    """
    if len(text) < KEPT_BYTES:
        return _shorten(text)

    def build(folder: Path) -> None:
        (folder / _SHORT).write_text(_shorten(text), encoding="utf-8")

    key = content_key(source_digest(__name__), text)
    return (cached_directory("liberty", key, build) / _SHORT).read_text(encoding="utf-8")


def _shorten(text: str) -> str:
    library = read_library(text)
    lines = [f'library("{library.name}") {{']
    for cell in library.children:
        if cell.kind == "cell" and not any(
                cell.attributes.get(name) == "true" for name in NOT_FOR_LOGIC):
            lines += _short_cell(cell)
    return "\n".join([*lines, "}", ""])


def _short_cell(cell: Group) -> list[str]:
    lines = [f'  cell("{cell.name}") {{']
    if "area" in cell.attributes:
        lines.append(f"    area : {cell.attributes['area']};")
    for child in cell.children:
        if child.kind in SEQUENTIAL:
            lines.append(_short_group(child, child.attributes))
        elif child.kind == "pin":
            lines.append(_short_group(child, [name for name in _PIN if name in child.attributes]))
    return [*lines, "  }"]


def _short_group(group: Group, attributes: Iterable[str]) -> str:
    values = " ".join(f'{key} : "{group.attributes[key]}";' for key in attributes)
    return f"    {group.kind}({group.name}) {{ {values} }}"


def _groups(text: str) -> list[Group]:
    """The outermost groups. Timing tables, which are most of the text, are skipped unread."""
    root = Group("", "")
    stack, deepest = [root], 4
    depth, pending = 0, ""
    for piece, brace in _pieces(text):
        if depth < deepest:
            pending += piece
        if brace == "{":
            depth += 1
            if depth < deepest:
                header = _HEADER.search(pending)
                if header is None:
                    raise VqromError(f"a Liberty group must begin with kind(name), "
                                     f"not {pending.strip()[-40:]!r}")
                _attributes(stack[-1], pending[:header.start()])
                group = Group(header.group(1), header.group(2).replace('"', "").strip())
                stack[-1].children.append(group)
                stack.append(group)
            elif depth == deepest:
                _attributes(stack[-1], pending)
            pending = ""
        elif brace == "}":
            if depth == 0:
                raise VqromError("a Liberty file must not close a group that it has not opened")
            if depth < deepest:
                _attributes(stack.pop(), pending)
            pending, depth = "", depth - 1
    if depth:
        raise VqromError(f"a Liberty file must close its groups; {depth} are open at its end")
    return root.children


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Text without comments, cut at braces outside quotes: ``(text before, brace or nothing)``."""
    start = 0
    for match in _TOKEN.finditer(text):
        token = match.group(0)
        if token in "{}":
            yield text[start:match.start()], token
            start = match.end()
        elif token.startswith("/*"):
            yield text[start:match.start()], ""
            start = match.end()


def _attributes(group: Group, text: str) -> None:
    for name, value in _ATTRIBUTE.findall(text):
        group.attributes.setdefault(name, value.replace('"', "").strip())
