"""What both TFLite readers do with each operator, as lines of Markdown from the code."""

from __future__ import annotations

from tflite_meanings import FOOTNOTE, LAYERS, MODULES, STATIC

from vqrom_sw.importers.tflite.float_operators import OPERATORS as FLOAT
from vqrom_sw.importers.tflite.int8_operators import OPERATORS as INT8
from vqrom_sw.importers.tflite.int8_operators import REFUSED
from vqrom_sw.importers.tflite.source import KINDS, STATIC_KINDS


def lines() -> list[str]:
    """The lines of the table and of the list, in Markdown."""
    known = [kind for kind in KINDS if kind in FLOAT or kind in INT8 or kind in STATIC_KINDS]
    others = [f"`{kind}`" for kind in KINDS if kind not in known and kind not in REFUSED]
    named = [kind for kind in KINDS if kind not in known and kind in REFUSED]
    return ["| operator | int8 model | float model |", "|---|---|---|",
            *(f"| `{kind}` | {int8_text(kind)} | {float_text(kind)} |" for kind in known),
            *(f"| `{kind}` | refused: {REFUSED[kind]} | refused |" for kind in named),
            "", FOOTNOTE, "", f"Both readers refuse all others by name: {', '.join(others)}."]


def int8_text(kind: str) -> str:
    """What becomes of an operator of an int8 model."""
    mark = f" {STATIC}" if kind in STATIC_KINDS else ""
    if kind in INT8:
        return LAYERS[kind] + mark
    return f"refused: {REFUSED[kind]}{mark}" if kind in REFUSED else \
        f"only {STATIC}" if mark else "refused"


def float_text(kind: str) -> str:
    """What becomes of an operator of a float model."""
    mark = f" {STATIC}" if kind in STATIC_KINDS else ""
    if kind in FLOAT:
        return MODULES[FLOAT[kind].__module__.rpartition(".")[2]] + mark
    return f"only {STATIC}" if mark else "refused"
