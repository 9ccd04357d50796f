"""Cycles as time: the clock that a simulation is taken to run at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sw.io import parse_json, read_bytes

TIMING_SCHEMA = "vqrom.timing/1"
"""Format of the file that a clock may come from; ``vqrom_sim.timing`` writes it."""
MAX_BYTES = 64 << 20
"""Largest such file that is read."""
MAX_MHZ = 100_000.0
"""Fastest clock that is believed."""
_UNTIMED = ("name", "dram_latency")
"""Members of a configuration that say nothing about the circuit."""


@dataclass(frozen=True)
class Clock:
    """A clock frequency and where it comes from.

    Members
    -------
    frequency_mhz:
        In MHz.
    source:
        ``"given"``, or what timed which library.
    config:
        The configuration that it is of; None if it was given.
    """

    frequency_mhz: float
    source: str = "given"
    config: Mapping[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.frequency_mhz <= MAX_MHZ:
            raise VqromError(f"frequency must be more than 0 and at most {MAX_MHZ:g} MHz, not "
                             f"{self.frequency_mhz!r}")

    def time(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """A simulation's report with the key ``time`` (``docs/report-schema.md``).

        Raises
        ------
        VqromError
            If the report has no cycles, or the clock is that of another configuration.
        """
        if not report["cycles"]:
            raise VqromError(f"engine {report['engine']!r} counts no cycles, so that a frequency "
                             "gives no time")
        for name, value in (self.config or {}).items():
            if name not in _UNTIMED and report["config"].get(name) != value:
                raise VqromError(f"timing must be of the simulated config, whose {name} is "
                                 f"{report['config'].get(name)!r}, not {value!r}")
        seconds = report["cycles"] / (self.frequency_mhz * 1e6)
        return {**report, "time": {
            "frequency_mhz": self.frequency_mhz, "source": self.source, "seconds": seconds,
            "seconds_per_inference": seconds / report["images"],
            "inferences_per_second": report["images"] / seconds}}


def read_clock(path: Path) -> Clock:
    """The fastest clock that a ``timing.json`` allows, with its nominal wires.

    Raises
    ------
    VqromError
        If the file cannot be read, or is none of ``vqrom timing``.
    """
    try:
        report = parse_json(read_bytes(path, "timing", MAX_BYTES), f"timing {str(path)!r}")
        if report["schema"] != TIMING_SCHEMA:
            raise ValueError
        return Clock(float(report["fmax_mhz"]),
                     f"{report['library']['estimator']}, {report['library']['name']}",
                     dict(report["config"]))
    except VqromError:
        raise
    except (ValueError, KeyError, TypeError, OverflowError):
        raise VqromError(f"timing {str(path)!r} must be a {TIMING_SCHEMA} file, as `vqrom timing` "
                         "writes it") from None
