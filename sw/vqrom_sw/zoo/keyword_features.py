"""Unlabelled inputs for keyword spotting, made of synthetic sounds alone.

To the float network most synthetic sounds are of one class ("unknown"). Sounds of the classes that
are rare are therefore varied again and again, until all classes occur.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .speech import synthetic_features

SOUNDS = 8000
"""Number of sounds made at first."""

VARIED, ROUNDS = 8000, 3
"""Number of variations made in one round, and of rounds."""

MOST = 1000
"""Greatest number of inputs kept of one class."""

MAX_SHIFT = 8
"""Greatest move of a sound in time, in frames of 20 ms, either way."""

GAINS = (0.6, 1.8)
"""Least and greatest gain of a cepstral coefficient; the first one, the loudness, has gain 1."""

SHARES = (0.0, 0.3)
"""Least and greatest share of another sound in a variation."""

Classify = Callable[[np.ndarray], np.ndarray]
"""A function from features ``[N, 1, 49, 10]`` to the float network's classes, int64 ``[N]``."""


def keyword_features(classify: Classify, seed: int = 0) -> np.ndarray:
    """Make features of all classes, of which none is more frequent than :data:`MOST`.

    Parameters
    ----------
    classify:
        Says which class the float network gives to features.
    seed:
        Seed of the random numbers; the same seed gives the same features.

    Returns
    -------
    np.ndarray
        float32 ``[N, 1, 49, 10]``.
    """
    rng = np.random.default_rng(seed)
    found = synthetic_features(SOUNDS, seed)
    classes = classify(found)
    for _ in range(ROUNDS):
        more = varied(found[balanced_draw(classes, VARIED, rng)], rng)
        found, classes = np.concatenate([found, more]), np.concatenate([classes, classify(more)])
    return found[at_most(classes, MOST, rng)]


def balanced_draw(classes: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw places with replacement, so that each class that occurs is as likely as any other.

    Parameters
    ----------
    classes:
        Class of each place, int64 ``[N]``.
    count:
        Number of places drawn.
    rng:
        Source of random numbers.
    """
    _, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    weights = 1 / counts[inverse]
    return rng.choice(len(classes), count, p=weights / weights.sum())


def at_most(classes: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Places in random order: all of rare classes, and random ``most`` of those that have more."""
    order = rng.permutation(len(classes))
    kept = [order[classes[order] == name][:most] for name in np.unique(classes)]
    return rng.permutation(np.concatenate(kept))


def varied(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary each sound: move it in time, exaggerate or flatten its spectrum, add another sound.

    Parameters
    ----------
    features:
        Features of the sounds, float32 ``[N, 1, 49, 10]``.
    rng:
        Source of random numbers.

    Returns
    -------
    np.ndarray
        Features of as many variations.
    """
    count, coefficients = len(features), features.shape[3]
    share = rng.uniform(*SHARES, (count, 1, 1, 1))
    other = features[rng.permutation(count)]
    mixed = (1 - share) * _moved(features, rng) + share * _moved(other, rng)
    gains = np.ones((count, 1, 1, coefficients))
    gains[..., 1:] = rng.uniform(*GAINS, (count, 1, 1, coefficients - 1))
    return (mixed * gains).astype(np.float32)


def _moved(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The sounds earlier or later; the frames at the ends repeat."""
    count, _, frames, _ = features.shape
    moves = rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, count)
    rows = np.clip(np.arange(frames) - moves[:, None], 0, frames - 1)
    return np.take_along_axis(features, rows[:, None, :, None], axis=2)
