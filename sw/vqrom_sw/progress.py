"""How long-running functions report their progress, whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Progress = Callable[[str, int, int], None]
"""``progress(what, done, total)``; a ``total`` of 0 means that it is not known."""


class Steps(Protocol):
    """What a flow of several steps reports to: progress bars on a terminal, or nothing."""

    def callback(self, prefix: str = "") -> Progress:
        """A callback for one long-running function; ``prefix`` goes before what it reports."""
        ...

    def step(self, what: str) -> AbstractContextManager[None]:
        """A step whose length is not known: shown as begun, and as done when the block ends."""
        ...


class SilentSteps:
    """Steps that nobody watches."""

    def callback(self, prefix: str = "") -> Progress:
        """A callback that shows nothing."""
        return lambda what, done, total: None

    def step(self, what: str) -> AbstractContextManager[None]:
        """A step that shows nothing."""
        return nullcontext()
