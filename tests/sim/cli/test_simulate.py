"""`vqrom simulate` without values: topology files and the cycle model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.random_networks import mixed_network, random_codebook
from tests.sim.cli.command_line import Command, one_line
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.cli.simulate import scale_and_zero
from vqrom_sw.formats import save_network

CONVS = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, \
Num Filter, Strides,
first, 14, 14, 3, 3, 3, 16, 1,
DP_second, 12, 12, 3, 3, 16, 1, 2,

third, 6, 6, 1, 1, 16, 20, 1,
"""
PRODUCTS = "Layer, M, N, K,\nproduct, 4, 24, 64,\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with topologies, and a network with its codebook and inputs."""
    monkeypatch.chdir(tmp_path)
    Path("convs.csv").write_text(CONVS)
    Path("products.csv").write_text(PRODUCTS)
    codebook = random_codebook(load_config("tiny"))
    builder = mixed_network(codebook)
    codebook.save(Path("codebook.safetensors"))
    save_network(builder.build(), Path("mixed.vqnet"), codebook)
    np.save("inputs.npy", builder.images(3))
    return tmp_path


def report_of(vqrom: Command, *arguments: str) -> dict:
    ran = vqrom("simulate", *arguments, "--config", "tiny", "-o", "out")
    assert ran.status == 0, ran.err
    return json.loads(Path("out/report.json").read_text())


def test_convolutions(work: Path, vqrom: Command) -> None:
    report = report_of(vqrom, "--topology", "convs.csv")
    assert [(layer["name"], layer["macs"]) for layer in report["layers"]] == [
        ("load", 0), ("first", 12 * 12 * 16 * 27), ("DP_second", 6 * 6 * 16 * 9),
        ("third", 6 * 6 * 20 * 16), ("store", 0)]
    assert (report["engine"], report["images"], report["bit_exact"]) == ("model", 1, None)
    assert report["cycles"] == sum(layer["cycles"] for layer in report["layers"])
    assert all(0 < layer["utilization"] <= 1 for layer in report["layers"]
               if layer["kind"] == "conv")
    assert not Path("out/outputs.npy").exists()


@pytest.mark.parametrize(("weights", "stream"), [("index", "index"), ("raw", "raw_weight")])
def test_weights_of_products(work: Path, vqrom: Command, weights: str, stream: str) -> None:
    """Four positions are neither cut into strips nor led: each weight is fetched once."""
    report = report_of(vqrom, "--topology", "products.csv", "--weights", weights)
    fetched = report["traffic"]["dram_read_bytes"]
    count = 24 * 64 if weights == "raw" else 24 * 64 // 4
    assert fetched[stream] == count and fetched["index"] + fetched["raw_weight"] == count
    assert report["macs"] == 4 * 24 * 64


def test_cycles_of_a_network(work: Path, vqrom: Command) -> None:
    """All images take the same cycles; the longer DRAM latency costs some."""
    arguments = ("mixed.vqnet", "--codebook", "codebook.safetensors", "--inputs", "inputs.npy",
                 "--engine", "model")
    report = report_of(vqrom, *arguments)
    assert report["images"] == 3 and report["cycles"] % 3 == 0
    Path("slow.toml").write_text('base = "tiny"\ndram_latency = 300\n')
    ran = vqrom("simulate", *arguments, "--config", "slow.toml", "-o", "slow")
    assert ran.status == 0, ran.err
    assert json.loads(Path("slow/report.json").read_text())["cycles"] > report["cycles"] + 3 * 300


@pytest.mark.parametrize(("arguments", "message"), [
    (["--topology", "absent.csv"], "topology must be an existing file, not 'absent.csv'"),
    (["--topology", "inputs.npy"], "topology 'inputs.npy' must be UTF-8 text"),
    (["--topology", "convs.csv", "--weights", "both"],
     "weights must be one of index, raw, not 'both'"),
    (["--topology", "convs.csv", "--engine", "reference"],
     "engine must be one of model, rtl, not 'reference'"),
    (["mixed.vqnet", "--topology", "convs.csv"], "--topology goes without FILE.vqnet"),
    (["--topology", "convs.csv", "--dequantize"], "--topology goes without --dequantize"),
    (["mixed.vqnet", "--codebook", "codebook.safetensors", "--inputs", "inputs.npy",
      "--example-input", "3x8x8"], "--example-input goes with an ONNX --topology, not with 'mixed"),
    (["--topology", "convs.csv", "--example-input", "3x8x8"],
     "topology has a shape of its own, so that it must go without that of an example input"),
    ([], "simulate must be given FILE.vqnet, or --topology FILE"),
    (["mixed.vqnet", "--codebook", "codebook.safetensors"],
     "simulate must be given --inputs, or --topology FILE"),
    (["mixed.vqnet", "--codebook", "codebook.safetensors", "--inputs", "inputs.npy", "--engine",
      "model", "--dequantize"], "which engine 'model' does not compute"),
    (["mixed.vqnet", "--codebook", "codebook.safetensors", "--inputs", "inputs.npy", "--engine",
      "model", "--waves", "conv0"], "waves of layer 'conv0' need engine 'rtl', not 'model'"),
    (["--topology", "convs.csv", "--engine", "rtl", "--waves", "first"], "goes without waves"),
])
def test_refuses_in_one_line(work: Path, vqrom: Command, arguments: list[str],
                             message: str) -> None:
    assert message in one_line(vqrom("simulate", *arguments, "--config", "tiny", "-o", "out"))
    assert not Path("out").exists()


def test_names_the_line_of_a_wrong_layer(work: Path, vqrom: Command) -> None:
    Path("convs.csv").write_text(CONVS.replace("16, 20, 1", "16, -20, 1"))
    ran = vqrom("simulate", "--topology", "convs.csv", "--config", "tiny", "-o", "out")
    assert one_line(ran) == ("topology 'convs', line 5: filters must be in 1..16777215, "
                             "not '-20'")


def test_tuned_programs_are_as_fast_at_least(work: Path, vqrom: Command) -> None:
    Path("wide.csv").write_text("Layer, M, N, K,\nwide, 700, 40, 64,\nlong, 90, 64, 200,\n")
    plain = report_of(vqrom, "--topology", "wide.csv")
    tuned = report_of(vqrom, "--topology", "wide.csv", "--tune")
    assert tuned["cycles"] <= plain["cycles"] and tuned["macs"] == plain["macs"]
    again = report_of(vqrom, "mixed.vqnet", "--codebook", "codebook.safetensors", "--inputs",
                      "inputs.npy", "--engine", "model", "--tune")
    assert again["cycles"] > 0


@pytest.mark.parametrize("wrong", ["0.5", "0.5,", "a,3", "0.5,3.5", "0.5,3,4"])
def test_scale_and_zero_point_are_two_numbers(wrong: str) -> None:
    assert scale_and_zero("0.5847,83") == (0.5847, 83)
    with pytest.raises(VqromError, match="--input-scale must be SCALE,ZERO such as"):
        scale_and_zero(wrong)
