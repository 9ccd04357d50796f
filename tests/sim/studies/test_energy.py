"""Energy and time of points: what is accounted, and what a point must name for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sim.energy.test_account import CHARACTERISATION, TECHNOLOGY, report
from vqrom_hw.errors import VqromError
from vqrom_sim.energy import account, counters_of
from vqrom_sim.studies import MEASURES, Study
from vqrom_sim.studies.context import Context
from vqrom_sim.studies.points import all_points

ENERGY, TIME = MEASURES["energy"], MEASURES["time"]


def context_of(folder: Path) -> Context:
    return Context(folder, {}, {})


def point_of(**base: Any) -> Any:
    fields = {"config": "tiny", "workload": "resnet18", "technology": "130nm",
              "characterisation": "energies.json", "frequency_mhz": 50.0}
    study = Study.of({"name": "energy", "measures": ["energy"], "base": fields | base})
    return all_points(study)[0]


def area_result() -> dict[str, Any]:
    """An accelerator of the sizes that were characterised."""
    return {"library": CHARACTERISATION.library, "memories": list(CHARACTERISATION.memories),
            "components": [{
                "component": row.component, "cells": 9, "modules": list(row.modules),
                "instances": row.instances, "flip_flops": row.flip_flops, "logic_um2": row.area_um2,
                "area_um2": row.area_um2 + 1000}
                for row in CHARACTERISATION.components]}


def test_sum_of_two_programs(tmp_path: Path) -> None:
    """Counters of programs that run one after the other are added up, and accounted once."""
    (tmp_path / "energies.json").write_text(json.dumps(CHARACTERISATION.as_dict()))
    point, run = point_of(dram_pj_per_bit=10.0), report()
    found: dict[str, Any] = ENERGY.figures(point, context_of(tmp_path), [area_result(), run, run])
    assert set(found) == {column.name for column in ENERGY.columns}
    config, _ = point.built
    counters = {name: 2 * count for name, count in counters_of(run, config).items()}
    once = account(run, counters, CHARACTERISATION, TECHNOLOGY, 50.0)
    assert found["chip_pj"] == pytest.approx(once["total"]["total_pj"])
    assert found["array_pj"] == pytest.approx(once["groups"]["array"]["total_pj"])
    bits = 2 * once["dram"][0]["bits"]
    assert found["total_pj"] == pytest.approx(found["chip_pj"] + 10 * bits)
    assert found["dram_low_pj"] == pytest.approx(TECHNOLOGY.dram_pj_per_bit[0] * bits)
    assert found["total_low_pj"] < found["total_pj"] < found["total_high_pj"]
    assert found["characterised"] == "tiny"


def test_without_an_energy_of_dram(tmp_path: Path) -> None:
    (tmp_path / "energies.json").write_text(json.dumps(CHARACTERISATION.as_dict()))
    found: dict[str, Any] = ENERGY.figures(point_of(), context_of(tmp_path),
                                           [area_result(), report()])
    assert found["total_pj"] is None and found["dram_high_pj"] > found["dram_low_pj"] > 0


def test_time() -> None:
    found = TIME.figures(point_of(), context_of(Path()), [{"cycles": 1000}, {"cycles": 4000}])
    assert found == {"time_us": 100.0, "runs_per_second": 10_000.0}


def test_what_a_point_must_name() -> None:
    with pytest.raises(VqromError, match="'energy' must be given the field characterisation"):
        ENERGY.works(point_of(characterisation="none"), context_of(Path()))
    without = Study.of({"name": "time", "measures": ["time"],
                        "base": {"config": "tiny", "workload": "resnet18"}})
    with pytest.raises(VqromError, match="'time' must be given the field frequency_mhz"):
        TIME.works(all_points(without)[0], context_of(Path()))
