"""What a study file may say: every mistake is one line that names the thing and the value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.studies import Study, run_study, shipped_studies
from vqrom_sim.studies.definition import (
    CONFIG_FIELDS,
    OPTION_FIELDS,
    Expression,
    field_columns,
    parse_axis,
)

GOOD: dict[str, Any] = {"name": "good", "measures": ["cycles"],
                        "base": {"config": "tiny", "workload": "resnet18"}}


@pytest.mark.parametrize(("changed", "line"), [
    ({"bogus": 1}, "study: 'bogus' is no field here"),
    ({"name": "a b"}, "study: name: String should match"),
    ({"measures": ["beauty"]}, "measures must be of cycles, "),
    ({"measures": ["cycles", "cycles"]}, "measures must differ, and 'cycles' is there twice"),
    ({"base": {"rowz": 8}}, r"\[base\] must set fields .*not 'rowz'"),
    ({"base": {"rows": "8"}}, r"\[base\]: rows: Input should be a valid integer, not '8'"),
    ({"axes": {"rowz": [8]}}, "axis 'rowz': must be a field"),
    ({"axes": {"rows": []}}, "axis 'rows': must be a list of 1 to 10000 values"),
    ({"axes": {"bus_width": [64, 96]}}, "axis 'bus_width': bus_width: Input should be 64, 128"),
    ({"axes": {"rows": [8, 8]}}, "axis 'rows': must have different values, but 8 is there twice"),
    ({"axes": {"rows": {"from": 1, "to": 8}}}, "axis 'rows': a range must have either step or"),
    ({"axes": {"rows": {"from": 9, "to": 8, "step": 1}}}, "range must hold a value, but 9"),
    ({"axes": {"size": [{"label": "a"}]}}, "axis 'size': each table must set a field"),
    ({"axes": {"size": [{"rowz": 1}]}}, "axis 'size': must set fields .*not 'rowz'"),
    ({"axes": {"rows": [{"columns": 1}]}}, "axis 'rows': must have a name that is no field"),
    ({"axes": {"rows": [8], "size": [{"rows": 16}]}},
     "field 'rows' must be set in one place, not in axis 'rows' and in axis 'size'"),
    ({"axes": {"workload": ["resnet18"]}}, r"'workload' must be set in one place, not in \[base\]"),
    ({"axes": {"frequency_mhz": [1, 2]}}, "nothing that is measured or computed depends on 'freq"),
    ({"computed": {"rowz": "1"}}, r"\[computed\] must set fields .*not 'rowz'"),
    ({"computed": {"rows": "cycles"}}, "computed field 'rows': must name fields .*not 'cycles'"),
    ({"derived": {"x": "cycle"}}, "derived column 'x': must name fields and columns .*not 'cycle'"),
    ({"derived": {"cycles": "macs"}}, "columns must have different names, and 'cycles' is there"),
    ({"derived": {"x": "macs +"}}, "derived column 'x': must be an expression, not 'macs \\+'"),
    ({"constraints": ["open('x')"]}, "constraint: must call abs, .*not 'open'"),
    ({"constraints": ["rows.bit_length"]}, "constraint: must be made of .*not Attribute"),
    ({"constraints": ["[1][0]"]}, "constraint: must be made of .*not Subscript"),
    ({"objectives": {"beauty": "max"}}, "objectives must name columns of the table, not 'beauty'"),
    ({"objectives": {"cycles": "least"}}, "objectives.cycles: Input should be 'min' or 'max'"),
    ({"compare_within": ["error"]}, "compare_within must name columns of the table, not 'error'"),
    ({"search": {"points": 5}}, "a search must have axes and objectives"),
    ({"search": {"points": 0}}, "search.points: Input should be greater than or equal to 1"),
])
def test_mistakes(changed: dict[str, Any], line: str) -> None:
    with pytest.raises(VqromError, match=line) as raised:
        Study.of(GOOD | changed)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("base", "line"), [
    ({"workload": "nothing"}, "workload must be a name of .*not 'nothing'"),
    ({"workload": "absent.csv"}, "topology must be an existing file, not '.*absent.csv'"),
    ({}, "must set the field 'workload'"),
    ({"workload": "resnet18", "rows": 6}, "rows must be a multiple of subvector 4, not 6"),
    ({"workload": "resnet18", "config": "tinny"}, "config must be one of tiny, .*not 'tinny'"),
    ({"workload": "resnet18", "characterisation": "absent.json"},
     "characterisation must be an existing file, not '.*absent.json'"),
    ({"workload": "resnet18", "technology": "3nm"}, "technology must be .*'3nm'"),
    ({"workload": "resnet18", "scored": "resnet99"}, "network must be one of .*not 'resnet99'"),
    ({"workload": "resnet18", "library": "cells"}, "library must be generic, .*not 'cells'"),
])
def test_what_is_absent_is_found_before_anything_is_written(
        tmp_path: Path, base: dict[str, Any], line: str) -> None:
    study = GOOD | {"base": base, "axes": {"dram_latency": [8, 9]}}
    if "workload" in base:
        study["measures"] = ["cycles", "area", "energy", "accuracy"]
    with pytest.raises(VqromError, match=line) as raised:
        run_study(study, tmp_path / "out", workers=1)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_files(tmp_path: Path) -> None:
    """A study has its file's name unless it says another; broken files are one line."""
    path = tmp_path / "mine.toml"
    path.write_text('[base]\nworkload = "resnet18"\n')
    assert Study.load(path).file.name == "mine"
    for content, line in ((b"[base", "must be valid TOML"), (b"\xff", "must be UTF-8 text"),
                          (b"#" * (1 << 20) + b"\n", "must be at most 1048576 bytes")):
        path.write_bytes(content)
        with pytest.raises(VqromError, match=line):
            Study.load(path)
    for absent in ("absent.toml", "absent"):
        with pytest.raises(VqromError, match="study"):
            Study.load(absent)


