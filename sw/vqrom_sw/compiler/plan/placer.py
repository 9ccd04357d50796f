"""Placing strips: words of the activation buffer for what is on chip only for a short time."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.config import AcceleratorConfig

from ..tasks import Task
from .plan import Residencies, Residency, RowWindow, Span, Strip, WindowKey
from .timeline import Timeline


@dataclass(frozen=True)
class ResidentSpans:
    """Words that resident maps take in the segment before, in this one and in the one after."""

    before: list[Span]
    here: list[Span]
    after: list[Span]


@dataclass
class Placer:
    """Gives the strips of a segment the bases of their windows and of their staging.

    A strip is two units of time: map rows of the strip before are stored in the first, those of the
    next one are loaded in the second, if need be into the same words. Where there is no room to
    work ahead in this way, units stand still, which is counted.

    Members
    -------
    config, tasks, residencies:
        The accelerator, all tasks, and the residency of each map.
    timeline:
        The words taken so far; those of the strips are added.
    tight:
        Take words for one strip only, wherever that is possible, and do not work ahead.
    flipped:
        Put windows of spilled maps at the top and the rest at the bottom, not the other way round.
    stall:
        Cycles for which units wait for loads and stores.
    """

    config: AcceleratorConfig
    tasks: list[Task]
    residencies: Residencies
    timeline: Timeline
    tight: bool
    flipped: bool
    stall: int = 0

    def place(self, strips: list[Strip], time: int, spans: ResidentSpans) -> bool:
        """Place all strips of a segment.

        Parameters
        ----------
        strips:
            The strips, whose windows and staging get their bases.
        time:
            Number of the first of them in the plan.
        spans:
            Words that are not free.

        Returns
        -------
        bool
            Whether there was room.
        """
        self._find_sizes(strips)
        latest: dict[WindowKey, int] = {}
        for number, strip in enumerate(strips):
            now, is_last = 2 * (time + number), number + 1 == len(strips)
            self.timeline.forget(now - 2)
            around = ResidentSpans(
                spans.before + spans.here if number == 0 else spans.here, spans.here,
                spans.here + spans.after if is_last else spans.here)
            strip.early = strip.early and not self.tight
            lost = {key: latest.get(key) != number - 1 for key in strip.windows}
            latest |= dict.fromkeys(strip.windows, number)
            following = None if is_last else strips[number + 1]
            if not (self._place_windows(strip, following, now, around, lost)
                    and self._place_staging(strip, now, around)):
                return False
        return True

    def _find_sizes(self, strips: list[Strip]) -> None:
        """Sizes of windows and staging: one for all strips, so that one fits where one was."""
        self._sizes: dict[WindowKey, int] = {}
        self._staged: dict[int, int] = {}
        for strip in strips:
            for key, window in strip.windows.items():
                size = (window.end - window.first) * self.tasks[key[0]].inputs[key[1]].pitch
                self._sizes[key] = max(size, self._sizes.get(key, 0))
            for position, (first, end) in strip.produced.items():
                size = (end - first) * self.tasks[position].output.pitch
                self._staged[position] = max(size, self._staged.get(position, 0))

    def _place_windows(self, strip: Strip, following: Strip | None, now: int,
                       spans: ResidentSpans, lost: dict[WindowKey, bool]) -> bool:
        """Give windows their bases; ``lost`` says whose rows of the strip before are gone."""
        for key, window in strip.windows.items():
            source = self.tasks[key[0]].inputs[key[1]]
            if self.residencies[source] == Residency.FUSED:
                after = following.windows.get(key) if following else None
                base = self._fused(key, window, after, now, spans.here, lost[key])
            else:
                base = self._loaded(key, strip, now, spans, lost[key])
            if base is None:
                return False
            window.base = base
        return True

    def _fused(self, key: WindowKey, window: RowWindow, after: RowWindow | None, now: int,
               here: list[Span], lost: bool) -> int | None:
        """The base of a window that the segment itself fills."""
        if window.fresh > window.first and lost:
            return None
        # The next strip copies rows from this window.
        kept = after and (not self.tight or after.fresh > after.first)
        return self.timeline.take(self._sizes[key], now, now + (3 if kept else 1), here,
                                  not self.flipped)

    def _loaded(self, key: WindowKey, strip: Strip, now: int, spans: ResidentSpans,
                lost: bool) -> int | None:
        """The base of a window that is loaded: ahead of its strip, if there is room."""
        size, window, base = self._sizes[key], strip.windows[key], None
        for begin in (now - 2, now - 1) if strip.early else ():
            if base is None:
                base = self.timeline.take(size, begin, now + 1, spans.before, self.flipped)
        if base is None:
            strip.early, lost = False, True
            base = self.timeline.take(size, now, now + 1, spans.here, self.flipped)
            self.stall += self._transfer_cycles(size)
        window.reload = lost and window.fresh > window.first
        return base

    def _place_staging(self, strip: Strip, now: int, spans: ResidentSpans) -> bool:
        """Give the rows that go to DRAM their bases."""
        for position in strip.produced:
            if self.residencies[self.tasks[position].output] == Residency.SPILLED:
                base = self._staging(self._staged[position], now, spans)
                if base is None:
                    return False
                strip.staging[position] = base
        return True

    def _staging(self, size: int, now: int, spans: ResidentSpans) -> int | None:
        """The base of rows that are stored while the next strip runs, if there is room."""
        base = None if self.tight else self.timeline.take(size, now, now + 2, spans.after,
                                                          not self.flipped)
        if base is None:
            base = self.timeline.take(size, now, now + 1, spans.here, not self.flipped)
            self.stall += self._transfer_cycles(size)
        return base

    def _transfer_cycles(self, words: int) -> int:
        """Cycles that a transfer takes while nothing else goes on."""
        return words * max(1, self.config.rows // self.config.beat_bytes) \
            + 2 * self.config.dram_latency
