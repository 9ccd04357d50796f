"""Places in the activation buffer: first fit over intervals of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """Words ``base`` and on, taken from time ``first`` to ``last``."""

    first: int
    last: int
    base: int
    size: int


def first_fit(size: int, capacity: int, taken: Iterable[tuple[int, int]]) -> int | None:
    """Lowest base of ``size`` words that no ``(base, size)`` overlaps, if there is one."""
    base = 0
    for start, length in sorted(taken):
        if base + size <= start:
            break
        base = max(base, start + length)
    return base if base + size <= capacity else None


class Timeline:
    """Blocks of strips, taken in order of time, beside maps that stay.

    Parameters
    ----------
    capacity:
        Words of the activation buffer.
    """

    def __init__(self, capacity: int):
        self._capacity = capacity
        self._blocks: list[Block] = []

    def fork(self) -> Timeline:
        """A copy to try things on."""
        other = Timeline(self._capacity)
        other._blocks = list(self._blocks)
        return other

    def forget(self, time: int) -> None:
        """Drop what ends before a time."""
        self._blocks = [block for block in self._blocks if block.last >= time]

    def take(self, size: int, first: int, last: int, residents: Iterable[tuple[int, int]],
             top: bool = False) -> int | None:
        """Base of words that are free from ``first`` to ``last``, now taken, or None.

        The lowest that are free, or the highest (``top``): where what is alike in size and life
        keeps to one end, little is left over between.
        """
        taken = [(block.base, block.size) for block in self._blocks
                 if block.last >= first and block.first <= last]
        taken += residents
        if top:
            taken = [(self._capacity - base - length, length) for base, length in taken]
        base = first_fit(size, self._capacity, taken)
        if base is not None and top:
            base = self._capacity - base - size
        if base is not None and size:
            self._blocks.append(Block(first, last, base, size))
        return base


def place_residents(lives: list[tuple[int, int, int]],
                    capacity: int) -> tuple[list[int], int | None]:
    """Bases of blocks ``(first, last, size)``, the largest first; and one that does not fit."""
    bases = [-1] * len(lives)
    for index in sorted(range(len(lives)), key=lambda index: (-lives[index][2], index)):
        first, last, size = lives[index]
        taken = [(base, lives[other][2]) for other, base in enumerate(bases)
                 if base >= 0 and lives[other][0] <= last and lives[other][1] >= first]
        base = first_fit(size, capacity, taken)
        if base is None:
            return bases, index
        bases[index] = base
    return bases, None
