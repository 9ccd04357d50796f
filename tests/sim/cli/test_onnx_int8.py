"""The command line on ONNX files that are int8 already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.sim.cli.command_line import Command, one_line
from tests.sw.importers.onnx_int8.int8_models import quantized_file
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.formats import load_network
from vqrom_sw.reference import output_of, quantize_input, run_reference


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with an int8 model, inputs for it and a codebook."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Sigmoid())
    quantized_file(Path(), module, (1, 3, 6, 8), unsigned=True, per_channel=True)
    rng = np.random.default_rng(0)
    np.save("inputs.npy", rng.standard_normal((2, 3, 6, 8)).astype(np.float32))
    words = np.unique(rng.integers(-128, 128, (40, 4)).astype(np.int8), axis=0)[:16]
    UniversalCodebook(words).save(Path("any.safetensors"))
    return tmp_path


def test_int8_model_needs_neither_calibration_nor_codebook(work: Path, vqrom: Command) -> None:
    ran = vqrom("compress", "int8.onnx", "-o", "made")
    assert ran.status == 0, ran.err
    assert [path.name for path in Path("made").iterdir()] == ["int8.vqnet"]
    assert "int8 already" in ran.out
    network = load_network("made/int8.vqnet")
    for engine in ("reference", "model"):
        ran = vqrom("simulate", "made/int8.vqnet", "--codebook", "any.safetensors", "--config",
                    "tiny", "--inputs", "inputs.npy", "--engine", engine, "-o", engine)
        assert ran.status == 0, ran.err
    inputs = quantize_input(network, np.load("inputs.npy"))
    np.testing.assert_array_equal(np.load("reference/outputs.npy"),
                                  output_of(network, run_reference(network, None, inputs)))


def test_refuses_in_one_line(work: Path, vqrom: Command) -> None:
    ran = vqrom("compress", "int8.onnx", "--calibration", "inputs.npy", "-o", "made")
    assert ran.status != 0 and "there is none" in one_line(ran)
    Path("int8.onnx").write_bytes(b"0123")
    ran = vqrom("compress", "int8.onnx", "-o", "made")
    assert ran.status != 0 and "ONNX model 'int8.onnx': " in one_line(ran)
