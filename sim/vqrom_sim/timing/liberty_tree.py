"""The whole tree of a Liberty file, timing tables included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from vqrom_hw.errors import VqromError

_COMMENT = re.compile(r"/\*.*?\*/|\\\n", re.DOTALL)
_STATEMENT = re.compile(
    # Stray semicolons after a closing brace are common.
    r'[\s;]*(?:(?P<close>\})|(?P<name>\w+)\s*(?:'
    r':\s*(?P<value>"[^"]*"|[^;\n}]*)\s*;?'
    r'|\((?P<arguments>(?:"[^"]*"|[^()"])*)\)\s*(?:(?P<open>\{)|;?)))')


@dataclass
class Group:
    """``kind(name) { ... }`` of a Liberty file.

    Members
    -------
    kind, name:
        What stands before and in the parentheses; quotes are taken off.
    attributes:
        ``name : value`` and ``name(values)``, by name; quotes are taken off. Of those that occur
        more than once, the last.
    children:
        Groups inside, in the order of the file.
    """

    kind: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Group] = field(default_factory=list)

    def of_kind(self, *kinds: str) -> Iterator[Group]:
        """The groups directly inside that are of these kinds."""
        return (child for child in self.children if child.kind in kinds)


def read_tree(text: str) -> Group:
    """The ``library`` group of a Liberty text.

    Raises
    ------
    VqromError
        If it is not one library whose braces match, or a statement cannot be read.
    """
    text = _COMMENT.sub("", text)
    root = Group("", "")
    stack, position, end = [root], 0, len(text.rstrip("; \t\r\n"))
    while position < end:
        match = _STATEMENT.match(text, position)
        if match is None or (match["close"] and len(stack) == 1):
            raise VqromError("a Liberty file must hold groups and attributes, not "
                             f"{text[position:position + 40].strip()!r}")
        position = match.end()
        if match["close"]:
            stack.pop()
        elif match["open"]:
            group = Group(match["name"], _unquoted(match["arguments"]))
            stack[-1].children.append(group)
            stack.append(group)
        else:
            value = match["value"] if match["value"] is not None else match["arguments"]
            stack[-1].attributes[match["name"]] = _unquoted(value)
    if len(stack) != 1 or [group.kind for group in root.children] != ["library"]:
        raise VqromError("a Liberty file must hold one library(...) group and close it")
    return root.children[0]


def numbers(text: str) -> list[float]:
    """The numbers of a list as Liberty writes it: ``0.1, 0.2`` with or without quotes.

    Raises
    ------
    VqromError
        If something in it is no number.
    """
    try:
        return [float(part) for part in text.replace('"', " ").replace(",", " ").split()]
    except ValueError:
        raise VqromError(f"a Liberty table must hold numbers, not {text[:60]!r}") from None


def _unquoted(text: str) -> str:
    text = text.strip()
    if text[:1] == text[-1:] == '"' and text.count('"') == 2:
        return text[1:-1].strip()
    return text
