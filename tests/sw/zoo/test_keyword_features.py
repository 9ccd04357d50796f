"""Features to distil keyword spotting with: classes balanced, sounds varied."""

from __future__ import annotations

import numpy as np
import pytest

from vqrom_sw.io.sources import installed_sources
from vqrom_sw.zoo import keyword_features, tiny
from vqrom_sw.zoo.keyword_features import MAX_SHIFT, at_most, balanced_draw, varied
from vqrom_sw.zoo.keyword_features import keyword_features as make


def test_rare_classes_are_drawn_as_often() -> None:
    classes = np.array([3] * 990 + [7] * 10)
    drawn = classes[balanced_draw(classes, 4000, np.random.default_rng(0))]
    assert 0.45 < (drawn == 7).mean() < 0.55


def test_at_most_so_many_of_a_class() -> None:
    classes = np.array([0] * 50 + [1] * 5 + [2] * 20)
    kept = at_most(classes, 10, np.random.default_rng(1))
    np.testing.assert_array_equal(np.bincount(classes[kept]), [10, 5, 10])
    assert len(set(kept)) == len(kept) and (np.diff(classes[kept]) < 0).any()


def test_a_variation_is_moved_and_mixed() -> None:
    """Alone, a sound is only moved in time and scaled coefficient by coefficient."""
    sound = np.random.default_rng(2).normal(size=(1, 1, 49, 10)).astype(np.float32)
    result = varied(sound, np.random.default_rng(3))
    assert result.shape == sound.shape and result.dtype == np.float32
    several = varied(np.repeat(sound, 40, 0), np.random.default_rng(4))
    assert len({part.tobytes() for part in several}) == 40
    constant = varied(np.ones((30, 1, 49, 10), np.float32), np.random.default_rng(5))
    np.testing.assert_allclose(constant[..., 0], 1, rtol=1e-6)
    assert np.ptp(constant[..., 1:], axis=2).max() < 1e-6 and np.ptp(constant[..., 1:]) > 0.5


def test_ends_repeat() -> None:
    step = np.zeros((200, 1, 49, 10), np.float32)
    step[:, :, 25:] = 1
    first = (varied(step, np.random.default_rng(6))[:, 0, :, 0] > 0).argmax(1)
    assert first.min() >= 25 - MAX_SHIFT and first.max() <= 25 + MAX_SHIFT and np.ptp(first) > 8


def test_every_class_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rare class has one sound in hundreds at first; the same seed gives the same sounds."""
    for name, value in (("SOUNDS", 60), ("VARIED", 200), ("MOST", 50)):
        monkeypatch.setattr(keyword_features, name, value)

    def classify(features: np.ndarray) -> np.ndarray:
        return (features[:, 0, :, 1].mean(1) > -1.0).astype(np.int64)

    first, again = make(classify, seed=7), make(classify, seed=7)
    np.testing.assert_array_equal(first, again)
    counts = np.bincount(classify(first), minlength=2)
    assert counts.max() == 50 and counts.min() > 25


def test_cache_depends_on_all_code_that_makes_the_features() -> None:
    """The sounds, how they are varied and chosen, and the network that sorts them into classes."""
    names = installed_sources().closure(tiny.__name__)
    assert {"vqrom_sw.zoo.speech", "vqrom_sw.zoo.keyword_features", "vqrom_sw.zoo.tiny",
            "vqrom_sw.importers.tflite.float_model"} <= names
    assert not any(name.startswith("vqrom_sim") for name in names)
