"""Where everything lies: the model's registers, the columns of a command, the read channels.

The model's state is one array of integers, so that numba compiles plain loads and stores. This room
says what each place of that array holds, what the columns of a compiled command mean, and which
dimensions of the configuration the steps need; the steps themselves are beside it.
"""

from . import channels, columns, places
from .jit import Commands, Registers, compiled
from .state import Dimensions, dimensions_of, initial_state

__all__ = [
    "Commands", "Dimensions", "Registers", "channels", "columns", "compiled", "dimensions_of",
    "initial_state", "places",
]
