"""`vqrom study`: a table as files, the same as from the functions behind it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from pyarrow import parquet

import vqrom as package
from tests.sim.cli.command_line import Command, one_line

STUDY = """
description = "What a wider bus is worth."
measures = ["cycles", "traffic"]
objectives = { cycles = "min", dram_bytes = "min" }
[base]
config = "tiny"
workload = "all"
[workloads]
all = ["convs.csv", "products.csv"]
[axes]
bus_width = [64, 128]
weights = ["index", "raw"]
[derived]
bytes_per_mac = { expression = "dram_bytes / macs", unit = "bytes/MAC" }
"""
CONVS = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, \
Num Filter, Strides,
first, 14, 14, 3, 3, 8, 16, 1,
DP_second, 12, 12, 3, 3, 16, 1, 2,
"""
PRODUCTS = "Layer, M, N, K,\nproduct, 4, 24, 64,\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("bus.toml").write_text(STUDY)
    Path("convs.csv").write_text(CONVS)
    Path("products.csv").write_text(PRODUCTS)
    return tmp_path


def test_study(work: Path, vqrom: Command) -> None:
    """Every figure of the table is that of the simulations of its workloads."""
    ran = vqrom("study", "bus.toml", "-o", "out", "--workers", 1)
    assert ran.status == 0, ran.err
    assert "bus: 4 points, 0 of them with an error" in " ".join(ran.out.split())
    with Path("out/points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["bus_width"], row["weights"]) for row in rows] == [
        ("64", "index"), ("64", "raw"), ("128", "index"), ("128", "raw")]
    runs = [package.simulate(topology, config=package.load_config("tiny"), weights="raw").report
            for topology in ("convs.csv", "products.csv")]
    row = rows[1]
    assert int(row["cycles"]) == sum(run["cycles"] for run in runs)
    assert int(row["macs"]) == sum(run["macs"] for run in runs)
    moved = sum(sum(run["traffic"][way].values()) for run in runs
                for way in ("dram_read_bytes", "dram_write_bytes"))
    assert int(row["dram_bytes"]) == moved
    assert float(row["bytes_per_mac"]) == moved / int(row["macs"])
    causes = ("compute", *runs[0]["stalls"])
    assert sum(int(row[f"{cause}_cycles"]) for cause in causes) == int(row["cycles"])

    table = package.StudyTable.load("out")
    assert table.to_pandas()["cycles"].tolist() == [int(row["cycles"]) for row in rows]
    assert 0 < len(table.pareto()) < 4
    assert all(row["pareto"] == 1 for row in table.pareto().rows)
    assert table.column("bytes_per_mac").unit == "bytes/MAC"
    columns = json.loads(Path("out/columns.json").read_text())
    assert [column["name"] for column in columns] == list(rows[0])
    assert all(column["meaning"] and column["provenance"] for column in columns)
    schema = parquet.read_schema("out/points.parquet")
    assert schema.field("cycles").metadata[b"unit"] == b"cycles"


def test_the_same_from_python(work: Path, vqrom: Command) -> None:
    assert vqrom("study", "bus.toml", "-o", "out", "--workers", 1, "-q").out == ""
    package.study("bus.toml", "again", workers=1)
    for name in ("points.parquet", "points.csv", "pareto.csv", "columns.json", "study.json"):
        assert Path("out", name).read_bytes() == Path("again", name).read_bytes(), name


def test_list(vqrom: Command) -> None:
    ran = vqrom("study", "list")
    assert ran.status == 0 and "scaling" in ran.out and "rom-geometry" in ran.out


@pytest.mark.parametrize(("arguments", "line"), [
    (("bus.toml",), "study must be given a directory, -o DIR"),
    (("nothing", "-o", "out"), "study must be one of paper-claim, presets, "
                               "rom-geometry, scaling or a .toml file, not 'nothing'"),
    (("bus.toml", "-o", "out", "--workers", "1", "--scheduler", "tcp://x:1"),
     "--workers goes without --scheduler, not with 'tcp://x:1'"),
    (("bus.toml", "-o", "bus.toml"), "output must be a directory, but '.*bus.toml' is a file"),
])
def test_mistakes(work: Path, vqrom: Command, arguments: tuple[str, ...], line: str) -> None:
    found = one_line(vqrom("study", *arguments))
    assert re.fullmatch(line, found), found
    assert not Path("out").exists()
