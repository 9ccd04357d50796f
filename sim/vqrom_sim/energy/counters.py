"""The hardware's counters out of ``report.json``, which has them under names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COUNTERS

_STREAMS = ("index", "raw_weight", "codebook", "parameter", "command")


def counters_of(report: Mapping[str, Any], config: AcceleratorConfig) -> dict[str, int]:
    """Every counter of a simulation's report, all images together.

    Parameters
    ----------
    report:
        What ``report.json`` holds (``docs/report-schema.md``), or an entry of its ``layers``.
    config:
        The accelerator that it is of.

    Raises
    ------
    VqromError
        If no hardware was simulated.
    """
    if report.get("cycles") is None:
        raise VqromError("report must have hardware figures, as engines 'rtl' and 'model' give "
                         "them")
    traffic, stalls, beat = report["traffic"], report["stalls"], config.beat_bytes
    read, written = traffic["dram_read_bytes"], traffic["dram_write_bytes"]
    found = {
        "cycles": report["cycles"],
        "compute_cycles": report["cycles"] - sum(stalls.values()),
        **{f"{cause}_cycles": count for cause, count in stalls.items()},
        **{f"{unit}_busy": count for unit, count in report["busy"].items()},
        **{f"{stream}_beats": read[stream] // beat for stream in _STREAMS},
        "activation_read_beats": read["activation"] // beat,
        "activation_write_beats": written["activation"] // beat,
        "rom_reads": traffic["rom_reads"],
        **{f"{name}_{way}": traffic["buffers"][buffer][way]
           for name, buffer in (("activation_buffer", "activation"), ("accumulator", "accumulator"))
           for way in ("reads", "writes")},
    }
    return {name: int(found[name]) for name in COUNTERS}
