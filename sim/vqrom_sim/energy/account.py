"""Energy of a run: its counters times what each event costs, part by part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.area import GROUPS, macro_for
from vqrom_sim.technology import Technology

from .characterisation import Characterisation, ComponentEnergy
from .counters import counters_of
from .events import Event
from .memories import accesses

SCHEMA = "vqrom.energy/1"
"""Format of ``energy.json``."""
KINDS = ("dynamic_pj", "clock_pj", "leakage_pj")
"""Kinds of energy that add up: of data and accesses, of the clock, and of leakage."""
MOST_MISSING = 1e-3
"""How far the energies of layers may be from that of the run together, relative. A memory with a
read and a write port may have more accesses than cycles in one layer, where its clock is none, and
fewer in the run."""
LOGIC = "gate simulation of the synthesised netlists, energies of the Liberty library"
MACROS = "memory macro model"
MOST_APART = 0.25
"""How far the supply voltages of cells and memories may be apart, relative to the cells'."""


def account(report: Mapping[str, Any], counters: Mapping[str, int],
            characterisation: Characterisation, technology: Technology, frequency_mhz: float,
            dram_pj_per_bit: Sequence[float] = ()) -> dict[str, Any]:
    """Energy of a run by component, memory, group and as a whole.

    Parameters
    ----------
    report:
        What ``report.json`` holds of the run; ``layers`` may be empty.
    counters:
        The run's counters, all images together (:func:`.counters.counters_of`).
    characterisation:
        Energies of the accelerator's logic, and its memories.
    technology:
        Of the memories.
    frequency_mhz:
        Clock, which says how long things leak.
    dram_pj_per_bit:
        Energies of a bit read from or written to DRAM; by default those of the technology.

    Returns
    -------
    dict
        What ``energy.json`` holds (``docs/sim/energy.md``).

    Raises
    ------
    VqromError
        If characterisation and report are of different accelerators, supply voltages do not fit, or
        the frequency is no positive number.
    """
    config = AcceleratorConfig(**report["config"])
    _check(config, characterisation, technology, frequency_mhz)
    time_us = counters["cycles"] / frequency_mhz
    logic, arrays = _rows(counters, characterisation, config, technology, time_us)
    groups = _groups(logic, arrays)
    total, bits = _add_up(list(groups.values())), _dram_bits(report["traffic"])
    dram = [{"pj_per_bit": cost, "bits": bits, "energy_pj": cost * bits,
             "with_chip_pj": cost * bits + total["total_pj"]}
            for cost in (dram_pj_per_bit or technology.dram_pj_per_bit)]
    return {
        "schema": SCHEMA, "network": report["network"], "images": report["images"],
        "config": report["config"], "macs": report["macs"], "cycles": counters["cycles"],
        "frequency_mhz": frequency_mhz, "time_us": time_us,
        "library": dict(characterisation.library),
        "assumptions": dict(characterisation.assumptions),
        "stimuli": dict(characterisation.stimuli),
        "window_error": characterisation.window_error,
        # Of a mean of as many windows, if they are as good as drawn by chance.
        "sampling_error": characterisation.window_error / math.sqrt(
            max(len(characterisation.stimuli["windows"]), 1)),
        "scaled_from": characterisation.scaled_from,
        "technology": {"name": technology.name, "node_nm": technology.node_nm,
                       "supply_v": technology.supply_v},
        "components": logic, "memories": arrays, "groups": groups, "total": total,
        "layers": _layers(report["layers"], characterisation, config, technology, frequency_mhz,
                          total["total_pj"]),
        "dram": dram, "stalled_cycle_pj": _stalled(characterisation, arrays, frequency_mhz),
        "array_pj_per_mac": groups["array"]["dynamic_pj"] / report["macs"]
        if report["macs"] else None,
        "chip_pj_per_image": total["total_pj"] / report["images"],
    }


