"""Loop nests and result addresses: :mod:`vqrom_hw.lib.loop_nest`, ``TargetWalk`` of
:mod:`vqrom_hw.lib.target_walk`."""

from vqrom_hw.isa import LEVELS

from .columns import LEVEL, NEST, TARGET
from .jit import compiled

# Whether it is active; then iteration, word address, row and column of each level.
N_ACTIVE = 0
N_COUNT, N_ADDRESS, N_Y, N_X = (1 + field * LEVELS for field in range(4))
NEST_SIZE = 1 + 4 * LEVELS


@compiled
def start_nest(s, nest, t, command):
    """Begin at the first iteration."""
    s[nest + N_ACTIVE] = 1
    for level in range(LEVELS):
        s[nest + N_COUNT + level] = 0
        s[nest + N_ADDRESS + level] = t[command + NEST]
        s[nest + N_Y + level] = t[command + NEST + 1]
        s[nest + N_X + level] = t[command + NEST + 2]


@compiled
def inside(s, nest, t, command):
    """The iteration lies in the feature map."""
    y, x = s[nest + N_Y], s[nest + N_X]
    return 0 <= y < t[command + NEST + 3] and 0 <= x < t[command + NEST + 4]


@compiled
def firsts(s, nest, low, high):
    """All levels of ``low..high-1`` are at their first iteration."""
    for level in range(low, high):
        if s[nest + N_COUNT + level] != 0:
            return False
    return True


@compiled
def lasts(s, nest, t, command, low, high):
    """All levels of ``low..high-1`` are at their last iteration."""
    for level in range(low, high):
        if s[nest + N_COUNT + level] != t[command + LEVEL + 4 * level] - 1:
            return False
    return True


@compiled
def step_nest(s, nest, t, command):
    """Go on to the next iteration; after the last one the nest is no more active."""
    level = 0
    while level < LEVELS and s[nest + N_COUNT + level] == t[command + LEVEL + 4 * level] - 1:
        level += 1
    if level == LEVELS:
        s[nest + N_ACTIVE] = 0
        return
    loop = LEVEL + 4 * level
    s[nest + N_COUNT + level] += 1
    address = s[nest + N_ADDRESS + level] + t[command + loop + 1]
    y = s[nest + N_Y + level] + t[command + loop + 2]
    x = s[nest + N_X + level] + t[command + loop + 3]
    for lower in range(level + 1):
        s[nest + N_ADDRESS + lower] = address
        s[nest + N_Y + lower] = y
        s[nest + N_X + lower] = x
        if lower < level:
            s[nest + N_COUNT + lower] = 0


# Place in the row, first word of the row, word in turn.
A_PLACE, A_ROW, A_ADDRESS = range(3)
WALK_SIZE = 3


@compiled
def start_walk(s, walk, base):
    """Begin at a word."""
    s[walk + A_PLACE], s[walk + A_ROW], s[walk + A_ADDRESS] = 0, base, base


@compiled
def step_walk(s, walk, t, command):
    """Go on to the next word."""
    if s[walk + A_PLACE] == t[command + TARGET + 1] - 1:
        s[walk + A_PLACE] = 0
        s[walk + A_ROW] += t[command + TARGET + 3]
        s[walk + A_ADDRESS] = s[walk + A_ROW]
    else:
        s[walk + A_PLACE] += 1
        s[walk + A_ADDRESS] += t[command + TARGET + 2]
