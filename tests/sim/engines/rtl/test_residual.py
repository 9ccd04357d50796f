"""ResNet-20 on a real image, every layer under Verilator."""

from __future__ import annotations

from pathlib import Path

from vqrom_hw.config import load_config
from vqrom_sim.flows import simulate
from vqrom_sw import zoo
from vqrom_sw.codebook import extract_codebook
from vqrom_sw.compress import compress


def test_resnet20_is_bit_exact(data_folder: Path) -> None:
    assert data_folder
    entry = zoo.load("resnet20")
    codebook = extract_codebook([entry.network], 4, 256, seed=0)
    network = compress(entry.network, codebook, entry.calibration)
    report = simulate(network, codebook, load_config("edge16"), entry.images[:1]).report
    assert (report["bit_exact"], report["mismatches"]) == (True, 0)
    assert {layer["kind"] for layer in report["layers"]} >= {"conv", "add", "avgpool", "linear"}
    assert report["macs"] > 40_000_000
