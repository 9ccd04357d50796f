"""The operators of int8 TFLite models: each becomes layers, or passes an activation on.

:data:`OPERATORS` has a function for each, from a model and an operator to the values that the
operator makes. It raises :class:`~vqrom_hw.errors.VqromError` where the operator is used in a way
that the network has no layers for. :data:`REFUSED` says why some operators have none.
"""

from __future__ import annotations

from collections.abc import Callable

from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue
from . import elementwise, moving, padding, recurrent, reductions, tables, transposed, windows

Maker = Callable[[Int8Network, TfliteOperator], TfliteValue | list[TfliteValue]]
"""Makes the values of an operator's outputs."""

OPERATORS: dict[str, Maker] = {
    **windows.OPERATORS, **transposed.OPERATORS, **elementwise.OPERATORS, **tables.OPERATORS,
    **moving.OPERATORS, **padding.OPERATORS, **reductions.OPERATORS,
    **recurrent.OPERATORS,
}
"""What makes the layers of each operator, by its name."""

REFUSED: dict[str, str] = {
    "BATCH_MATMUL": "the product of two maps has no layer",
    "SVDF": "its state lasts from one input to the next",
    "RESIZE_BILINEAR": "no layer rounds as its kernel does",
    "SUM": "LiteRT's reference kernel reads int8 as uint8",
    "L2_NORMALIZATION": "no layer rounds as its kernel does",
    "ARG_MAX": "its results are places, not values",
    "ARG_MIN": "its results are places, not values",
}
"""Why operators are refused that real networks have, by their names."""

__all__ = ["OPERATORS", "REFUSED"]
