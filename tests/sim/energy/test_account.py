"""Accounts: energy by event and cycle, what adds up, what is refused; sizes of other designs."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqrom_hw.assembly import increment_bits
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COUNTERS
from vqrom_sim.area import macro_for
from vqrom_sim.energy import Characterisation, ComponentEnergy, account, counters_of, scale
from vqrom_sim.energy.attribution import SETTLING, attribute
from vqrom_sim.energy.events import CYCLE, event_of, split_increments
from vqrom_sim.energy.memories import accesses
from vqrom_sim.report import EnergyReport, energy_table
from vqrom_sim.technology import load_technology

TINY = load_config("tiny")
TECHNOLOGY = load_technology("130nm")
COUNTS = {name: 100 + number for number, name in enumerate(COUNTERS)} | {"cycles": 1000}


def component(name: str, group: str, **changes: Any) -> ComponentEnergy:
    """A component of 10 um2 with 4 flip-flops: an event 2 pJ, a cycle 0.5 pJ of data and 1 of
    clock, leakage 3 uW."""
    event = event_of(name)
    return replace(ComponentEnergy(
        name, group, ("m",), 1, 1, 4, 10.0, event.name, event.counters, 2.0, 0.5, 1.0, 3.0, 0.75,
        0.25, 10, 100, 50), **changes)


def memory(component: str, group: str, words: int = 1024, width: int = 64, **changes: Any,
           ) -> dict[str, Any]:
    return {"component": component, "group": group, "instances": 1, "name": "m", "kind": "ram",
            "words": words, "width": width, "read_ports": 1, "write_ports": 1, "write_enables": 1,
            "synchronous": True, "bits": words * width} | changes


CHARACTERISATION = Characterisation(
    TINY.model_dump(mode="json"),
    {"name": "cells", "sha256": "12", "supply_v": 1.8, "slew_ns": 0.07, "stage_ns": 0.08},
    {"wire_pitches_per_sink": 4.0, "wire_ff_per_um": 0.17},
    {"network": "net", "program_sha256": "34", "windows": [[0, 100]]}, 0.1,
    (component("compute_unit/processing_array/processing_element", "array"),
     component("csr", "control"), component("compute_unit/weight_loader/codebook_rom", "rom")),
    (memory("activation_buffer/activation_bank", "activation_buffer", instances=4),))


def report(config: AcceleratorConfig = TINY) -> dict[str, Any]:
    """A report with a counter's worth of every event."""
    beat = config.beat_bytes
    return {
        "network": "net", "images": 2, "config": config.model_dump(mode="json"), "macs": 3200,
        "cycles": COUNTS["cycles"], "layers": [],
        "stalls": {name.removesuffix("_cycles"): count for name, count in COUNTS.items()
                   if name.endswith("_cycles") and name != "compute_cycles"},
        "busy": {name.removesuffix("_busy"): count for name, count in COUNTS.items()
                 if name.endswith("_busy")},
        "traffic": {
            "dram_read_bytes": {**{name: beat * COUNTS[f"{name}_beats"] for name in (
                "index", "raw_weight", "codebook", "parameter", "command")},
                "activation": beat * COUNTS["activation_read_beats"]},
            "dram_write_bytes": {"activation": beat * COUNTS["activation_write_beats"]},
            "rom_reads": COUNTS["rom_reads"],
            "buffers": {buffer: {way: COUNTS[f"{name}_{way}"] for way in ("reads", "writes")}
                        for buffer, name in (("activation", "activation_buffer"),
                                             ("accumulator", "accumulator"))}}}


def spent(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "report": report(), "counters": COUNTS, "characterisation": CHARACTERISATION,
        "technology": TECHNOLOGY, "frequency_mhz": 50.0}
    return account(**arguments | changes)


def test_events_and_cycles_add_up() -> None:
    """Busy cycles cost 5 more than idle ones: an event that takes two of them costs 10."""
    events = [np.zeros(200, np.int64), np.zeros(100, np.int64)]
    energies = [np.full(200, 3.0), np.full(100, 3.0)]
    for place in (80, 90):
        events[0][place] = 1
        energies[0][place + 1:place + 3] += 5
    found = attribute(energies, events)
    assert found.cycle_fj == pytest.approx(3) and found.event_fj == pytest.approx(10)
    assert found.idle_cycles == 300 - 11 - 2 * SETTLING
    assert found.total_fj(2, 300) == pytest.approx(sum(map(np.sum, energies)))


def test_without_idle_cycles_or_events() -> None:
    energies = [np.arange(100.0)]
    busy = attribute(energies, [np.ones(100, np.int64)])
    assert (busy.cycle_fj, busy.idle_cycles) == (0, 0) and busy.event_fj == pytest.approx(49.5)
    quiet = attribute(energies, [np.zeros(100, np.int64)])
    assert quiet.event_fj == 0 and quiet.cycle_fj == pytest.approx(49.5)


