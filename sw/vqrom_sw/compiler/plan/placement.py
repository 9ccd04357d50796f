"""TODO."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.compiler.tasks import Task

from .allocation import Timeline
from .plan import Residencies, Residency, Residents, Step, Window


@dataclass
class Placer:
    """Gives windows and staging places.

    A step is two units of time: rows of the step before are stored in the first, those of the next
    one loaded in the second, if need be into the same words.

    Members
    -------
    config, tasks, residency:
        What there is.
    timeline:
        Words taken so far.
    tight:
        Take words for one step only, wherever that is possible.
    flipped:
        Windows at the top and the rest at the bottom, not the other way round.
    """

    config: AcceleratorConfig
    tasks: list[Task]
    residency: Residencies
    timeline: Timeline
    tight: bool
    flipped: bool
    stall: int = 0

    def place(self, steps: list[Step], time: int, residents: list[Residents]) -> int | None:
        """Cycles for which units wait for loads and stores, or None if there is no room.

        Parameters
        ----------
        time:
            Number of the first step.
        residents:
            Maps that stay in the group before, this one and the one after.
        """
        previous: dict[tuple[int, int], int] = {}
        self._find_sizes(steps)
        for number, step in enumerate(steps):
            now, last = 2 * (time + number), number + 1 == len(steps)
            self.timeline.forget(now - 2)
            following = None if last else steps[number + 1]
            before = residents[0] + residents[1] if number == 0 else residents[1]
            after = residents[1] + residents[2] if last else residents[1]
            step.early = step.early and not self.tight
            for key, window in step.windows.items():
                lost = previous.get(key) != number - 1
                previous[key] = number
                source = self.tasks[key[0]].inputs[key[1]]
                base = self._fused(key, window, following, now, residents[1], lost) \
                    if self.residency[source] == Residency.FUSED \
                    else self._window(step, key, now, (before, residents[1]), lost)
                if base is None:
                    return None
                window.base = base
            for position in step.produced:
                output = self.tasks[position].output
                if self.residency[output] == Residency.SPILLED:
                    base = self._staging(self._staged[position], now, (residents[1], after))
                    if base is None:
                        return None
                    step.staging[position] = base
        return self.stall

    def _find_sizes(self, steps: list[Step]) -> None:
        """Words of windows and staging: all of a kind alike, so that one fits where one was."""
        self._sizes: dict[tuple[int, int], int] = {}
        self._staged: dict[int, int] = {}
        for step in steps:
            for key, window in step.windows.items():
                size = (window.end - window.first) * self.tasks[key[0]].inputs[key[1]].pitch
                self._sizes[key] = max(size, self._sizes.get(key, 0))
            for position, (first, end) in step.produced.items():
                size = (end - first) * self.tasks[position].output.pitch
                self._staged[position] = max(size, self._staged.get(position, 0))

    def _fused(self, key: tuple[int, int], window: Window, following: Step | None, now: int,
               residents: Residents, lost: bool) -> int | None:
        halo = window.fresh > window.first
        after = following and following.windows.get(key)
        kept = after and (not self.tight or after.fresh > after.first)
        return None if halo and lost else self.timeline.take(
            self._sizes[key], now, now + (3 if kept else 1), residents, not self.flipped)

    def _window(self, step: Step, key: tuple[int, int], now: int,
                residents: tuple[Residents, Residents], lost: bool) -> int | None:
        size, window, base = self._sizes[key], step.windows[key], None
        before, here = residents
        for begin in (now - 2, now - 1) if step.early else ():
            if base is None:
                base = self.timeline.take(size, begin, now + 1, before, self.flipped)
        if base is None:
            step.early, lost = False, True
            base = self.timeline.take(size, now, now + 1, here, self.flipped)
            self.stall += self._beats(size)
        window.reload = lost and window.fresh > window.first
        return base

    def _staging(self, size: int, now: int,
                 residents: tuple[Residents, Residents]) -> int | None:
        here, after = residents
        base = None if self.tight else self.timeline.take(size, now, now + 2, after,
                                                          not self.flipped)
        if base is None:
            base = self.timeline.take(size, now, now + 1, here, not self.flipped)
            self.stall += self._beats(size)
        return base

    def _beats(self, words: int) -> int:
        """Cycles that a transfer takes by itself."""
        return words * max(1, self.config.rows // self.config.beat_bytes) \
            + 2 * self.config.dram_latency
