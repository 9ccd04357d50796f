"""Energy and time of a point: its counters times what events cost, and its cycles at a clock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.area import GROUPS
from vqrom_sim.energy import Characterisation, account, counters_of, scale
from vqrom_sw.io import parse_json, read_bytes

from ..context import Context
from ..definition import Column, Scalar
from ..point import Point
from ..work import Result, Work
from .area import AREA, area_works, cells_of
from .cycles import CYCLES, cycles_works
from .measure import Measure

MAX_BYTES = 64 << 20
"""Largest characterisation that is read."""
NONE = "none"
"""Where a point names no characterisation."""
ACCOUNT = "cycle model; gate simulation of netlists, scaled by area; macro model of the technology"
DRAM = "bytes of the commands that are carried out, energies of a bit from the technology"


def energy_works(point: Point, context: Context) -> tuple[Work, ...]:
    """The synthesis of the accelerator, and the cycles of each program.

    Raises
    ------
    VqromError
        If the point names no characterisation or no clock.
    """
    _, options = point.built
    if options.characterisation == NONE:
        raise VqromError("measure 'energy' must be given the field characterisation, a file that "
                         "vqrom energy writes")
    _frequency(point, "energy")
    return (*area_works(point, context), *cycles_works(point, context))


def energy_figures(point: Point, context: Context,
                   results: Sequence[Result]) -> dict[str, Scalar]:
    """Energy of the point's workload on the chip by part and kind, and with DRAM."""
    config, options = point.built
    area, runs = results[0], results[1:]
    measured, digest = _characterisation(str(context.characterisation(options.characterisation)))
    technology = cells_of(point, context).technology
    scaled = scale(measured, config, area)
    counters = _counters(runs, config)
    found = account(_report(runs, config), counters, scaled, technology,
                    _frequency(point, "energy"))
    total, dram = found["total"], found["dram"]
    asked = options.dram_pj_per_bit
    return {
        "chip_pj": total["total_pj"], "chip_dynamic_pj": total["dynamic_pj"],
        "chip_clock_pj": total["clock_pj"], "chip_leakage_pj": total["leakage_pj"],
        **{f"{group}_pj": found["groups"][group]["total_pj"] for group in GROUPS},
        "stalled_cycle_pj": found["stalled_cycle_pj"]["total_pj"],
        "dram_low_pj": dram[0]["energy_pj"], "dram_high_pj": dram[-1]["energy_pj"],
        "total_low_pj": dram[0]["with_chip_pj"], "total_high_pj": dram[-1]["with_chip_pj"],
        "total_pj": None if asked is None else total["total_pj"] + asked * dram[0]["bits"],
        "characterised": measured.config["name"], "characterisation_sha256": digest,
    }


def time_works(point: Point, context: Context) -> tuple[Work, ...]:
    """The cycles of each program.

    Raises
    ------
    VqromError
        If the point has no clock.
    """
    _frequency(point, "time")
    return cycles_works(point, context)


def time_figures(point: Point, context: Context, results: Sequence[Result]) -> dict[str, Scalar]:
    """How long the workload takes, and how often it runs in a second."""
    cycles = sum(result["cycles"] for result in results)
    time_us = cycles / _frequency(point, "time")
    return {"time_us": time_us, "runs_per_second": 1e6 / time_us}


def _frequency(point: Point, measure: str) -> float:
    _, options = point.built
    if options.frequency_mhz is None:
        raise VqromError(f"measure {measure!r} must be given the field frequency_mhz")
    return options.frequency_mhz


@cache
def _characterisation(path: str) -> tuple[Characterisation, str]:
    """A characterisation, and the first digits of its SHA-256."""
    content = read_bytes(Path(path), "characterisation", MAX_BYTES)
    return (Characterisation.from_dict(
        parse_json(content, f"characterisation {path!r}")),
            hashlib.sha256(content).hexdigest()[:16])


def _counters(runs: Sequence[Result], config: AcceleratorConfig) -> dict[str, int]:
    """The counters of all programs, added up."""
    each = [counters_of(run, config) for run in runs]
    return {name: sum(counters[name] for counters in each) for name in each[0]}


def _report(runs: Sequence[Result], config: AcceleratorConfig) -> dict[str, Any]:
    """What an account reads of a report, of all programs together."""
    def summed(way: str) -> Mapping[str, int]:
        streams = [run["traffic"][f"dram_{way}_bytes"] for run in runs]
        return {stream: sum(one[stream] for one in streams) for stream in streams[0]}

    return {"network": "workload", "images": 1, "config": config.model_dump(mode="json"),
            "macs": sum(run["macs"] for run in runs), "cycles": sum(run["cycles"] for run in runs),
            "layers": [],
            "traffic": {"dram_read_bytes": summed("read"), "dram_write_bytes": summed("write")}}


ENERGY = Measure(
    "energy",
    (Column("chip_pj", "pJ", "energy of the workload on the chip", ACCOUNT),
     Column("chip_dynamic_pj", "pJ", "of data and accesses", ACCOUNT),
     Column("chip_clock_pj", "pJ", "of the clock", ACCOUNT),
     Column("chip_leakage_pj", "pJ", "of leakage", ACCOUNT),
     *(Column(f"{group}_pj", "pJ", f"logic and memories of the group {group}", ACCOUNT)
       for group in GROUPS),
     Column("stalled_cycle_pj", "pJ", "a cycle in which nothing happens", ACCOUNT),
     Column("dram_low_pj", "pJ", "DRAM, with the cheapest of the technology's kinds", DRAM),
     Column("dram_high_pj", "pJ", "DRAM, with the dearest", DRAM),
     Column("total_low_pj", "pJ", "chip, and the cheapest DRAM", f"{ACCOUNT}; {DRAM}"),
     Column("total_high_pj", "pJ", "chip, and the dearest DRAM", f"{ACCOUNT}; {DRAM}"),
     Column("total_pj", "pJ", "chip, and DRAM of dram_pj_per_bit, where that is given",
            f"{ACCOUNT}; {DRAM}"),
     Column("characterised", "", "configuration whose netlists were simulated", "characterisation"),
     Column("characterisation_sha256", "", "first digits of the characterisation's SHA-256",
            "characterisation")),
    AREA.fields | CYCLES.fields | {"characterisation", "dram_pj_per_bit", "frequency_mhz"},
    energy_works, energy_figures)
"""Energy of a run of the workload."""

TIME = Measure(
    "time",
    (Column("time_us", "us", "time of the workload at frequency_mhz", "cycle model"),
     Column("runs_per_second", "1/s", "how often the workload runs in a second", "cycle model")),
    CYCLES.fields | {"frequency_mhz"},
    time_works, time_figures)
"""Time of a run of the workload."""
