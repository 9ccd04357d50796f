"""Paths by the names of the source: which component, from which register to which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from vqrom_hw.export import TOP

from .netlist import Netlist
from .opensta import TimedPath

PORT = "port"
"""Component of the ports of the whole design."""

_NUMBERS = re.compile(r"(_\d+)+$")
_BIT = re.compile(r"\[\d+\]$")
_MEMORY_PIN = re.compile(r"_\d+$")


def describe(path: TimedPath, netlists: Mapping[str, Netlist], period_ps: float) -> dict[str, Any]:
    """A path as ``timing.json`` has it.

    Parameters
    ----------
    path:
        From OpenSTA.
    netlists:
        The modules that it runs through.
    period_ps:
        The period that its slack is of.
    """
    start, end = place(path.start, netlists), place(path.end, netlists)
    # Outputs and inputs take turns; an output is the last pin of its instance on the path.
    steps = [point for point, following in pairwise(path.points)
             if _instance(point.pin) != _instance(following.pin)]
    return {
        "start": start, "end": end, "delay_ns": round((period_ps - path.slack_ps) / 1e3, 4),
        "cells": len(steps),
        "through": _components(path, netlists),
        "points": [{"pin": point.pin, "cell": cell_at(point.pin, netlists),
                    "arrival_ns": round(point.arrival_ps / 1e3, 4)} for point in steps],
    }


def of_components(paths: Sequence[TimedPath], netlists: Mapping[str, Netlist],
                  period_ps: float) -> list[dict[str, Any]]:
    """For each component the slowest path that ends in it, slowest first."""
    rows: dict[str, dict[str, Any]] = {}
    for path in paths:
        name = place(path.end, netlists)["component"]
        if name not in rows:
            described = describe(path, netlists, period_ps)
            rows[name] = {
                "component": name, "period_ns": described["delay_ns"],
                "fmax_mhz": round(1e3 / described["delay_ns"], 2),
                "start": described["start"], "end": described["end"],
                "cells": described["cells"], "ends": 0}
        rows[name]["ends"] += 1
    return list(rows.values())


def place(pin: str, netlists: Mapping[str, Netlist]) -> dict[str, str]:
    """Component and register of a pin; of a port of the design, its name."""
    if "/" not in pin:
        return {"component": PORT, "register": _BIT.sub("", pin)}
    *modules, instance, _ = pin.split("/")
    names = [_NUMBERS.sub("", name) for name in modules]
    kind = cell_at(pin, netlists)
    register = _BIT.sub("", instance)
    if _is_memory(kind):
        register += f" {_MEMORY_PIN.sub('', pin.rpartition('/')[2])}"
    return {"component": "/".join(names) or TOP, "register": register}


def cell_at(pin: str, netlists: Mapping[str, Netlist]) -> str:
    """Kind of the cell that a pin belongs to; empty for a port of the design."""
    if "/" not in pin:
        return ""
    *modules, instance, _ = pin.split("/")
    netlist = netlists[TOP]
    for name in modules:
        netlist = netlists[netlist.instances[name].kind]
    return netlist.instances[instance].kind


def _instance(pin: str) -> str:
    """Path of the instance that a pin belongs to."""
    return pin.rpartition("/")[0]


def _is_memory(kind: str) -> bool:
    return kind.startswith(("ram_", "rom_"))


def _components(path: TimedPath, netlists: Mapping[str, Netlist]) -> list[str]:
    """Components that a path runs through, in order."""
    found: list[str] = []
    for point in path.points:
        name = place(point.pin, netlists)["component"]
        if not found or found[-1] != name:
            found.append(name)
    return found
