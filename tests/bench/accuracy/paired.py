"""How sure a difference between two networks is that were asked about the same samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

DRAWS = 10_000
"""Samples that are drawn anew for an interval."""

CONFIDENCE = 0.95
"""How often an interval holds the true drop."""


@dataclass(frozen=True)
class Paired:
    """What the samples say of the drop from one network to the other.

    Members
    -------
    low, high:
        Interval of the drop, as shares of the samples, by bootstrap over pairs.
    p:
        Probability of at least so uneven a split of the samples that one network alone has right,
        if neither were better (exact McNemar test).
    """

    low: float
    high: float
    p: float


def paired(before: np.ndarray, after: np.ndarray) -> Paired:
    """Compare two networks on the same samples.

    Parameters
    ----------
    before, after:
        bool ``[N]``: which samples each has right.
    """
    drops = before.astype(np.int64) - after.astype(np.int64)
    rng = np.random.default_rng(0)
    # Only the numbers of samples lost, gained and alike matter.
    lost, gained = int((drops > 0).sum()), int((drops < 0).sum())
    shares = np.array([lost, gained, len(drops) - lost - gained]) / len(drops)
    drawn = rng.multinomial(len(drops), shares, DRAWS)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / len(drops),
                            [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    p = float(binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0
    return Paired(float(low), float(high), p)