def test_ranges() -> None:
    """Steps are added to the first value, factors multiply it; the end belongs to the range."""
    def values(given: dict[str, float]) -> list[Any]:
        return [value["dram_latency"] for value in parse_axis("dram_latency", given).values]
    assert values({"from": 1, "to": 7, "step": 3}) == [1, 4, 7]
    assert values({"from": 4, "to": 40, "factor": 2}) == [4, 8, 16, 32]


def test_expressions() -> None:
    """Python's operators and some functions; no value where a column has none."""
    values = {"rows": 16, "cycles": 8, "nothing": None, "weights": "raw", "tune": False}
    for text, expected in (("rows // 3 + 1", 6), ("max(rows, 2) / cycles", 2.0),
                           ("log2(rows)", 4.0), ("rows > 8 and not tune", True),
                           ("weights == 'raw'", True), ("weights in ('raw',)", None),
                           ("nothing * 2", None), ("1 if tune else 2", 2)):
        if text.startswith("weights in"):
            with pytest.raises(VqromError, match="not Tuple"):
                Expression(text, "test")
            continue
        assert Expression(text, "test").value(values) == expected
    for text, line in (("1 / (cycles - 8)", "cannot be computed: division by zero"),
                       ("rows < weights", "cannot be computed"),
                       ("9 ** 9 ** 9 ** 9", "cannot be computed"),
                       ("rows * 1e308", "must be finite, not inf")):
        with pytest.raises(VqromError, match=line):
            Expression(text, "test").value(values)
    with pytest.raises(VqromError, match="at most 1000 characters, not 1001"):
        Expression("1" * 1001, "test")


def test_every_field_is_explained() -> None:
    """Meanings come from the classes' own texts; numbers have units."""
    columns = {column.name: column for column in field_columns({"rows"})}
    for name in (*OPTION_FIELDS, *CONFIG_FIELDS):
        assert len(columns[name].meaning) > 10, name
    assert columns["rows"].role == "axis" and columns["columns"].role == "field"
    assert columns["bus_width"].unit == "bits"


@pytest.mark.parametrize("name", shipped_studies())
def test_shipped_studies_can_be_read(name: str) -> None:
    study = Study.load(name)
    assert study.file.name == name and len(study.file.description) > 40
