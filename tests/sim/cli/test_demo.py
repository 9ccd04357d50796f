"""The demo without Verilator: its files, its tables and its summary."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vqrom_sim.cli.demo import print_figures, print_summary
from vqrom_sim.flows import run_demo
from vqrom_sim.report.pages.headline import compression


def test_demo_without_hardware(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The demo's files and its summary; `./run demo` itself adds Verilator."""
    artefacts = run_demo(tmp_path / "demo", engine="reference", config="tiny")
    folder = tmp_path / "demo"
    assert {path.name for path in folder.iterdir()} >= {
        "report.html", "report.json", "codebook.safetensors", "verilog",
        "mnist.vqnet", "usps.vqnet", "svhn.vqnet"}
    report = json.loads((folder / "report.json").read_text())
    assert set(report) >= {"schema", "networks", "codebook", "area"}
    assert [network["network"] for network in report["networks"]] == ["mnist", "usps", "svhn"]
    for network in report["networks"]:
        assert all(one["class"] == one["float_class"] == one["label"]
                   for one in network["predictions"])
        assert 15.5 < compression(network) <= 16
    assert report["area"]["total"]["nand2"] > 1000
    print_figures(artefacts)
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("PE array", "codebook ROM", "NAND2", "total"))
    assert all(len(line) <= 80 for line in shown.splitlines())
    print_summary(artefacts, folder)
    shown = capsys.readouterr().out
    assert shown.count("\n") < 24, "one screen"
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert re.search(r"mnist +3 +- +3/3 +3/3", shown), "nothing was compared"
