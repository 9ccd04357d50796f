"""Forged inputs: one line and status 2, or accepted and right. The long run is tests/bench/forged.
"""

from .campaign import campaign
from .cases import KINDS


def test_forged_inputs() -> None:
    ended, faults = campaign(0, 90)
    assert not faults
    assert {name.split()[0] for name in ended} == set(KINDS)
