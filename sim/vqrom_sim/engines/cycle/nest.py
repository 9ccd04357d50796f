"""Loop nests and the addresses of results, iteration by iteration.

A nest mirrors :mod:`vqrom_hw.lib.loop_nest`, a walk :mod:`vqrom_hw.lib.target_walk`. Unlike most of
the model they compute addresses: which bank of the activation buffer a word lies in decides who
has to wait.
"""

from __future__ import annotations

from vqrom_hw.isa import LEVELS

from . import places as at
from .columns import LEVEL, LOOP, NEST, TARGET
from .jit import Commands, Registers, compiled


@compiled
def start_nest(s: Registers, nest: int, t: Commands, command: int) -> None:
    """Begin a command's nest at its first iteration."""
    s[nest + at.N_ACTIVE] = 1
    for level in range(LEVELS):
        s[nest + at.N_COUNT + level] = 0
        s[nest + at.N_ADDRESS + level] = t[command + NEST]
        s[nest + at.N_Y + level] = t[command + NEST + 1]
        s[nest + at.N_X + level] = t[command + NEST + 2]


@compiled
def inside(s: Registers, nest: int, t: Commands, command: int) -> bool:
    """Whether the iteration lies in the feature map: outside, padding is read instead."""
    y, x = s[nest + at.N_Y], s[nest + at.N_X]
    return 0 <= y < t[command + NEST + 3] and 0 <= x < t[command + NEST + 4]


@compiled
def firsts(s: Registers, nest: int, low: int, high: int) -> bool:
    """Whether all levels of ``low..high-1`` are at their first iteration."""
    for level in range(low, high):
        if s[nest + at.N_COUNT + level] != 0:
            return False
    return True


@compiled
def lasts(s: Registers, nest: int, t: Commands, command: int, low: int, high: int) -> bool:
    """Whether all levels of ``low..high-1`` are at their last iteration."""
    for level in range(low, high):
        if s[nest + at.N_COUNT + level] != t[command + LEVEL + LOOP * level] - 1:
            return False
    return True


@compiled
def step_nest(s: Registers, nest: int, t: Commands, command: int) -> None:
    """Go on to the next iteration; after the last one the nest is no more active."""
    level = 0
    while (level < LEVELS
           and s[nest + at.N_COUNT + level] == t[command + LEVEL + LOOP * level] - 1):
        level += 1
    if level == LEVELS:
        s[nest + at.N_ACTIVE] = 0
        return
    loop = LEVEL + LOOP * level
    s[nest + at.N_COUNT + level] += 1
    address = s[nest + at.N_ADDRESS + level] + t[command + loop + 1]
    y = s[nest + at.N_Y + level] + t[command + loop + 2]
    x = s[nest + at.N_X + level] + t[command + loop + 3]
    for lower in range(level + 1):
        s[nest + at.N_ADDRESS + lower] = address
        s[nest + at.N_Y + lower] = y
        s[nest + at.N_X + lower] = x
        if lower < level:
            s[nest + at.N_COUNT + lower] = 0


@compiled
def start_walk(s: Registers, walk: int, base: int) -> None:
    """Begin a walk at a word."""
    s[walk + at.A_PLACE], s[walk + at.A_ROW], s[walk + at.A_ADDRESS] = 0, base, base


@compiled
def step_walk(s: Registers, walk: int, t: Commands, command: int) -> None:
    """Go on to the next word of a command's result."""
    if s[walk + at.A_PLACE] == t[command + TARGET + 1] - 1:
        s[walk + at.A_PLACE] = 0
        s[walk + at.A_ROW] += t[command + TARGET + 3]
        s[walk + at.A_ADDRESS] = s[walk + at.A_ROW]
    else:
        s[walk + at.A_PLACE] += 1
        s[walk + at.A_ADDRESS] += t[command + TARGET + 2]
