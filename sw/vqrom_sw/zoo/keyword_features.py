"""Unlabelled features to distil keyword spotting with, from synthetic sounds alone.

To the float network most synthetic sounds are of one class ("unknown"). Sounds of the classes that
are rare are therefore varied again and again, until all classes occur.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .speech import synthetic_features

SOUNDS = 8000
VARIED = 8000
"""Variations of a round."""

ROUNDS = 3
MOST = 1000
"""Features kept of one class."""

MAX_SHIFT = 8
"""Frames of 20 ms, either way."""

GAINS = (0.6, 1.8)
"""Of a cepstral coefficient; the first one, which says how loud it is, keeps its level."""

SHARES = (0.0, 0.3)
"""Of another sound's features in a variation."""

Classify = Callable[[np.ndarray], np.ndarray]
"""Features ``[N, 1, 49, 10]`` to the float network's classes, int64 ``[N]``."""


def keyword_features(classify: Classify, seed: int = 0) -> np.ndarray:
    """Features of which no class is more frequent than :data:`MOST`, float32 ``[N, 1, 49, 10]``."""
    rng = np.random.default_rng(seed)
    found = synthetic_features(SOUNDS, seed)
    classes = classify(found)
    for _ in range(ROUNDS):
        more = varied(found[balanced_draw(classes, VARIED, rng)], rng)
        found, classes = np.concatenate([found, more]), np.concatenate([classes, classify(more)])
    return found[at_most(classes, MOST, rng)]


def balanced_draw(classes: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Places drawn with replacement, each class that occurs as likely as any other."""
    _, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    weights = 1 / counts[inverse]
    return rng.choice(len(classes), count, p=weights / weights.sum())


def at_most(classes: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Places of all, but of random ``most`` of a class that has more; in random order."""
    order = rng.permutation(len(classes))
    kept = [order[classes[order] == name][:most] for name in np.unique(classes)]
    return rng.permutation(np.concatenate(kept))


def varied(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each sound moved in time, its spectral shape exaggerated or flattened, another one added.

    Parameters
    ----------
    features:
        float32 ``[N, 1, 49, 10]``; the result is like it.
    """
    count, coefficients = len(features), features.shape[3]
    share = rng.uniform(*SHARES, (count, 1, 1, 1))
    other = features[rng.permutation(count)]
    mixed = (1 - share) * _moved(features, rng) + share * _moved(other, rng)
    gains = np.ones((count, 1, 1, coefficients))
    gains[..., 1:] = rng.uniform(*GAINS, (count, 1, 1, coefficients - 1))
    return (mixed * gains).astype(np.float32)


def _moved(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Earlier or later; the frames at the ends repeat."""
    count, _, frames, _ = features.shape
    moves = rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, count)
    rows = np.clip(np.arange(frames) - moves[:, None], 0, frames - 1)
    return np.take_along_axis(features, rows[:, None, :, None], axis=2)
