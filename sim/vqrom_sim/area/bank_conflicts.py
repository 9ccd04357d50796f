"""How long lookups of several ports take in a ROM whose banks serve one port a cycle each."""

from __future__ import annotations

import math

import numpy as np

NEGLIGIBLE = 1e-9
"""Probability of a fuller bank from which on none is looked at."""


def cycles_of_lookup(ports: int, banks: int) -> float:
    """Mean cycles until all ports have their codeword, if every index is as likely in any bank.

    A bank serves its ports one after the other, so a lookup takes as many cycles as the fullest
    bank has ports. The mean of that maximum is exact: the sum over ``m`` of the probability that
    some bank has more than ``m``, filling bank after bank, each of which takes a binomial share of
    the ports that are left.

    Parameters
    ----------
    ports, banks:
        At least 1 of each.
    """
    fuller = []
    for most in range(ports):
        fuller.append(1 - _none_fuller(ports, banks, most))
        if fuller[-1] < NEGLIGIBLE:
            break
    return math.fsum(fuller)


def _none_fuller(ports: int, banks: int, most: int) -> float:
    """Probability that no bank gets more than ``most`` ports."""
    left = np.zeros(ports + 1)
    left[ports] = 1
    for others in range(banks - 1, -1, -1):
        after = np.zeros(ports + 1)
        for count in np.flatnonzero(left):
            for taken in range(min(most, int(count)) + 1):
                after[count - taken] += left[count] * _binomial(int(count), taken, others)
        left = after
    return float(left[0])


def _binomial(count: int, taken: int, others: int) -> float:
    """Probability that ``taken`` of ``count`` ports choose this bank and not one of ``others``."""
    chance = 1 / (others + 1)
    return math.comb(count, taken) * chance ** taken * (1 - chance) ** (count - taken)