def test_busy_cycles_that_cost_less() -> None:
    """Events never give energy back: then cycles cost everything."""
    events = np.zeros(200, np.int64)
    events[:100] = 1
    found = attribute([np.where(events, 1.0, 2.0)], [events])
    assert found.event_fj == pytest.approx(0) and found.cycle_fj == pytest.approx(1.5)


def test_counters() -> None:
    """A report gives back every counter; the bank's port has as many bits as each one needs."""
    expected = COUNTS | {"compute_cycles": COUNTS["cycles"] - sum(report()["stalls"].values())}
    assert counters_of(report(), TINY) == expected
    with pytest.raises(VqromError, match="hardware figures"):
        counters_of({"cycles": None}, TINY)
    widths = increment_bits(TINY)
    bits = np.zeros((2, sum(widths.values())), np.uint8)
    place = sum(widths[name] for name in COUNTERS[:COUNTERS.index("rom_reads")])
    bits[1, place:place + 2] = 0, 1
    assert split_increments(bits, TINY)["rom_reads"].tolist() == [0, 2]
    assert not any(values.any() for name, values in split_increments(bits, TINY).items()
                   if name != "rom_reads")
    with pytest.raises(VqromError, match="port 'increments' must have"):
        split_increments(bits[:, 1:], TINY)


def test_components() -> None:
    """Events, cycles, clock and leakage of logic; microwatts for 20 us."""
    row = spent()["components"][0]
    assert row["event"] == "word of activations into the array"
    assert row["dynamic_pj"] == pytest.approx(2 * COUNTS["compute_cycles"] + 0.5 * 1000)
    assert row["clock_pj"] == pytest.approx(1000) and row["leakage_pj"] == pytest.approx(60)
    assert event_of("csr") is CYCLE and event_of("vector_unit/finisher").counters == (
        "vector_busy",)


def test_memories() -> None:
    """Accesses times the macro's energy; in all other cycles of each macro its clock alone."""
    row, = spent()["memories"]
    _, macro = macro_for(CHARACTERISATION.memories[0], TECHNOLOGY)
    reads, writes = COUNTS["activation_buffer_reads"], COUNTS["activation_buffer_writes"]
    assert (row["reads"], row["writes"]) == (reads, writes)
    assert row["dynamic_pj"] == pytest.approx(reads * macro.read_pj + writes * macro.write_pj)
    assert row["clock_pj"] == pytest.approx((4 * 1000 - reads - writes) * macro.clock_pj)
    assert row["leakage_pj"] == pytest.approx(4 * 20 * macro.leakage_uw)


