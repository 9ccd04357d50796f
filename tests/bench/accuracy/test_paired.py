"""Paired comparison: what both have right says nothing, what one alone has decides."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench.accuracy.paired import paired


def test_networks_alike_differ_by_nothing() -> None:
    right = np.arange(100) % 3 > 0
    found = paired(right, right)
    assert (found.low, found.high, found.p) == (0, 0, 1)


def test_a_clear_drop_and_one_by_chance() -> None:
    before = np.ones(1000, bool)
    after = before.copy()
    after[:30] = False
    clear = paired(before, after)
    assert 0.015 < clear.low < 0.03 < clear.high < 0.045
    # Thirty samples, each lost: as likely as thirty heads in a row, or thirty tails.
    assert clear.p == pytest.approx(2 / 2**30)
    before[30:58] = False
    chance = paired(before, after)
    assert chance.low < 0 < chance.high and chance.p > 0.5
