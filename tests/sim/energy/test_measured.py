"""Characterisations that come along: they can be read, and know every component of a design."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.sim.area.test_estimate import CODEWORDS, SMALL
from vqrom_hw.errors import VqromError
from vqrom_hw.export import generate
from vqrom_sim.area import SynthesizedModule, count_instances, split_modules
from vqrom_sim.energy import (
    Characterisation,
    characterisation_file,
    characterisation_names,
    scale,
)

INSTANCE = re.compile(r"^  (\w+) (\w+) \($", re.MULTILINE)


@cache
def area_of(storage: str) -> dict[str, Any]:
    """What scaling reads of an area report: every component of a small design, as large as 9 um2
    with a flip-flop."""
    config = SMALL.model_copy(update={"codebook_storage": storage})
    with tempfile.TemporaryDirectory() as folder:
        text = generate(config, CODEWORDS, Path(folder)).verilog.read_text()
    modules = split_modules(text)
    netlists = {name: SynthesizedModule({}, (), tuple(
        (instance, kind) for kind, instance in INSTANCE.findall(body) if kind in modules),
        Path()) for name, body in modules.items()}
    places = count_instances(netlists)
    assert len(places) > 40
    return {"library": {"name": "cells", "sha256": "12"}, "memories": [], "components": [
        {"component": place.component, "cells": 3, "modules": [place.module], "instances": count,
         "flip_flops": 1, "logic_um2": 9.0,
         "area_um2": 99.0} for place, count in places.items()]}


def load(name: str) -> Characterisation:
    file = characterisation_file(name)
    assert file is not None
    return Characterisation.load(file)


def test_names() -> None:
    assert characterisation_names() == (
        "edge16-asap7", "edge16-sky130", "edge16-sram-asap7", "edge16-sram-sky130")
    assert characterisation_file("edge16") is None
    assert characterisation_file("../edge16-sky130") is None


@pytest.mark.parametrize("name", characterisation_names())
def test_every_component_of_a_design_is_known(name: str) -> None:
    """One that the hardware has got since then would be missed by name."""
    found = load(name)
    storage = "sram" if "sram" in name else "rom"
    assert found.config["codebook_storage"] == storage and found.config["rows"] == 16
    assert found.library["supply_v"] == (1.8 if "sky130" in name else 0.7)
    area = area_of(storage)
    cells = {**found.library, "sha256": area["library"]["sha256"]}
    scaled = scale(replace(found, library=cells), SMALL, area)
    assert {row.component for row in scaled.components} == {
        row["component"] for row in area["components"]}
    assert all(row.area_um2 == 9.0 for row in scaled.components)


def test_a_component_that_is_not_known() -> None:
    found, area = load("edge16-sky130"), area_of("sram")
    cells = {**found.library, "sha256": area["library"]["sha256"]}
    with pytest.raises(VqromError, match="must have component "
                       "'compute_unit/weight_feed/unpacker_codebook'"):
        scale(replace(found, library=cells), SMALL, area)


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(VqromError, match="cannot be read"):
        Characterisation.load(tmp_path / "none.json")
