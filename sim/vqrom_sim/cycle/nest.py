"""Loop nests and result addresses: :mod:`vqrom_hw.loop_nest`, ``TargetWalk`` of
:mod:`vqrom_hw.post`."""

from numba import njit

from vqrom_hw.commands import LEVELS

from .columns import LEVEL, NEST, TARGET

# Whether it is active; then iteration, word address, row and column of each level.
N_ACTIVE = 0
N_COUNT, N_ADDRESS, N_Y, N_X = (1 + field * LEVELS for field in range(4))
NEST_SIZE = 1 + 4 * LEVELS


@njit(cache=True)
def start_nest(nest, command):
    """Begin at the first iteration."""
    nest[N_ACTIVE] = 1
    for level in range(LEVELS):
        nest[N_COUNT + level] = 0
        nest[N_ADDRESS + level] = command[NEST]
        nest[N_Y + level] = command[NEST + 1]
        nest[N_X + level] = command[NEST + 2]


@njit(cache=True)
def inside(nest, command):
    """The iteration lies in the feature map."""
    return (0 <= nest[N_Y] < command[NEST + 3]) and (0 <= nest[N_X] < command[NEST + 4])


@njit(cache=True)
def firsts(nest, low, high):
    """All levels of ``low..high-1`` are at their first iteration."""
    for level in range(low, high):
        if nest[N_COUNT + level] != 0:
            return False
    return True


@njit(cache=True)
def lasts(nest, command, low, high):
    """All levels of ``low..high-1`` are at their last iteration."""
    for level in range(low, high):
        if nest[N_COUNT + level] != command[LEVEL + 4 * level] - 1:
            return False
    return True


@njit(cache=True)
def step_nest(nest, command):
    """Go on to the next iteration; after the last one the nest is no more active."""
    level = 0
    while level < LEVELS and nest[N_COUNT + level] == command[LEVEL + 4 * level] - 1:
        level += 1
    if level == LEVELS:
        nest[N_ACTIVE] = 0
        return
    loop = LEVEL + 4 * level
    nest[N_COUNT + level] += 1
    address = nest[N_ADDRESS + level] + command[loop + 1]
    y = nest[N_Y + level] + command[loop + 2]
    x = nest[N_X + level] + command[loop + 3]
    for lower in range(level + 1):
        nest[N_ADDRESS + lower] = address
        nest[N_Y + lower] = y
        nest[N_X + lower] = x
        if lower < level:
            nest[N_COUNT + lower] = 0


# Place in the row, first word of the row, word in turn.
A_PLACE, A_ROW, A_ADDRESS = range(3)
WALK_SIZE = 3


@njit(cache=True)
def start_walk(walk, base):
    """Begin at a word."""
    walk[A_PLACE], walk[A_ROW], walk[A_ADDRESS] = 0, base, base


@njit(cache=True)
def step_walk(walk, command):
    """Go on to the next word."""
    if walk[A_PLACE] == command[TARGET + 1] - 1:
        walk[A_PLACE] = 0
        walk[A_ROW] += command[TARGET + 3]
        walk[A_ADDRESS] = walk[A_ROW]
    else:
        walk[A_PLACE] += 1
        walk[A_ADDRESS] += command[TARGET + 2]
