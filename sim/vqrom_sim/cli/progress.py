"""Progress bars on stderr, behind the one callback that long-running functions take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from vqrom_sw.progress import Progress as Callback


class Bars:
    """Progress bars that appear when something first reports under their name."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def callback(self, prefix: str = "") -> Callback:
        """A callback whose bars are named ``prefix`` and what is reported."""
        def report(what: str, done: int, total: int) -> None:
            self._report(f"{prefix}: {what}" if prefix else what, done, total)
        return report

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A bar without a figure, full when the block ends."""
        self._report(what, 0, 0)
        yield
        self._report(what, 1, 1)

    def _report(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=None)
        self._progress.update(self._tasks[what], completed=done, total=total or None)


@contextmanager
def bars(*, quiet: bool = False) -> Iterator[Bars]:
    """Show progress bars while the block runs.

    Parameters
    ----------
    quiet:
        Show none. Nor are any shown where stderr is no terminal: a log wants no bars.
    """
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(), console=console,
        disable=quiet or not console.is_terminal)
    with progress:
        yield Bars(progress)
