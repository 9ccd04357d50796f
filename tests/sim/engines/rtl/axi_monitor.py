"""Rules of AXI4 and AXI4-Lite, watched from outside, cycle by cycle.

Pure Python: one mapping of signal values per rising edge, as they are before the edge. The rules
are those of the AMBA AXI specification for a manager without IDs, and what ``vqrom_hw`` documents
beyond them: how long bursts are and how many are under way.
"""

from __future__ import annotations

from collections.abc import Mapping

from vqrom_hw.bus import BOUNDARY
from vqrom_hw.bus import OUTSTANDING_READS as READS
from vqrom_hw.bus import OUTSTANDING_WRITES as WRITES
from vqrom_hw.bus.axi import INCR

WATCHED = {
    "m_axi": {
        "ar": ("valid", "ready", "addr", "len", "size", "burst"),
        "r": ("valid", "ready", "data", "resp", "last"),
        "aw": ("valid", "ready", "addr", "len", "size", "burst"),
        "w": ("valid", "ready", "data", "strb", "last"),
        "b": ("valid", "ready", "resp"),
    },
    "s_axil": {
        "aw": ("valid", "ready", "addr"), "w": ("valid", "ready", "data", "strb"),
        "b": ("valid", "ready", "resp"), "ar": ("valid", "ready", "addr"),
        "r": ("valid", "ready", "data", "resp"),
    },
}
"""Signals of each channel; everything but ``ready`` must be held from valid until ready."""

Cycle = Mapping[str, int]


class AxiMonitor:
    """Collects violations.

    Members
    -------
    now:
        Cycles so far.
    violations:
        A line each, with the cycle.
    written:
        Byte address and byte enables of each write beat that the memory has taken, and the cycle
        from which it was offered.
    bursts:
        Beats of each burst so far: by channel, ``ar`` or ``aw``.
    deepest:
        Most bursts that were under way, by channel.
    """

    def __init__(self, beat_bytes: int, max_beats: int):
        self._beat_bytes = beat_bytes
        self._max_beats = max_beats
        self.now = 0
        self._before: Cycle = {}
        self._reading: list[int] = []
        self._writing: list[list[int]] = []
        self._offered_at = 0
        self._unanswered = 0
        self.violations: list[str] = []
        self.written: list[tuple[int, int, int]] = []
        self.bursts: dict[str, list[int]] = {"ar": [], "aw": []}
        self.deepest = {"ar": 0, "aw": 0}

    def cycle(self, now: Cycle) -> None:
        """Look at one clock cycle."""
        for bus, channels in WATCHED.items():
            for channel, signals in channels.items():
                self._held(now, f"{bus}_{channel}", signals)
        self._read(now)
        self._write(now)
        self._before = dict(now)
        self.now += 1

    def finish(self) -> None:
        """At rest, nothing may be under way."""
        self._require(not self._reading, "a read has not been answered whole")
        self._require(not self._writing, "a write burst lacks beats")
        self._require(not self._unanswered, "a write has not been acknowledged")

    def _require(self, holds: object, rule: str) -> None:
        if not holds:
            self.violations.append(f"cycle {self.now}: {rule}")

    def _held(self, now: Cycle, channel: str, signals: tuple[str, ...]) -> None:
        before = self._before
        if before and before[f"{channel}valid"] and not before[f"{channel}ready"]:
            for signal in signals:
                if signal != "ready":
                    self._require(now[channel + signal] == before[channel + signal],
                                  f"{channel}{signal} changes before {channel}ready")

    def _burst(self, now: Cycle, channel: str) -> tuple[int, int]:
        """Check an address as it is offered; its first byte and number of beats."""
        name = f"m_axi_{channel}"
        address, beats = now[f"{name}addr"], now[f"{name}len"] + 1
        self._require(now[f"{name}burst"] == INCR, f"{name}burst is not INCR")
        self._require(1 << now[f"{name}size"] == self._beat_bytes, f"{name}size is not a beat")
        self._require(address % self._beat_bytes == 0, f"{name}addr is not that of a beat")
        self._require(beats <= self._max_beats, f"{name}len is above max_burst_beats")
        last = address + beats * self._beat_bytes - 1
        self._require(address // BOUNDARY == last // BOUNDARY, f"{name} crosses 4 KiB")
        return address, beats

    def _offered(self, now: Cycle, channel: str) -> bool:
        """Whether valid is new: a transfer that was not offered in the cycle before."""
        before = self._before
        return bool(now[f"{channel}valid"]) and not (
            before and before[f"{channel}valid"] and not before[f"{channel}ready"])

    def _read(self, now: Cycle) -> None:
        if now["m_axi_rvalid"] and now["m_axi_rready"]:
            self._require(self._reading, "read data that nobody asked for")
            if self._reading:
                self._reading[0] -= 1
                self._require(now["m_axi_rlast"] == (self._reading[0] == 0), "rlast is misplaced")
                if not self._reading[0]:
                    self._reading.pop(0)
        self._require(not now["m_axi_rvalid"] or now["m_axi_rready"], "read data must wait")
        if self._offered(now, "m_axi_ar"):
            _, beats = self._burst(now, "ar")
            self._reading.append(beats)
            self.bursts["ar"].append(beats)
            self.deepest["ar"] = max(self.deepest["ar"], len(self._reading))
            self._require(len(self._reading) <= READS, "more reads under way than documented")

    def _write(self, now: Cycle) -> None:
        if now["m_axi_bvalid"] and now["m_axi_bready"]:
            self._require(self._unanswered > len(self._writing),
                          "a write is acknowledged before its last beat")
            self._unanswered -= 1
        if self._offered(now, "m_axi_aw"):
            address, beats = self._burst(now, "aw")
            self._writing.append([address, beats])
            self._unanswered += 1
            self.bursts["aw"].append(beats)
            self.deepest["aw"] = max(self.deepest["aw"], self._unanswered)
            self._require(self._unanswered <= WRITES, "more writes under way than documented")
        if self._offered(now, "m_axi_w"):
            self._require(self._writing, "a write beat beyond the bursts that were asked for")
            left = self._writing[0][1] if self._writing else 1
            self._require(now["m_axi_wlast"] == (left == 1), "wlast is misplaced")
            self._offered_at = self.now
        if now["m_axi_wvalid"] and now["m_axi_wready"] and self._writing:
            burst = self._writing[0]
            self.written.append((burst[0], now["m_axi_wstrb"], self._offered_at))
            burst[0] += self._beat_bytes
            burst[1] -= 1
            if not burst[1]:
                self._writing.pop(0)
