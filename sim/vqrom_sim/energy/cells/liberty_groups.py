"""Single cells of a Liberty text, in full depth.

A library's text has megabytes, most of them timing tables of cells that a design does not use. So a
cell's text is cut out first and read alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from vqrom_hw.errors import VqromError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|[{}]', re.DOTALL)
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|/\*.*?\*/', re.DOTALL)
_HEADER = re.compile(r"(\w+)\s*\(([^()]*)\)\s*$")
_SIMPLE = re.compile(r'(\w+)\s*:\s*("(?:[^"\\]|\\.)*"|[^;\n]*)')
_COMPLEX = re.compile(r'(\w+)\s*\(((?:"(?:[^"\\]|\\.)*"|[^()"])*)\)\s*;?')
_CELL = re.compile(r'\bcell\s*\(\s*"?([^\s"()]+)"?\s*\)\s*\{')
_CURRENTS = re.compile(r"output_current_\w+|receiver_capacitance\w*|ccsn_\w+|dc_current|pg_current|"
                       r"output_voltage_\w+|propagated_noise_\w+|test_cell")
"""Groups that are never read: current sources and noise."""


@dataclass
class Group:
    """``kind(name) { attributes children }`` of a Liberty text.

    Members
    -------
    kind, name:
        Before and inside the parentheses; the name may be empty.
    attributes:
        ``name : value`` and ``name(value, ...)``, quotes and line ends removed.
    children:
        Groups in it.
    """

    kind: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Group] = field(default_factory=list)

    def all(self, kind: str) -> list[Group]:
        """Children of one kind."""
        return [child for child in self.children if child.kind == kind]

    def numbers(self, attribute: str) -> np.ndarray:
        """The numbers of an attribute, float64 ``[n]``; empty if it is absent.

        Raises
        ------
        VqromError
            If something in it is no number.
        """
        words = re.split(r"[\s,\\]+", self.attributes.get(attribute, ""))
        try:
            return np.array([float(word) for word in words if word])
        except ValueError:
            raise VqromError(f"Liberty attribute {attribute!r} of {self.kind}({self.name}) must "
                             f"be numbers, not {self.attributes[attribute][:40]!r}") from None


def library_head(text: str) -> Group:
    """A library's own attributes: what stands before its first cell, without groups.

    Raises
    ------
    VqromError
        If the text does not begin with ``library(name)``.
    """
    first = _CELL.search(text)
    head = _COMMENT.sub(r"\1", text[:first.start() if first else len(text)])
    opening = re.match(r"\s*(library)\s*\(([^()]*)\)\s*\{", head)
    if opening is None:
        raise VqromError(f"a Liberty text must begin with library(name), not {head[:40].strip()!r}")
    group = Group("library", _plain(opening.group(2)))
    _read_attributes(group, re.sub(r"\{[^{}]*\}", "", head[opening.end():]))
    return group


def read_cells(text: str, names: Iterable[str]) -> dict[str, Group]:
    """The cells of those names that a Liberty text has, in full depth but for current sources."""
    wanted = set(names)
    return {name: _read_cell(text, match) for match in _CELL.finditer(text)
            if (name := match.group(1)) in wanted}


def _read_cell(text: str, opening: re.Match[str]) -> Group:
    """The cell whose ``cell(name) {`` was found."""
    cell = Group("cell", opening.group(1))
    stack, skipped = [cell], 0
    for before, brace in _braces(text, opening.end()):
        if skipped:
            skipped += 1 if brace == "{" else -1
        elif brace == "}":
            _read_attributes(stack.pop(), before)
            if not stack:
                return cell
        else:
            header = _HEADER.search(before)
            if header is None:
                raise VqromError(f"a group of Liberty cell {cell.name!r} must begin with "
                                 f"kind(name), not {before.strip()[-40:]!r}")
            _read_attributes(stack[-1], before[:header.start()])
            kind = header.group(1)
            if _CURRENTS.fullmatch(kind):
                skipped = 1
                continue
            stack[-1].children.append(group := Group(kind, _plain(header.group(2))))
            stack.append(group)
    raise VqromError(f"Liberty cell {cell.name!r} must end; it is open at the end of the file")


def _braces(text: str, start: int) -> Iterator[tuple[str, str]]:
    """Text without comments before each brace outside quotes, and that brace."""
    pending = ""
    for match in _TOKEN.finditer(text, start):
        token = match.group(0)
        if token in "{}":
            yield pending + text[start:match.start()], token
            pending, start = "", match.end()
        elif token.startswith("/*"):
            pending, start = pending + text[start:match.start()], match.end()


def _read_attributes(group: Group, text: str) -> None:
    rest = _SIMPLE.sub("", text)
    for pattern, source in ((_SIMPLE, text), (_COMPLEX, rest)):
        for name, value in pattern.findall(source):
            group.attributes.setdefault(name, _plain(value))


def _plain(value: str) -> str:
    return value.replace('"', " ").replace("\\\n", " ").strip()
