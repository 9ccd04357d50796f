"""Functions of cells as tables: one bit of a number for each row of inputs."""

from __future__ import annotations

import itertools
import re
from functools import cache

from vqrom_hw.errors import VqromError
from vqrom_sim.area import evaluate

MAX_INPUTS = 6
"""A function of more inputs has no table, which would be more than 64 bits."""
_NAME = re.compile(r"[A-Za-z_]\w*")


@cache
def truth_table(function: str) -> tuple[tuple[str, ...], int]:
    """The names in a function of Liberty's notation, sorted, and its table.

    Bit ``i`` of the table is the function's value where the first name has the value of bit 0 of
    ``i``, the second one that of bit 1, and so on.

    Raises
    ------
    VqromError
        If the function is malformed or has more than :data:`MAX_INPUTS` names.
    """
    names = tuple(sorted(set(_NAME.findall(function))))
    if len(names) > MAX_INPUTS:
        raise VqromError(f"function of a library cell must have at most {MAX_INPUTS} inputs, "
                         f"unlike {function!r}")
    table = 0
    try:
        for row, values in enumerate(itertools.product((False, True), repeat=len(names))):
            pins = dict(zip(names, reversed(values), strict=True))
            table |= evaluate(function, pins) << row
    except ValueError as error:
        raise VqromError(f"function of a library cell: {error}") from None
    return names, table
