"""Construction: what is frozen stays, what is exported was evaluated, runs repeat and resume."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook, extract_codebook
from vqrom_sw.compress import NEAREST, compress
from vqrom_sw.construction import Augment, Construction, ConstructionSettings, construct, train
from vqrom_sw.construction import checkpoint as checkpoints
from vqrom_sw.construction import teacher as teachers
from vqrom_sw.construction.assigned import LEAD
from vqrom_sw.construction.teacher import Teacher
from vqrom_sw.encoding import (
    RawLayers,
    encode_nearest,
    encode_outputs,
    encoded_layer,
    raw_layers,
)
from vqrom_sw.held_back import agreement
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatConv, FloatNetwork
from vqrom_sw.reference import dequantize, fold_layers, output_of, quantize_input, run_reference

SETTINGS = ConstructionSettings(epochs=6, batch=16)


class Block(nn.Module):
    """A narrow first layer, a residual, a depthwise layer, a linear one."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.inner = nn.Conv2d(8, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.stem(x)).relu()
        x = (x + self.inner(x)).relu()
        return self.head(self.depthwise(x).relu().mean((2, 3)))


def pictures(seed: int) -> torch.Tensor:
    """Noise around a colour of its own for each picture."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(64, 3, 8, 8, generator=generator) \
        + 2 * torch.randn(64, 3, 1, 1, generator=generator)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return pictures(3)


@pytest.fixture(scope="module")
def network() -> FloatNetwork:
    torch.manual_seed(1)
    return capture(Block().eval(), torch.zeros(1, 3, 8, 8), "block")


@pytest.fixture(scope="module")
def codebook(network: FloatNetwork) -> UniversalCodebook:
    return extract_codebook([network], subvector=4, codewords=16, seed=0)


def begin(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
          settings: ConstructionSettings = SETTINGS) -> Construction:
    raw = raw_layers(network, codebook.subvector, RawLayers.NARROW)
    return Construction(network, codebook, encode_nearest(network, codebook, images, raw), images,
                        settings.candidates)


def state(construction: Construction) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in construction.state_dict().items()}


def assert_same(one: Construction, other: Construction) -> None:
    first, second = state(one), state(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], name)


def test_starts_as_encoded(network: FloatNetwork, codebook: UniversalCodebook,
                           images: torch.Tensor) -> None:
    encoded = encode_nearest(network, codebook, images, {"stem", "depthwise"})
    construction = begin(network, codebook, images)
    construction.settle(images)
    for name, layer in construction.export().items():
        np.testing.assert_array_equal(layer.integers, encoded[name].integers)
        np.testing.assert_allclose(layer.scale, encoded[name].scale, rtol=1e-3)
        np.testing.assert_allclose(layer.bias, encoded[name].bias, atol=1e-3)


def test_what_is_frozen_stays(network: FloatNetwork, codebook: UniversalCodebook,
                              images: torch.Tensor) -> None:
    construction = begin(network, codebook, images)
    seen: list[tuple[list[torch.Tensor], list[np.ndarray]]] = []

    def look(*_: object) -> None:
        seen.append(([layer.frozen.clone() for layer in construction.assigned],
                     [layer.indices for layer in construction.assigned]))

    construct(construction, images, SETTINGS, progress=look)
    look()
    shares = [sum(int(frozen.sum()) for frozen in layers) for layers, _ in seen]
    assert 0 < shares[len(shares) // 2] < shares[-1], "frozen on the way, not all at the end"
    for (before, indices), (after, later) in itertools.pairwise(seen):
        for was, now, index, new in zip(before, after, indices, later, strict=True):
            assert (was <= now).all()
            np.testing.assert_array_equal(index[was.numpy()], new[was.numpy()])
    assert construction.frozen_share == 1
    assert any((first != last).any() for first, last in zip(seen[0][1], seen[-1][1], strict=True))


def test_without_progressive_freezing_all_freeze_at_the_end(
        network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor) -> None:
    construction = begin(network, codebook, images)
    shares: list[float] = []
    construct(construction, images, ConstructionSettings(epochs=2, batch=16, threshold=2.0),
              progress=lambda *_: shares.append(construction.frozen_share))
    assert set(shares) == {0.0} and construction.frozen_share == 1


def test_exported_is_what_was_evaluated(network: FloatNetwork, codebook: UniversalCodebook,
                                        images: torch.Tensor) -> None:
    construction = begin(network, codebook, images)
    construct(construction, images, SETTINGS)
    construction.settle(images)
    exported = construction.export()
    for layer in exported.values():
        if layer.indices is not None:
            looked_up = codebook.codewords[layer.indices].reshape(*layer.indices.shape[:3], -1)
            np.testing.assert_array_equal(looked_up.transpose(0, 3, 1, 2), layer.integers)
    (ran,) = fold_layers(network, images, lambda layer, inputs: encoded_layer(
        layer, exported.get(layer.name), inputs))
    with torch.no_grad():
        torch.testing.assert_close(ran, construction(images), rtol=1e-3, atol=1e-4)


def test_training_brings_the_outputs_nearer(network: FloatNetwork, codebook: UniversalCodebook,
                                            images: torch.Tensor) -> None:
    """In the integer reference, on inputs that it was not trained on."""
    fresh = pictures(4)
    (wanted,) = fold_layers(
        network, fresh, lambda layer, inputs: encoded_layer(layer, None, inputs))
    errors = []
    for settings in (NEAREST, ConstructionSettings(epochs=20, batch=16)):
        quantized = compress(network, codebook, images.numpy(), settings)
        results = run_reference(quantized, codebook, quantize_input(quantized, fresh.numpy()))
        got = dequantize(quantized, output_of(quantized, results))
        errors.append(float(np.square(got - wanted.flatten(1).numpy()).mean()))
    assert errors[1] < 0.7 * errors[0]


def test_same_seed_same_network(network: FloatNetwork, codebook: UniversalCodebook,
                                images: torch.Tensor) -> None:
    runs = [begin(network, codebook, images) for _ in range(3)]
    for construction, seed in zip(runs, (0, 0, 1), strict=True):
        construct(construction, images, ConstructionSettings(epochs=2, batch=16, seed=seed))
    assert_same(runs[0], runs[1])
    with pytest.raises(AssertionError):
        assert_same(runs[0], runs[2])


def test_labels_teach(network: FloatNetwork, codebook: UniversalCodebook,
                      images: torch.Tensor) -> None:
    construction = begin(network, codebook, images)
    labels = torch.zeros(len(images), dtype=torch.int64)
    construct(construction, images, ConstructionSettings(epochs=10, batch=16), labels=labels)
    wanted = construction.wanted(images)
    with_labels = float(construction.loss(images, wanted, labels).detach())
    other = begin(network, codebook, images)
    construct(other, images, ConstructionSettings(epochs=10, batch=16))
    assert with_labels < float(other.loss(images, wanted, labels).detach())


def test_teacher_keeps_what_fits(network: FloatNetwork, codebook: UniversalCodebook,
                                 images: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    construction = begin(network, codebook, images)
    part = torch.tensor([5, 0, 63])
    reports = []
    kept = Teacher(construction, images, 10, "cpu", lambda *report: reports.append(report))
    assert reports[-1] == ("asking the float network", 64, 64)
    monkeypatch.setattr(teachers, "KEPT_BYTES", 0)
    asked = Teacher(construction, images, 10, "cpu", lambda *_: pytest.fail("nothing is kept"))
    for name, found in construction.wanted(images[part]).items():
        torch.testing.assert_close(kept(part)[name], found)
        torch.testing.assert_close(asked(part)[name], found)


@pytest.fixture
def interrupted(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
                tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint after some steps of the second epoch."""
    monkeypatch.setattr(checkpoints, "INTERVAL_S", 0.0)
    path = tmp_path / "block.checkpoint"

    def stop(_: str, done: int, __: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        construct(begin(network, codebook, images), images, SETTINGS, checkpoint=path,
                  progress=stop)
    assert path.exists()
    return path


def test_resumed_is_uninterrupted(network: FloatNetwork, codebook: UniversalCodebook,
                                  images: torch.Tensor, interrupted: Path) -> None:
    whole = begin(network, codebook, images)
    construct(whole, images, SETTINGS)
    steps: dict[str, list[int]] = {}
    resumed = begin(network, codebook, images)
    construct(resumed, images, SETTINGS, checkpoint=interrupted,
              progress=lambda what, done, _: steps.setdefault(what, []).append(done))
    trained = steps["training assignments"]
    assert trained[0] == 7 and trained[-1] == 24
    assert_same(whole, resumed)


def test_resumed_is_uninterrupted_with_inputs_kept_back(
        network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    """The best state so far is in the file, too: a rate that spoils what follows lets it win."""
    monkeypatch.setattr(checkpoints, "INTERVAL_S", 0.0)
    settings = ConstructionSettings(epochs=3, batch=16, weight_rate=0.5, augment=Augment.FLIP)
    path, kept, whole = tmp_path / "block.checkpoint", pictures(7), begin(network, codebook, images)
    construct(whole, images, settings, held_back=kept)

    def stop(_: str, done: int, __: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        construct(begin(network, codebook, images), images, settings, held_back=kept,
                  checkpoint=path, progress=stop)
    resumed = begin(network, codebook, images)
    construct(resumed, images, settings, held_back=kept, checkpoint=path)
    assert_same(whole, resumed)


def test_the_state_of_the_least_loss_is_taken(
        network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
        monkeypatch: pytest.MonkeyPatch) -> None:
    states, losses = [], iter([2.0, 1.0, 3.0])

    def judged(construction: Construction, *_: object) -> float:
        states.append({name: value.copy() for name, value in state(construction).items()})
        return next(losses)

    monkeypatch.setattr(train, "held_back_loss", judged)
    construction = begin(network, codebook, images)
    construct(construction, images, ConstructionSettings(epochs=3, batch=16),
              held_back=pictures(7))
    np.testing.assert_array_equal(state(construction)["layers.stem.weight"],
                                  states[1]["layers.stem.weight"])
    assert (states[1]["layers.stem.weight"] != states[2]["layers.stem.weight"]).any()


def test_training_that_makes_it_worse_is_left(network: FloatNetwork, codebook: UniversalCodebook,
                                              images: torch.Tensor) -> None:
    """A rate so high that training spoils the network: the first codewords stay."""
    spoilt = ConstructionSettings(epochs=1, batch=16, weight_rate=10.0, logit_rate=10.0)
    start = compress(network, codebook, images.numpy(), NEAREST)
    trained = compress(network, codebook, images.numpy(), spoilt)
    kept = compress(network, codebook, images.numpy(), spoilt, held_back=pictures(7).numpy())
    found = [agreement(network, one, codebook, pictures(7).numpy())
             for one in (start, trained, kept)]
    assert not found[1].as_good_as(found[0]) and found[2] == found[0]


def test_refuses_a_checkpoint_of_another_run(network: FloatNetwork, codebook: UniversalCodebook,
                                             images: torch.Tensor, interrupted: Path) -> None:
    for settings, inputs in ((ConstructionSettings(epochs=7, batch=16), images),
                             (SETTINGS, images + 1)):
        with pytest.raises(VqromError, match="must belong to a run with the same arguments"):
            construct(begin(network, codebook, images), inputs, settings, checkpoint=interrupted)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04"])
def test_refuses_a_file_that_is_no_checkpoint(network: FloatNetwork, codebook: UniversalCodebook,
                                              images: torch.Tensor, tmp_path: Path,
                                              content: bytes) -> None:
    path = tmp_path / "block.checkpoint"
    path.write_bytes(content)
    with pytest.raises(VqromError, match="cannot be read; remove it"):
        construct(begin(network, codebook, images), images, SETTINGS, checkpoint=path)


def test_says_when_the_loss_leaves_the_numbers(network: FloatNetwork, codebook: UniversalCodebook,
                                               images: torch.Tensor) -> None:
    settings = ConstructionSettings(epochs=2, batch=16, weight_rate=float("inf"))
    with pytest.raises(VqromError, match="the loss must stay finite"):
        construct(begin(network, codebook, images), images, settings)


def test_first_logits_are_log_ratios_of_distances(
        network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor) -> None:
    layer = next(layer for layer in network.layers
                 if isinstance(layer, FloatConv) and layer.name == "inner")
    encoded = encode_nearest(network, codebook, images)["inner"]
    made = begin(network, codebook, images).assigned[0]
    parts = (layer.weight[2, 4:8, 1, 0].double().numpy() / encoded.fitted[2])
    distances = np.sort(np.linalg.norm(codebook.codewords.astype(float) - parts, axis=1))[:4]
    np.testing.assert_allclose(made.logits[2, 1, 0, 1].detach(),
                               np.log(distances[-1] / distances), rtol=1e-3, atol=1e-3)


def test_codewords_that_keep_outputs_lead(
        network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor) -> None:
    encoded = encode_outputs(network, codebook, images)
    construction = Construction(network, codebook, encoded, images, candidates=4)
    for layer, given in zip(construction.assigned, encoded.values(), strict=True):
        assert given.indices is not None
        np.testing.assert_array_equal(layer.indices, given.indices)
        assert (layer.logits[..., :1] - layer.logits[..., 1:] > np.log(1 / LEAD) - 1e-4).all()
