"""Area of a whole design: rows, groups and memories add up, flat synthesis agrees, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError
from vqrom_hw.export import generate
from vqrom_sim.area import (
    CellLibrary,
    choose_library,
    estimate,
    estimate_area,
    measure_area,
    split_modules,
    synthesis,
)
from vqrom_sim.area.flat import flat_comparison

SMALL = AcceleratorConfig(
    name="small", subvector=2, codewords=4, rows=4, columns=2, decode_ports=2, post_lanes=1,
    bus_width=64, activation_words=256, accumulator_depth=16)
CODEWORDS = np.arange(-4, 4, dtype=np.int8).reshape(4, 2)
FLAT_BOUND = 0.08
"""How far the sum of modules may be above flat synthesis in so small a design: command queues with
fields that nothing reads weigh more in it than in the presets."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    """A cache of this module's own: results are computed, not remembered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VQROM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def generic() -> CellLibrary:
    return choose_library(["generic"])


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("design")
    generate(SMALL, CODEWORDS, directory)
    return directory


@pytest.fixture(scope="module")
def small_area(design: Path, cache: None, generic: CellLibrary) -> dict:
    return estimate_area(SMALL, design, generic)


def test_flat_synthesis_agrees(design: Path, small_area: dict, generic: CellLibrary) -> None:
    modules = split_modules((design / "vqrom.v").read_text())
    seen: list[tuple[str, int, int]] = []
    flat = flat_comparison(modules, design, generic, small_area["total"],
                           lambda *step: seen.append(step))
    assert seen == [("flat synthesis", 0, 1), ("flat synthesis", 1, 1)]
    assert -0.02 < flat["error"] < FLAT_BOUND
    assert flat["flip_flops"] <= small_area["total"]["flip_flops"]
    assert flat["memories"] == sum(row["instances"] for row in small_area["memories"])
    with pytest.raises(VqromError, match="must keep 5 bits in memories, as the modules do, not"):
        flat_comparison(modules, design, generic, {"memory_bits": 5})


def test_rows_groups_and_total_agree(small_area: dict) -> None:
    for key in ("cells", "flip_flops", "nand2", "logic_um2", "memory_bits", "memory_um2",
                "area_um2"):
        total = small_area["total"][key]
        assert sum(row[key] for row in small_area["components"]) == pytest.approx(total)
        assert sum(group[key] for group in small_area["groups"].values()) == pytest.approx(total)
    total = small_area["total"]
    assert total["area_um2"] == pytest.approx(total["logic_um2"] + total["memory_um2"])
    assert total["memory_um2"] == pytest.approx(sum(
        row["area_um2"] * row["instances"] for row in small_area["memories"]))
    rows = {row["component"]: row for row in small_area["components"]}
    elements = rows["compute_unit/processing_array/processing_element"]
    assert elements["instances"] == SMALL.processing_elements and elements["group"] == "array"
    # Shadow and working weights, 8 bits each, and the product register.
    assert elements["flip_flops"] >= elements["instances"] * 2 * 8 * SMALL.subvector
    rom = rows["compute_unit/weight_loader/codebook_rom"]
    assert rom["instances"] == SMALL.decode_ports
    assert small_area["groups"]["rom"]["nand2"] == rom["nand2"] > 0
    json.dumps(small_area, allow_nan=False)


def test_generic_cells_take_um2_of_the_technology(small_area: dict, generic: CellLibrary) -> None:
    library, total = small_area["library"], small_area["total"]
    assert library["um2"] == "estimated"
    assert library["nand2_area_um2"] == generic.technology.nand2_um2
    assert total["logic_um2"] == pytest.approx(total["nand2"] * library["nand2_area_um2"], rel=1e-6)
    assert small_area["technology"]["name"] == "45nm"


def test_memories_are_counted_apart(small_area: dict) -> None:
    buffer = dict(next(memory for memory in small_area["memories"]
                       if memory["component"] == "activation_buffer/activation_bank"))
    area_um2, access_ns = buffer.pop("area_um2"), buffer.pop("access_ns")
    assert area_um2 > 0 and access_ns > 0
    assert 0 < buffer.pop("error") < 1 <= buffer.pop("energy_factor")
    assert buffer == {
        "component": "activation_buffer/activation_bank", "group": "activation_buffer",
        "instances": 4, "name": "memory", "kind": "ram", "words": 64, "width": 32,
        "read_ports": 1, "write_ports": 1, "write_enables": 4, "synchronous": True, "bits": 2048,
        "macro": "sram_1r1w", "banks": 1}
    group = small_area["groups"]["activation_buffer"]
    assert group["memory_bits"] == 4 * 2048
    assert group["memory_um2"] == pytest.approx(4 * area_um2)
    assert small_area["groups"]["rom"]["memory_bits"] == 0
    # Queues of two long commands are read without a clock, and no macro is.
    assert all(memory["words"] >= 16 and memory["synchronous"] for memory in small_area["memories"])


def test_codebook_in_all_its_forms(small_area: dict) -> None:
    storage = small_area["codebook_storage"]
    assert (storage["bits"], storage["read_ports"], storage["stored"]) == (64, 2, "logic")
    assert storage["rom"] == small_area["groups"]["rom"]
    # The bits themselves, and the output register of each port.
    assert storage["registers"]["flip_flops"] == 64 + 2 * 16
    assert storage["rom"]["nand2"] < storage["registers"]["nand2"] / 2
    forms = {row["form"]: row for row in storage["forms"]}
    assert forms["logic"]["area_um2"] == storage["rom"]["logic_um2"]
    assert forms["registers"]["area_um2"] == storage["registers"]["logic_um2"]
    assert forms["rom_banked"]["area_um2"] is None  # Two banks of two words.
    assert (storage["recommended"], storage["clear"]) == ("logic", True)


def test_second_run_comes_from_the_cache(
        design: Path, small_area: dict, generic: CellLibrary,
        monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("Yosys was called")
    monkeypatch.setattr(synthesis, "run_yosys", refuse)
    seen: list[tuple[str, int, int]] = []
    assert estimate_area(SMALL, design, generic, lambda *step: seen.append(step)) == small_area
    modules = len(split_modules((design / "vqrom.v").read_text()))
    assert ("synthesis", 0, modules) in seen and ("synthesis", modules, modules) in seen


def test_design_of_another_configuration(design: Path, tmp_path: Path) -> None:
    other = SMALL.model_copy(update={"codewords": 8})
    with pytest.raises(VqromError, match=r"must have codewords 8, as in config 'small', not 4"):
        estimate_area(other, design)
    with pytest.raises(VqromError, match=r"must hold a 'vqrom.json'"):
        estimate_area(SMALL, tmp_path)


def test_measure_area_generates_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(config, directory, library, progress):
        return {"files": sorted(path.name for path in directory.iterdir()), "config": config.name}
    monkeypatch.setattr(estimate, "estimate_area", look)
    assert measure_area(SMALL, CODEWORDS) == {
        "files": ["codebook.hex", "vqrom.h", "vqrom.json", "vqrom.v"], "config": "small"}
    with pytest.raises(VqromError, match="codebook must be int8 of shape"):
        measure_area(load_config("tiny"), CODEWORDS)
