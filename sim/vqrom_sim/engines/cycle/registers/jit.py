"""How the cycle model is compiled, and the types that its functions pass around.

numba makes machine code of the one function that runs a whole program. The others are put into it:
passing all of a unit's arguments on takes longer than what the unit does in a cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from numba import njit


class Registers(Protocol):
    """All registers of the model, an int64 array by the map in :mod:`.places`; functions call them
    ``s``."""

    def __getitem__(self, place: int) -> int: ...

    def __setitem__(self, place: int, value: int) -> None: ...


class Commands(Protocol):
    """All commands of a program, an int64 array, row after row (:mod:`.columns`); functions call
    them ``t``. What a function calls a ``command`` is the place in here where its row begins."""

    def __getitem__(self, place: int) -> int: ...

    def __len__(self) -> int: ...


_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Have numba compile a function when it is first called, into its caller if that is compiled.

    Divisors are not checked for zero: none of them ever is.
    """
    return cast(_Function, njit(error_model="numpy", forceinline=True)(function))


def compiled_apart(function: _Function) -> _Function:
    """As :func:`compiled`, but never into its caller: for what a usual run does not call, and
    would only make the code larger that it runs through in each cycle."""
    return cast(_Function, njit(error_model="numpy", inline="never")(function))
