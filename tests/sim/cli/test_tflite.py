"""The command line on TFLite files that are int8 already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.sim.cli.command_line import Command, one_line
from tests.sw.importers.tflite.tflite_models import ModelBuilder
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.formats import load_network
from vqrom_sw.reference import output_of, run_reference


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with an int8 model, inputs for it and a codebook."""
    monkeypatch.chdir(tmp_path)
    rng, model = np.random.default_rng(0), ModelBuilder()
    source, result = model.tensor((1, 6, 5, 4), 0.05, -3), model.tensor((1, 6, 5, 8), 0.02, 3)
    weights = model.constant(rng.integers(-127, 128, (8, 3, 3, 4)).astype(np.int8), 0.001)
    bias = model.constant(rng.integers(-900, 900, 8).astype(np.int32))
    model.operator("CONV_2D", [source, weights, bias], result, "Conv2DOptions", StrideH=1,
                   StrideW=1)
    model.save(Path("small.tflite"), source, result)
    np.save("inputs.npy", rng.integers(-128, 128, (3, 4, 6, 5)).astype(np.int8))
    words = np.unique(rng.integers(-128, 128, (40, 4)).astype(np.int8), axis=0)[:16]
    UniversalCodebook(words).save(Path("any.safetensors"))
    return tmp_path


def test_int8_model_needs_neither_calibration_nor_codebook(work: Path, vqrom: Command) -> None:
    ran = vqrom("compress", "small.tflite", "-o", "made")
    assert ran.status == 0, ran.err
    assert [path.name for path in Path("made").iterdir()] == ["small.vqnet"]
    assert "wrote small.vqnet to made" in ran.out and "int8 already" in ran.out
    network = load_network("made/small.vqnet")
    ran = vqrom("simulate", "made/small.vqnet", "--codebook", "any.safetensors", "--config", "tiny",
                "--inputs", "inputs.npy", "--engine", "reference", "-o", "run")
    assert ran.status == 0, ran.err
    inputs = np.load("inputs.npy").transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(np.load("run/outputs.npy"),
                                  output_of(network, run_reference(network, None, inputs)))


def test_refuses_in_one_line(work: Path, vqrom: Command) -> None:
    for arguments, message in (
            (["small.tflite", "--calibration", "inputs.npy"], "there is none"),
            (["small.tflite", "small.tflite"], "different names")):
        ran = vqrom("compress", *arguments, "-o", "made")
        assert ran.status != 0 and message in one_line(ran)
    Path("small.tflite").write_bytes(b"0123TFL3")
    ran = vqrom("compress", "small.tflite", "-o", "made")
    assert ran.status != 0 and "TFLite model 'small.tflite' cannot be read" in one_line(ran)
