"""Places in the activation buffer: first fit, over intervals of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .plan import Life, Span


@dataclass(frozen=True)
class Block:
    """Words ``base`` to ``base + size``, taken from time ``first`` to ``last``, both included."""

    first: int
    last: int
    base: int
    size: int


def first_fit(size: int, capacity: int, taken: Iterable[Span]) -> int | None:
    """The lowest base at which ``size`` words overlap nothing that is taken, or None."""
    base = 0
    for start, length in sorted(taken):
        if base + size <= start:
            break
        base = max(base, start + length)
    return base if base + size <= capacity else None


class Timeline:
    """The words that strips take, each for a short time, beside the maps that stay.

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
        """Drop the blocks that end before a time, since nothing earlier will be asked for."""
        self._blocks = [block for block in self._blocks if block.last >= time]

    def take(self, size: int, first: int, last: int, residents: Iterable[Span],
             top: bool = False) -> int | None:
        """Take words that are free from time ``first`` to ``last``.

        Parameters
        ----------
        size:
            Number of words of the activation buffer.
        first, last:
            Positions of the first and the last strip that need them.
        residents:
            Words of maps that stay at that time.
        top:
            Take the highest that are free, not the lowest: where blocks alike in size and life keep
            to one end of the buffer, little is left over between them.

        Returns
        -------
        int or None
            The base, or None if there is no room.
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


def place_lives(lives: list[Life], capacity: int) -> tuple[list[int], int | None]:
    """Give words that stay their places, the largest first.

    If there is room, words are left alone for a segment before they are used again: what writes
    them need not wait for what reads them last, but may begin while the other unit still works.

    Returns
    -------
    tuple
        The bases, -1 where there is none yet; and the index of the first life for which there is
        no room, or None.
    """
    bases, failed = _place_lives(lives, capacity, 1)
    return (bases, failed) if failed is None else _place_lives(lives, capacity, 0)


def _place_lives(lives: list[Life], capacity: int,
                 apart: int) -> tuple[list[int], int | None]:
    """As :func:`place_lives`, with ``apart`` segments between two uses of a word."""
    bases = [-1] * len(lives)
    for index in sorted(range(len(lives)), key=lambda index: (-lives[index].size, index)):
        life = lives[index]
        taken = [(base, lives[other].size) for other, base in enumerate(bases)
                 if base >= 0 and lives[other].first <= life.last + apart
                 and lives[other].last + apart >= life.first]
        base = first_fit(life.size, capacity, taken)
        if base is None:
            return bases, index
        bases[index] = base
    return bases, None
