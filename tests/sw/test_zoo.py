"""Real networks on one codebook: the classes of the float network and of the labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw import zoo
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compress import compress
from vqrom_sw.extraction import extract_codebook
from vqrom_sw.float_network import float_output
from vqrom_sw.reference import dequantize, output_of, quantize_input, run_reference

DIGITS = ("mnist", "usps", "svhn")


@pytest.fixture(scope="module")
def codebook() -> UniversalCodebook:
    """One for all three, 2 bits per weight."""
    return extract_codebook([zoo.load(name).network for name in DIGITS], 4, 256, seed=0)


@pytest.mark.parametrize("name", DIGITS)
def test_captured_is_what_the_module_is(name: str) -> None:
    entry = zoo.load(name)
    ours = float_output(entry.network, torch.from_numpy(entry.images)).numpy()
    np.testing.assert_allclose(ours, entry.logits, rtol=1e-3, atol=1e-3)
    assert (entry.logits.argmax(1) == entry.labels).all(), "the samples are rebuilt as trained"


@pytest.mark.parametrize("name", DIGITS)
def test_classes_survive_two_bits_per_weight(name: str, codebook: UniversalCodebook) -> None:
    entry = zoo.load(name)
    network = compress(entry.network, codebook, entry.calibration)
    outputs = output_of(network, run_reference(
        network, codebook, quantize_input(network, entry.images)))
    assert (outputs.argmax(1) == entry.labels).all()
    real = dequantize(network, outputs)
    assert np.corrcoef(real.ravel(), entry.logits.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("name", DIGITS)
def test_calibration_is_varied(name: str) -> None:
    """Copies turned and shifted, never a sample as it is judged (docs/sw/zoo.md says the rest)."""
    entry = zoo.load(name)
    seen = {image.tobytes() for image in entry.calibration}
    assert len(seen) == len(entry.calibration) >= 100
    assert not any(image.tobytes() in seen for image in entry.images)


def test_resnet20_keeps_most_of_its_accuracy(data_folder: Path) -> None:
    """CIFAR-10, 500 images: 80.2 % in float; 2 bits per weight without training lose 7 points."""
    assert data_folder
    entry = zoo.load("resnet20")
    own = extract_codebook([entry.network], 4, 256, seed=0)
    network = compress(entry.network, own, entry.calibration)
    images, labels = entry.images[:500], entry.labels[:500]
    outputs = output_of(network, run_reference(network, own, quantize_input(network, images)))
    accuracy = (outputs.argmax(1) == labels).mean()
    assert accuracy > (entry.logits[:500].argmax(1) == labels).mean() - 0.1


def test_unknown_name() -> None:
    with pytest.raises(VqromError, match="network must be one of mnist, usps, svhn"):
        zoo.load("resnet1000")


def test_absent_data_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VQROM_DATA", str(tmp_path / "absent"))
    with pytest.raises(VqromError, match="VQROM_DATA"):
        zoo.load("resnet20")
