"""Hands out places in the array of the cycle model's registers, one after the other."""

from __future__ import annotations

from vqrom_hw.errors import VqromError


class Allocator:
    """Gives away the places of an array in order, so that no two registers share one.

    Parameters
    ----------
    end:
        First place to give away.

    Members
    -------
    end:
        The place after the last one that is given away: how long the array has to be.
    """

    def __init__(self, end: int = 0) -> None:
        self.end = end

    def take(self, count: int = 1) -> int:
        """The first of the next ``count`` places; they are taken from now on."""
        first, self.end = self.end, self.end + count
        return first


def ring_mask(places: int, name: str) -> int:
    """The bit mask that lets an index into a ring of registers wrap around.

    Parameters
    ----------
    places:
        Length of the ring. The model wraps with a bitwise AND, which is right for powers of two.
    name:
        The constant of the hardware that gives the length, for the error.

    Raises
    ------
    VqromError
        If the length is no power of two: the model would count wrong without a word.
    """
    if places < 1 or places & (places - 1):
        raise VqromError(
            f"{name} must be a power of two for the cycle model's rings, not {places!r}")
    return places - 1
