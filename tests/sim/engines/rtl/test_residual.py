"""ResNet-20 on a real image, every layer under Verilator."""

from __future__ import annotations

from pathlib import Path

from tests.random_networks import random_codebook
from vqrom_hw.config import load_config
from vqrom_sim.flows import simulate
from vqrom_sw import zoo
from vqrom_sw.compress import compress


def test_resnet20_is_bit_exact(data_folder: Path) -> None:
    """On the codebook of other tests, whose accelerator is built once for all."""
    assert data_folder
    entry, config = zoo.load("resnet20"), load_config("edge16")
    codebook = random_codebook(config)
    network = compress(entry.network, codebook, entry.calibration)
    report = simulate(network, codebook, config, entry.images[:1]).report
    assert (report["bit_exact"], report["mismatches"]) == (True, 0)
    assert {layer["kind"] for layer in report["layers"]} >= {"conv", "add", "avgpool", "linear"}
    assert report["macs"] > 40_000_000