def _rows(counters: Mapping[str, int], characterisation: Characterisation,
          config: AcceleratorConfig, technology: Technology,
          time_us: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Energy of each component's logic, and of each memory."""
    return ([_component(row, counters, time_us) for row in characterisation.components],
            [_memory(row, counters, config, technology, time_us)
             for row in characterisation.memories])


def _groups(logic: Sequence[Mapping[str, Any]],
            arrays: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    return {group: _add_up([row for row in (*logic, *arrays) if row["group"] == group])
            for group in GROUPS}


def _dram_bits(traffic: Mapping[str, Any]) -> int:
    return 8 * (sum(traffic["dram_read_bytes"].values())
                + sum(traffic["dram_write_bytes"].values()))


def _layers(layers: Sequence[Mapping[str, Any]], characterisation: Characterisation,
            config: AcceleratorConfig, technology: Technology, frequency_mhz: float,
            total_pj: float) -> list[dict[str, Any]]:
    """Energy of each layer that the accelerator runs; together that of the run, which is checked
    within :data:`MOST_MISSING`.

    Raises
    ------
    VqromError
        If it is not.
    """
    found = []
    for layer in layers:
        if layer["cycles"] is None:
            continue
        counters = counters_of(layer, config)
        groups = _groups(*_rows(counters, characterisation, config, technology,
                                counters["cycles"] / frequency_mhz))
        found.append({
            "name": layer["name"], "kind": layer["kind"], "macs": layer["macs"],
            "cycles": counters["cycles"],
            "groups": {group: parts["total_pj"] for group, parts in groups.items()},
            **_add_up(list(groups.values())), "dram_bits": _dram_bits(layer["traffic"])})
    if found and not math.isclose(math.fsum(row["total_pj"] for row in found), total_pj,
                                  rel_tol=MOST_MISSING):
        raise VqromError("energies of layers must add up to that of the run, "
                         f"{total_pj} pJ, not to {math.fsum(row['total_pj'] for row in found)}")
    return found


def _check(config: AcceleratorConfig, characterisation: Characterisation, technology: Technology,
           frequency_mhz: float) -> None:
    mine = config.model_dump(mode="json", exclude={"name", "dram_latency"})
    for name, value in mine.items():
        if characterisation.config.get(name) != value:
            raise VqromError(f"characterisation must be of {name} {value!r}, as the report is, "
                             f"not of {characterisation.config.get(name)!r}")
    supply = characterisation.library["supply_v"]
    if abs(technology.supply_v / supply - 1) > MOST_APART:
        raise VqromError(f"technology {technology.name!r} must have the supply voltage of the cell "
                         f"library, {supply} V, within {MOST_APART:.0%}, not "
                         f"{technology.supply_v} V")
    if not (math.isfinite(frequency_mhz) and frequency_mhz > 0):
        raise VqromError(f"frequency must be more than 0 MHz, not {frequency_mhz!r}")


def _component(row: ComponentEnergy, counters: Mapping[str, int], time_us: float) -> dict[str, Any]:
    events = Event(row.event, row.counters).count(counters)
    return {
        "component": row.component, "group": row.group, "event": row.event,
        "counters": list(row.counters), "events": events, "event_pj": row.event_pj,
        "cycle_pj": row.cycle_pj, "clock_cycle_pj": row.clock_pj, "leakage_uw": row.leakage_uw,
        "dynamic_pj": row.event_pj * events + row.cycle_pj * counters["cycles"],
        "clock_pj": row.clock_pj * counters["cycles"],
        # Microwatts times microseconds are picojoules.
        "leakage_pj": row.leakage_uw * time_us,
        "settled_share": row.settled_share, "wire_share": row.wire_share, "estimator": LOGIC,
    }


def _memory(row: Mapping[str, Any], counters: Mapping[str, int], config: AcceleratorConfig,
            technology: Technology, time_us: float) -> dict[str, Any]:
    (shape, macro), found = macro_for(row, technology), accesses(row, counters, config)
    resting = max(row["instances"] * counters["cycles"] - found.reads - found.writes, 0)
    return {
        "component": row["component"], "group": row["group"], "macro": shape.text,
        "instances": row["instances"], "reads": found.reads, "writes": found.writes,
        "accesses": found.known, "read_pj": macro.read_pj, "write_pj": macro.write_pj,
        "clock_cycle_pj": macro.clock_pj, "leakage_uw": macro.leakage_uw * row["instances"],
        "dynamic_pj": found.reads * macro.read_pj + found.writes * macro.write_pj,
        "clock_pj": resting * macro.clock_pj,
        "leakage_pj": macro.leakage_uw * row["instances"] * time_us,
        "estimator": MACROS,
    }


def _stalled(characterisation: Characterisation, memories: Sequence[Mapping[str, Any]],
             frequency_mhz: float) -> dict[str, float]:
    """Energy of a cycle in which no component has an event."""
    rows = characterisation.components
    leakage = math.fsum(row.leakage_uw for row in rows) + math.fsum(
        row["leakage_uw"] for row in memories)
    found = {
        "dynamic_pj": math.fsum(row.cycle_pj for row in rows),
        "clock_pj": math.fsum(row.clock_pj for row in rows) + math.fsum(
            row["clock_cycle_pj"] * row["instances"] for row in memories),
        "leakage_pj": leakage / frequency_mhz,
    }
    return found | {"total_pj": math.fsum(found.values())}


def _add_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    found = {kind: math.fsum(row[kind] for row in rows) for kind in KINDS}
    return found | {"total_pj": math.fsum(found.values())}
