"""What STRIDED_SLICE and SLICE take of a tensor, as an index of one entry for each axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .operator import TfliteOperator

Index = tuple[slice | int | None, ...]
"""An entry for each axis: a slice, a place (the axis goes), or None (a new axis)."""


def strided_index(operator: TfliteOperator, rank: int, begin: np.ndarray, end: np.ndarray,
                  strides: np.ndarray) -> Index:
    """Make the index of a STRIDED_SLICE.

    Parameters
    ----------
    operator:
        The operator, whose masks are taken.
    rank:
        Number of axes of its input.
    begin, end, strides:
        Its other inputs, integers ``[n]``.

    Raises
    ------
    VqromError
        If they do not fit each other or the input.
    """
    group = "StridedSliceOptions"
    masks = {name: operator.option(group, f"{name}Mask")
             for name in ("begin", "end", "ellipsis", "newAxis", "shrinkAxis")}
    offset = operator.option(group, "offset")
    if not len(begin) == len(end) == len(strides) or (strides == 0).any():
        raise operator.error("must have as many begins, ends and strides, which must not be 0")
    entries: list[slice | int | None] = []
    taken = sum(not (masks["newAxis"] >> place & 1 or masks["ellipsis"] >> place & 1)
                for place in range(len(begin)))
    for place, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        if masks["ellipsis"] >> place & 1:
            entries += [slice(None)] * (rank - taken)
        elif masks["newAxis"] >> place & 1:
            entries.append(None)
        elif masks["shrinkAxis"] >> place & 1:
            entries.append(int(first))
        else:
            stop = None if masks["end"] >> place & 1 else int(last + first * bool(offset))
            entries.append(slice(None if masks["begin"] >> place & 1 else int(first), stop,
                                 int(step)))
    return completed(operator, entries, rank)


def slice_index(operator: TfliteOperator, rank: int, begin: np.ndarray,
                sizes: np.ndarray) -> Index:
    """Make the index of a SLICE from its inputs; a size of -1 is all that there is."""
    if not len(begin) == len(sizes) == rank or (begin < 0).any() or (sizes < -1).any():
        raise operator.error(f"must have {rank} begins and sizes that are not negative")
    return tuple(slice(int(first), None if size == -1 else int(first + size), 1)
                 for first, size in zip(begin, sizes, strict=True))


def completed(operator: TfliteOperator, entries: Sequence[slice | int | None],
              rank: int) -> Index:
    """An index with whole axes behind, up to a number of axes."""
    missing = rank - sum(entry is not None for entry in entries)
    if missing < 0:
        raise operator.error(f"must slice at most {rank} axes")
    return (*entries, *[slice(None)] * missing)


def bounds(entry: slice, size: int) -> tuple[int, int, int]:
    """First place, number of places and step of a slice of an axis."""
    first, last, step = entry.indices(size)
    return first, len(range(first, last, step)), step
