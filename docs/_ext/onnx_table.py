"""The table of ONNX operators in Markdown: which are read, and how."""

from __future__ import annotations

import inspect

import onnx.defs

from vqrom_sw.importers.onnx import OPERATORS, OWN_GRAPHS, RANDOM, REFUSED

WHILE_READING = {
    "Constant": "a constant", "Shape": "known for any number of images",
    "Size": "known for any number of images",
    "If": "the branch that a constant condition takes",
}
"""Operators that leave nothing in the module."""


def table() -> list[str]:
    """The lines of the table in Markdown."""
    lines = ["| operator | here | how, or why not |", "|---|---|---|"]
    names = sorted({schema.name for schema in onnx.defs.get_all_schemas()
                    if schema.domain == "" and not schema.deprecated})
    for name in names:
        if name in OPERATORS:
            what, how = "read", _sentence(name)
        elif name in WHILE_READING:
            what, how = "read", WHILE_READING[name]
        else:
            never = name in RANDOM + OWN_GRAPHS
            what, how = "refused" if never else "of constants", REFUSED.get(name, "not known")
        lines.append(f"| `{name}` | {what} | {how} |")
    return lines


def _sentence(name: str) -> str:
    """What the docstring of an operator's reader says, without the operator's name."""
    text = inspect.getdoc(OPERATORS[name]) or ""
    first = " ".join(text.split("\n\n")[0].split()).replace("``", "`").rstrip(".")
    for start in (f"`{name}`: ", f"`{name}`, ", f"`{name}`; ", f"`{name}` "):
        first = first.removeprefix(start)
    return first[:1].lower() + first[1:]
