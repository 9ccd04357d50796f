"""What tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    """What one command left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Ran]


def one_line(ran: Ran) -> str:
    """The message of a command that failed as the convention says."""
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("vqrom: error: ") and ran.err.count("\n") == 1, ran.err
    return ran.err.removeprefix("vqrom: error: ").rstrip("\n")