@pytest.mark.parametrize(("row", "reads", "writes"), [
    (memory("compute_unit/accumulator_banks/accumulator_bank/half", "accumulators"),
     COUNTS["accumulator_reads"], COUNTS["accumulator_writes"]),
    (memory("compute_unit/weight_loader/codebook_rom", "rom"), COUNTS["rom_reads"], 0),
    (memory("compute_unit/weight_loader/codebook_ram", "rom", instances=2), COUNTS["rom_reads"],
     2 * COUNTS["codebook_beats"] * 64 // 32),
    (memory("dma_read/read_stream/beats", "dma", 31, instances=3),
     *2 * (COUNTS["command_beats"] + COUNTS["parameter_beats"],)),
    (memory("dma_read/read_stream/beats", "dma", 63, instances=2),
     *2 * (sum(COUNTS[f"{name}_beats"] for name in (
         "index", "raw_weight", "codebook", "activation_read")),)),
    (memory("vector_unit/table_store", "vector", instances=2), 2 * COUNTS["vector_busy"], 0),
    (memory("vector_queue/entries", "control"), *2 * (COUNTS["command_beats"] * 8 // 128,)),
])
def test_accesses(row: dict[str, Any], reads: int, writes: int) -> None:
    found = accesses(row, COUNTS, TINY)
    assert (found.reads, found.writes) == (reads, writes)


def test_unknown_memories() -> None:
    with pytest.raises(VqromError, match="memory of component 'csr'"):
        accesses(memory("csr", "control"), COUNTS, TINY)
    with pytest.raises(VqromError, match="of 31 beats must be those of 3 read channels, not of 0"):
        accesses(memory("dma_read/beats", "dma", 30, instances=3), COUNTS, TINY)


def test_sums() -> None:
    """Groups are all components and memories, the total all groups, DRAM every bit at each cost;
    a stalled cycle has what needs no event."""
    found = spent(dram_pj_per_bit=(4.0, 20.0))
    parts = [*found["components"], *found["memories"]]
    for kind in ("dynamic_pj", "clock_pj", "leakage_pj"):
        assert found["total"][kind] == pytest.approx(sum(row[kind] for row in parts))
    assert found["chip_pj_per_image"] == pytest.approx(found["total"]["total_pj"] / 2)
    bits = 8 * 8 * sum(count for name, count in COUNTS.items() if name.endswith("_beats"))
    assert [row["energy_pj"] for row in found["dram"]] == [4 * bits, 20 * bits]
    _, macro = macro_for(CHARACTERISATION.memories[0], TECHNOLOGY)
    stalled = found["stalled_cycle_pj"]
    assert stalled["dynamic_pj"] == pytest.approx(1.5)
    assert stalled["clock_pj"] == pytest.approx(3 + 4 * macro.clock_pj)
    assert stalled["leakage_pj"] == pytest.approx((9 + 4 * macro.leakage_uw) / 50)


def test_layers_add_up() -> None:
    """Energy of two layers is that of the run; a layer of the host has none."""
    layer = report()
    run = layer | {"cycles": 2 * layer["cycles"]}
    shown = {key: layer[key] for key in ("cycles", "stalls", "busy", "traffic", "macs")}
    layers = [shown | {"name": "one", "kind": "conv"}, shown | {"name": "two", "kind": "add"},
              {"name": "three", "kind": "softmax", "cycles": None}]
    both = account(run | {"layers": layers},
                   {name: 2 * count for name, count in counters_of(layer, TINY).items()},
                   CHARACTERISATION, TECHNOLOGY, 50.0)
    assert [row["name"] for row in both["layers"]] == ["one", "two"]
    first = both["layers"][0]
    assert 2 * first["total_pj"] == pytest.approx(both["total"]["total_pj"])
    assert first["groups"]["array"] * 2 == pytest.approx(both["groups"]["array"]["total_pj"])
    assert math.fsum(first["groups"].values()) == pytest.approx(first["total_pj"])
    with pytest.raises(VqromError, match="energies of layers must add up to that of the run"):
        spent(report=layer | {"layers": layers})


@pytest.mark.parametrize(("changes", "message"), [
    ({"report": report(TINY.model_copy(update={"columns": 8}))},
     "must be of columns 8, as the report is, not of 4"),
    ({"technology": load_technology("7nm")}, "'7nm' must have the supply voltage of the cell "
                                             "library, 1.8 V, within 25%, not 0.7 V"),
    ({"frequency_mhz": 0.0}, "must be more than 0 MHz, not 0.0"),
    ({"frequency_mhz": float("nan")}, "must be more than 0 MHz, not nan"),
])
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(VqromError, match=message):
        spent(**changes)


def test_saved_and_shown(tmp_path: Path) -> None:
    """What is saved is read back the same; every row is in the table of rows."""
    made = EnergyReport(spent(), CHARACTERISATION.as_dict())
    assert made.save(tmp_path) == ["energy.json", "characterisation.json", "report.html"]
    assert json.loads((tmp_path / "energy.json").read_text()) == made.report
    assert Characterisation.load(tmp_path / "characterisation.json") == CHARACTERISATION
    assert [row.component for row in made.rows] == [
        row["component"] for row in (*made.report["components"], *made.report["memories"])]
    assert energy_table(made.report) and "Energy of net on tiny" in made._repr_html_()


@pytest.mark.parametrize(("text", "message"), [
    (None, "cannot be read: No such file"), ("{", "must be JSON"),
    ("[]", "must be a JSON object, not list"),
    ('{"schema": "vqrom.characterisation/0"}', "must have schema 'vqrom.characterisation/1'"),
])
def test_bad_file(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "c.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(VqromError, match=message):
        Characterisation.load(path)


def test_scaled() -> None:
    """Twice the area is twice the energy, where an event is of one instance that of an instance;
    clocks go with flip-flops."""
    sizes = {"modules": ["m"], "cells": 5, "flip_flops": 12,
             # Memories of the component are in its area, and have energies of their own.
             "logic_um2": 20.0, "area_um2": 520.0}
    area = {"library": {"sha256": "12", "name": "cells"}, "memories": [], "components": [
        sizes | {"component": "compute_unit/processing_array/processing_element", "instances": 2},
        sizes | {"component": "compute_unit/weight_loader/codebook_rom", "instances": 4}]}
    config = TINY.model_copy(update={"name": "other", "columns": 8})
    found = scale(CHARACTERISATION, config, area)
    assert [row.event_pj for row in found.components] == pytest.approx([4, 1])
    assert [row.cycle_pj for row in found.components] == pytest.approx([1, 1])
    assert [row.clock_pj for row in found.components] == pytest.approx([3, 3])
    assert [row.leakage_uw for row in found.components] == pytest.approx([6, 6])
    assert (found.scaled_from, found.config["columns"]) == ("tiny", 8)
    area["components"].append(sizes | {"component": "novel", "instances": 1})
    with pytest.raises(VqromError, match="'tiny' must have component 'novel'"):
        scale(CHARACTERISATION, config, area)
    with pytest.raises(VqromError, match="cell library, 'cells', not of 'others'"):
        scale(CHARACTERISATION, config, area | {"library": {"sha256": "56", "name": "others"}})
