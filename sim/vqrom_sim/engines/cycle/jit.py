"""How the cycle model is compiled, and the types that its functions pass around.

numba makes machine code of the one function that runs a whole program. The others are put into it:
passing all of a unit's arguments on takes longer than what the unit does in a cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Registers: TypeAlias = NDArray[np.int64]
"""All registers of the model, by the map in :mod:`.places`; functions call them ``s``."""
Commands: TypeAlias = NDArray[np.int64]
"""All commands of a program, row after row (:mod:`.columns`); functions call them ``t``. What a
function calls a ``command`` is the place in here where the command's row begins."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Have numba compile a function when it is first called, into its caller if that is compiled.

    Divisors are not checked for zero: none of them ever is.
    """
    return njit(error_model="numpy", forceinline=True)(function)
