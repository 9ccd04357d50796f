"""Synthetic sounds and their features: the reference's formulas, with SciPy's transforms."""

from __future__ import annotations

import numpy as np
from scipy.fft import dct

from vqrom_sw.zoo.speech import BANDS, FLOOR, RATE, features, sound, synthetic_features


def test_silence_is_the_floor() -> None:
    expected = np.zeros((49, 10))
    expected[:, 0] = 2 * BANDS * np.log(FLOOR) / np.sqrt(2 * BANDS)
    np.testing.assert_allclose(features(np.zeros(RATE)), expected, atol=1e-4)


def test_coefficients_are_the_cosine_transform_of_mel_bands() -> None:
    """Band by band: a pure tone lies in the two bands around it."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    found = features(tone)
    mel = 1127 * np.log1p(np.array([20.0, 1000.0, 4000.0]) / 700)
    centre = (mel[1] - mel[0]) / (mel[2] - mel[0]) * (BANDS + 1) - 1
    logarithm = np.full(BANDS, -2.0)
    logarithm[[int(centre), int(centre) + 1]] = 4.0
    shape = dct(logarithm, type=2)[:10] / np.sqrt(2 * BANDS)
    assert np.corrcoef(found[20, 1:], shape[1:])[0, 1] > 0.8


def test_sounds_vary_and_repeat() -> None:
    first, again, other = (synthetic_features(20, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (20, 1, 49, 10) and first.dtype == np.float32
    assert np.isfinite(first).all() and not np.isclose(first, other).all()
    assert len({part.tobytes() for part in first}) == 20
    assert np.abs(sound(np.random.default_rng(0))).max() <= 1
