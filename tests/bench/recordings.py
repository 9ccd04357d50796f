"""Recorded words of a folder, varied, as features to distil keyword spotting with; no labels.

Files are named as Speech Commands names them (Warden, arXiv 1804.03209):
``SPEAKER_nohash_NUMBER.wav``. Speakers of its test set are left out, by the rule of its README.
"""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.zoo.speech import RATE, coloured, features

PATTERN = "*_nohash_*.wav"
LONGEST = 2 * RATE
SPEEDS = (0.85, 1.18)
SHIFT = RATE // 10
NOISE = (-4.5, -1.2)
"""Exponents of ten of a noise's deviation, relative to the loudest sample of a word."""

LEVELS = (0.3, 1.0)
"""Of a word under noise."""

WAVES = 5
"""Cosines whose sum is a microphone's logarithmic response."""

RESPONSE = 0.5
"""Deviation of each of them."""

SILENCE = 12
"""Points of the level of a sound without words, over its second."""

TESTED, SPLIT = (10, 20), 2 ** 27 - 1
"""Percentages between which a speaker is tested with, and the rule's largest number."""


def recorded_features(folder: Path, varied_words: int, silences: int) -> np.ndarray:
    """Features of every recording and of its variations, and of noise, float32 ``[N, 1, 49, 10]``.

    Parameters
    ----------
    varied_words:
        Variations in all, as nearly as the same number of each recording lets; at least one.
    silences:
        Sounds without words.

    Raises
    ------
    VqromError
        If the folder holds no recording to train with, or one of another format.
    """
    paths = sorted(path for path in folder.rglob(PATTERN) if not is_tested(path))
    if not paths:
        raise VqromError(f"folder {str(folder)!r} must hold recordings {PATTERN} of speakers that "
                         "Speech Commands does not test with")
    rng = np.random.default_rng(0)
    words = [recording(path) for path in paths]
    found = [features(one_second(word, 0)) for word in words]
    variations = max(1, varied_words // len(words))
    found += [features(varied(word, rng)) for _ in range(variations) for word in words]
    found += [features(silence(rng)) for _ in range(silences)]
    return np.stack(found)[:, None]


def is_tested(path: Path) -> bool:
    """Whether the recording's speaker is one of Speech Commands' test set."""
    speaker = path.name.partition("_nohash_")[0]
    number = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % (SPLIT + 1)
    return TESTED[0] <= number * 100 / SPLIT < TESTED[1]


def recording(path: Path) -> np.ndarray:
    """Samples of a file, float64, the loudest 1."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
            raise VqromError(f"recording {str(path)!r} must be 16-bit mono at {RATE} Hz")
        samples = np.frombuffer(file.readframes(LONGEST), "<i2").astype(np.float64)
    return loudest_one(samples)


def varied(word: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At another speed and place, by another microphone, under noise; one second."""
    places = np.arange(0, len(word) - 1, rng.uniform(*SPEEDS))
    moved = one_second(np.interp(places, np.arange(len(word)), word),
                       int(rng.integers(-SHIFT, SHIFT + 1)))
    noise = coloured(rng, rng.standard_normal(RATE) * 10 ** rng.uniform(*NOISE))
    return loudest_one(loudest_one(by_microphone(moved, rng)) * rng.uniform(*LEVELS) + noise)


def by_microphone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With a random smooth response."""
    spectrum = np.fft.rfft(samples)
    angles = np.pi * np.linspace(0, 1, len(spectrum))
    waves = np.cos(np.outer(np.arange(1, WAVES + 1), angles))
    return np.fft.irfft(spectrum * np.exp(rng.normal(0, RESPONSE, WAVES) @ waves), len(samples))


def silence(rng: np.random.Generator) -> np.ndarray:
    """Noise without words, half of it of a changing level; one second."""
    noise = coloured(rng, rng.standard_normal(RATE))
    if rng.random() < 0.5:
        points = np.abs(rng.standard_normal(SILENCE))
        noise *= 0.2 + np.interp(np.arange(RATE), np.linspace(0, RATE, SILENCE), points)
    return loudest_one(noise)


def one_second(samples: np.ndarray, shift: int) -> np.ndarray:
    """Moved by ``shift`` samples, with zeros around."""
    placed = np.concatenate([np.zeros(max(0, shift)), samples[max(0, -shift):]])[:RATE]
    return np.concatenate([placed, np.zeros(RATE - len(placed))])


def loudest_one(samples: np.ndarray) -> np.ndarray:
    """Scaled so that the loudest sample is 1."""
    return samples / max(float(np.abs(samples).max()), 1e-9)
