"""Which points a study has, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.studies import MEASURES, Study
from vqrom_sim.studies.pareto import ranks
from vqrom_sim.studies.points import all_points

CSV = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, \
Num Filter, Strides,
first, 14, 14, 3, 3, 8, 16, 1,
"""


def study_of(**parts: Any) -> Study:
    return Study.of({"name": "points", "base": {"config": "tiny", "workload": "resnet18"}} | parts)


def test_all_combinations_in_order() -> None:
    """The last axis is the fastest; fields that vary together are one axis with a label."""
    study = study_of(
        axes={"array": [{"label": "small", "rows": 8, "columns": 4},
                        {"rows": 16, "columns": 8}], "bus_width": [64, 128]},
        computed={"post_lanes": "columns // 2", "decode_ports": "post_lanes"})
    points = all_points(study)
    assert [tuple(point.values[name] for name in (
        "array", "rows", "columns", "bus_width", "post_lanes", "decode_ports",
        "processing_elements")) for point in points] == [
            ("small", 8, 4, 64, 2, 2, 8), ("small", 8, 4, 128, 2, 2, 8),
            ("rows=16 columns=8", 16, 8, 64, 4, 4, 32), ("rows=16 columns=8", 16, 8, 128, 4, 4, 32)]
    assert points[2].built[0].rows == 16


def test_constraints_over_fields_leave_points_out() -> None:
    study = study_of(axes={"rows": [8, 16, 32], "bus_width": [64, 128]},
                     constraints=["rows * 8 <= bus_width", "pe_rows < 8"])
    assert [(point.values["rows"], point.values["bus_width"]) for point in all_points(study)] == [
        (8, 64), (8, 128), (16, 128)]
    with pytest.raises(VqromError, match="constraints must leave a point"):
        all_points(study_of(axes={"rows": [8]}, constraints=["rows < 8"]))


def test_combinations_that_cannot_be_built_are_rows() -> None:
    """A value that fits no other is a mistake; one that fits some is not."""
    points = all_points(study_of(axes={"rows": [8, 16], "vector_lanes": [2, 16]}))
    assert [point.error for point in points] == [
        "", "config: vector_lanes must divide rows 8, not 16", "", ""]
    assert points[1].values["rows"] == 8 and points[1].values["pe_rows"] is None
    with pytest.raises(VqromError, match="axis 'vector_lanes': 3 fits no other values: config: "
                                         "vector_lanes must divide rows 8, not 3"):
        all_points(study_of(axes={"rows": [8, 16], "vector_lanes": [2, 3]}))


def test_too_many_points() -> None:
    axis = {"from": 1, "to": 400, "step": 1}
    with pytest.raises(VqromError, match=r"at most 100000 combinations .*not 160000"):
        all_points(study_of(axes={"dram_latency": axis, "seed": axis}))


def test_uniform_grids_give_the_codebook_its_shape() -> None:
    points = all_points(study_of(axes={"weights": ["index", "raw", "int4", "int2"]}))
    assert [(point.values["subvector"], point.values["codewords"], point.values["index_width"])
            for point in points] == [(4, 256, 8), (4, 256, 8), (2, 256, 8), (4, 256, 8)]
    clash = all_points(study_of(axes={"weights": ["index", "int4"], "subvector": [2, 4]}))
    assert [point.error for point in clash] == [
        "", "", "", "weights 'int4' must have subvector 2, not 4"]


def test_equal_work_has_one_key(tmp_path: Path) -> None:
    """Cycles do not depend on how the ROM is written, nor logic on the DRAM; values they share."""
    (tmp_path / "one.csv").write_text(CSV)
    study = Study.of({
        "name": "keys", "base": {"config": "tiny", "workload": "both"},
        "workloads": {"both": ["one.csv", "one.csv"]},
        "axes": {"codebook_rom": ["readmemh", "logic"], "dram_latency": [8, 9],
                 "weights": ["index", "raw", "int2"]}}, tmp_path)
    points = all_points(study)
    keys = {name: [[work.key for work in MEASURES[name].works(point, study.context)]
                   for point in points] for name in ("cycles", "traffic", "area")}
    assert keys["cycles"] == keys["traffic"]
    # Two equal programs; two latencies by two kinds of weights, since int2 are indices.
    assert all(first == second for first, second in keys["cycles"])
    assert len({first for first, _ in keys["cycles"]}) == 2 * 2
    # Two ways to write the ROM by two contents.
    assert len({key for key, in keys["area"]}) == 2 * 2


def test_a_changed_file_has_another_key(tmp_path: Path) -> None:
    def key(text: str, folder: str) -> str:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.csv").write_text(text)
        study = Study.of({"name": "keys", "base": {"config": "tiny", "workload": "one.csv"}},
                         tmp_path / folder)
        point, = all_points(study)
        return MEASURES["cycles"].works(point, study.context)[0].key
    assert key(CSV, "a") == key(CSV, "b")
    assert key(CSV, "c") != key(CSV.replace("16, 1", "24, 1"), "d")


def test_pareto_ranks() -> None:
    """By hand: equal points share a front; a front without those before is the next."""
    costs = np.array([[1, 5], [2, 2], [5, 1], [2, 2], [3, 3], [6, 6], [1, 6]], float)
    assert ranks(costs).tolist() == [1, 1, 1, 1, 2, 3, 2]
