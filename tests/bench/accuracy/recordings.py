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
"""Names of recordings, as Speech Commands has them."""

LONGEST = 2 * RATE
"""Samples that are read of a recording at most: two seconds."""

SPEEDS = (0.85, 1.18)
"""Slowest and fastest speed that a word is varied to."""

SHIFT = RATE // 10
"""Samples that a word is moved by at most, either way: a tenth of a second."""

NOISE = (-4.5, -1.2)
"""Least and greatest power of ten of a noise's standard deviation, relative to a word's loudest
sample.
"""

LEVELS = (0.3, 1.0)
"""Least and greatest amplitude of a word that noise is added to."""

WAVES = 5
"""Number of cosines whose sum is a random microphone's logarithmic response."""

RESPONSE = 0.5
"""Standard deviation of the amplitude of each of these cosines."""

SILENCE = 12
"""Points between which the level of a sound without words changes, over its second."""

TESTED, SPLIT = (10, 20), 2 ** 27 - 1
"""Percentages between which a speaker belongs to the test set, and the largest number that the rule
of Speech Commands maps a speaker to.
"""


def recorded_features(folder: Path, varied_words: int, silences: int) -> np.ndarray:
    """Compute the features of every recording, of its variations, and of sounds without words.

    Parameters
    ----------
    folder:
        Folder of recordings, searched whole.
    varied_words:
        Number of variations in all, as nearly as the same number of each recording lets; each has
        one at least.
    silences:
        Number of sounds without words.

    Returns
    -------
    numpy.ndarray
        float32 ``[N, 1, 49, 10]``.

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
    """Tell whether the recording's speaker is one of Speech Commands' test set."""
    speaker = path.name.partition("_nohash_")[0]
    number = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % (SPLIT + 1)
    return TESTED[0] <= number * 100 / SPLIT < TESTED[1]


def recording(path: Path) -> np.ndarray:
    """Read a recording's samples, float64, scaled so that the loudest one is 1."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
            raise VqromError(f"recording {str(path)!r} must be 16-bit mono at {RATE} Hz")
        samples = np.frombuffer(file.readframes(LONGEST), "<i2").astype(np.float64)
    return loudest_one(samples)


def varied(word: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary a word: another speed, place and microphone, and noise; the result has one second."""
    places = np.arange(0, len(word) - 1, rng.uniform(*SPEEDS))
    moved = one_second(np.interp(places, np.arange(len(word)), word),
                       int(rng.integers(-SHIFT, SHIFT + 1)))
    noise = coloured(rng, rng.standard_normal(RATE) * 10 ** rng.uniform(*NOISE))
    return loudest_one(loudest_one(by_microphone(moved, rng)) * rng.uniform(*LEVELS) + noise)


def by_microphone(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Filter samples with the smooth response of a random microphone."""
    spectrum = np.fft.rfft(samples)
    angles = np.pi * np.linspace(0, 1, len(spectrum))
    waves = np.cos(np.outer(np.arange(1, WAVES + 1), angles))
    return np.fft.irfft(spectrum * np.exp(rng.normal(0, RESPONSE, WAVES) @ waves), len(samples))


def silence(rng: np.random.Generator) -> np.ndarray:
    """Make a second of noise without words; one in two has a changing level."""
    noise = coloured(rng, rng.standard_normal(RATE))
    if rng.random() < 0.5:
        points = np.abs(rng.standard_normal(SILENCE))
        noise *= 0.2 + np.interp(np.arange(RATE), np.linspace(0, RATE, SILENCE), points)
    return loudest_one(noise)


def one_second(samples: np.ndarray, shift: int) -> np.ndarray:
    """Move samples by ``shift`` within one second, with zeros around them."""
    placed = np.concatenate([np.zeros(max(0, shift)), samples[max(0, -shift):]])[:RATE]
    return np.concatenate([placed, np.zeros(RATE - len(placed))])


def loudest_one(samples: np.ndarray) -> np.ndarray:
    """Scale samples so that the loudest one is 1."""
    return samples / max(float(np.abs(samples).max()), 1e-9)
