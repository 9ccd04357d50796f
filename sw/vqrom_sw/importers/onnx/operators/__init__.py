"""What reads each operator of ONNX: functions from a node to a part of a PyTorch module.

:data:`OPERATORS` has them by name, and :data:`REFUSED` says why some others have none. An operator
that is in neither is not known. Operators that depend on constants or shapes alone are never looked
up here: they are computed while the model is read.
"""

from __future__ import annotations

from . import (
    activations,
    arithmetic,
    attention,
    convolution,
    moving,
    normalisation,
    pooling,
    recurrent,
    reductions,
    resize,
    shapes,
)
from .arithmetic import Reader

OPERATORS: dict[str, Reader] = {
    **convolution.OPERATORS, **pooling.OPERATORS, **arithmetic.OPERATORS, **activations.OPERATORS,
    **normalisation.OPERATORS, **shapes.OPERATORS, **moving.OPERATORS, **reductions.OPERATORS,
    **resize.OPERATORS, **recurrent.OPERATORS, **attention.OPERATORS,
}
"""What reads the operators, by their names."""

_INTEGERS = ("the integers of a quantised model are not read in float; read_onnx_int8 reads those "
             "of QuantizeLinear and DequantizeLinear")
_PLACES = "its results are places, not values"
_RANDOM = "its result differs from run to run"
_SHAPE = "the shape of its result depends on values"
_LOOP = "a graph that runs several times is not read"

REFUSED: dict[str, str] = {
    "QuantizeLinear": _INTEGERS, "DynamicQuantizeLinear": _INTEGERS, "QLinearConv": _INTEGERS,
    "DequantizeLinear": _INTEGERS, "QLinearMatMul": _INTEGERS, "ConvInteger": _INTEGERS,
    "MatMulInteger": _INTEGERS,
    "ArgMax": _PLACES, "ArgMin": _PLACES, "TopK": _PLACES, "OneHot": _PLACES,
    "RandomNormal": _RANDOM, "RandomUniform": _RANDOM, "RandomNormalLike": _RANDOM,
    "RandomUniformLike": _RANDOM, "Bernoulli": _RANDOM, "Multinomial": _RANDOM,
    "NonZero": _SHAPE, "Compress": _SHAPE, "Unique": _SHAPE, "NonMaxSuppression": _SHAPE,
    "Loop": _LOOP, "Scan": _LOOP, "SequenceMap": _LOOP,
}
"""Why operators are refused that are not unknown, by their names."""

__all__ = ["OPERATORS", "REFUSED", "Reader"]
