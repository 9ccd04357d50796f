"""How long-running functions report their progress, without knowing who shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Progress = Callable[[str, int, int], None]
"""A function ``progress(what, done, total)``; a ``total`` of 0 means that it is not known."""


class Steps(Protocol):
    """Watches work of several steps: shows progress bars on a terminal, for example, or nothing."""

    def callback(self, prefix: str = "") -> Progress:
        """A callback to hand to one long-running function; ``prefix`` precedes what it reports."""
        ...

    def step(self, what: str) -> AbstractContextManager[None]:
        """A context for a step of unknown length: it is shown as done when the block ends."""
        ...


class SilentSteps:
    """Shows nothing, for work that nobody watches."""

    def callback(self, prefix: str = "") -> Progress:
        """A callback that shows nothing."""
        return lambda what, done, total: None

    def step(self, what: str) -> AbstractContextManager[None]:
        """A step that shows nothing."""
        return nullcontext()
