"""Values of a TFLite file that do not depend on its input: constants, shapes, and what follows.

A converter computes the shape of a RESHAPE from that of another tensor, by SHAPE, STRIDED_SLICE,
PACK and the like. All of that is known while a file is read: it is computed for one image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vqrom_hw.errors import VqromError

from .operator import TYPES, TfliteOperator
from .slicing import slice_index, strided_index
from .tflite_file import DTYPES, TfliteFile

MAX_VALUES = 1 << 26
"""Most numbers that a computed constant may have."""


class StaticValues:
    """The values that are known so far, by the file's number of each tensor.

    Parameters
    ----------
    file:
        The model.
    """

    def __init__(self, file: TfliteFile):
        self._file = file
        self._values: dict[int, np.ndarray] = {}

    def knows(self, number: int) -> bool:
        """Whether the value of a tensor is known."""
        return number >= 0 and (number in self._values or self._file.is_constant(number))

    def get(self, number: int) -> np.ndarray:
        """The value of a tensor that is known, in the file's type."""
        if number not in self._values:
            self._values[number] = self._file.array(number)
        return self._values[number]

    def real(self, number: int) -> np.ndarray:
        """The value of a tensor as float32, dequantised where it has scales."""
        array = self.get(number)
        scale, zero_point, axis = self._file.scales(number)
        if array.dtype not in (np.int8, np.uint8, np.int16) or not len(scale):
            return array.astype(np.float32)
        shape = [1] * array.ndim
        if len(scale) > 1:
            if not axis < array.ndim or array.shape[axis] != len(scale):
                raise VqromError(f"scales of constant {number} must be one for each of "
                                 f"{array.shape!r} along axis {axis}, not {len(scale)}")
            shape[axis] = len(scale)
        centred = (array.astype(np.int32) - zero_point.reshape(shape)).astype(np.float32)
        return (centred * scale.reshape(shape)).astype(np.float32)

    def fold(self, operator: TfliteOperator,
             shape_of: Callable[[int], tuple[int, ...] | None]) -> bool:
        """Compute an operator's result if it is known.

        Parameters
        ----------
        operator:
            The operator.
        shape_of:
            The shape that a tensor has with one image, or None if it is not known.

        Returns
        -------
        bool
            Whether it is.

        Raises
        ------
        VqromError
            If nothing is computed of which all inputs are known.
        """
        given = [number for number in operator.inputs if number >= 0]
        if operator.kind in ("SHAPE", "RANK"):
            known = self.get(given[0]).shape if self.knows(given[0]) else shape_of(given[0])
            if known is None:
                raise operator.error("the shape of its input is not known")
            kind = TYPES[operator.option("ShapeOptions", "outType")] \
                if operator.kind == "SHAPE" else "INT32"
            value = np.array(known if operator.kind == "SHAPE" else len(known), DTYPES[kind])
        elif given and all(self.knows(number) for number in given):
            value = self._compute(operator, given)
        else:
            return False
        self._values[operator.outputs[0]] = value
        operator.finish()
        return True

    def _compute(self, operator: TfliteOperator, given: Sequence[int]) -> np.ndarray:
        function = FUNCTIONS.get(operator.kind)
        if function is None or len(operator.outputs) != 1:
            raise operator.error("of constants alone is not computed")
        if operator.kind == "DEQUANTIZE":
            return self.real(given[0])
        with np.errstate(all="ignore"):
            value = np.asarray(function(operator, *[self.get(number) for number in given]))
        kind = self._file.type_of(operator.outputs[0])
        if kind not in DTYPES or value.size > MAX_VALUES or any(
                self.get(number).dtype in (np.int8, np.uint8) for number in given):
            raise operator.error(f"of constants alone must not make {value.size} of {kind}")
        return value.astype(DTYPES[kind])


def _plain(function: Callable[..., np.ndarray], group: str = ""
           ) -> Callable[..., np.ndarray]:
    """A function of the operands alone; the operator may have no fused activation."""
    def compute(operator: TfliteOperator, *operands: np.ndarray) -> np.ndarray:
        if group and operator.activation(group) != "NONE":
            raise operator.error("of constants alone must have no fused activation")
        return function(*operands)
    return compute


def _strided(operator: TfliteOperator, value: np.ndarray, *others: np.ndarray) -> np.ndarray:
    return value[strided_index(operator, value.ndim, *others)]


def _sliced(operator: TfliteOperator, value: np.ndarray, *others: np.ndarray) -> np.ndarray:
    return value[slice_index(operator, value.ndim, *others)]


def _pack(operator: TfliteOperator, *values: np.ndarray) -> np.ndarray:
    if operator.option("PackOptions", "valuesCount") != len(values):
        raise operator.error(f"must pack {len(values)} values")
    return np.stack(values, operator.option("PackOptions", "axis"))


def _concatenation(operator: TfliteOperator, *values: np.ndarray) -> np.ndarray:
    if operator.activation("ConcatenationOptions") != "NONE":
        raise operator.error("of constants alone must have no fused activation")
    return np.concatenate(values, operator.option("ConcatenationOptions", "axis"))


def _gather(operator: TfliteOperator, value: np.ndarray, places: np.ndarray) -> np.ndarray:
    if operator.option("GatherOptions", "batchDims"):
        raise operator.error("of constants alone must have no batch axes")
    return np.take(value, places, operator.option("GatherOptions", "axis"))


def _reduce(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def compute(operator: TfliteOperator, value: np.ndarray, axes: np.ndarray) -> np.ndarray:
        return function(value, axis=tuple(int(axis) for axis in axes.reshape(-1)),
                        keepdims=operator.option("ReducerOptions", "keepDims"))
    return compute


def _cast(operator: TfliteOperator, value: np.ndarray) -> np.ndarray:
    for name in ("inDataType", "outDataType"):
        operator.option("CastOptions", name)  # The tensors have types, too.
    return value


def _reshape(operator: TfliteOperator, value: np.ndarray, *sizes: np.ndarray) -> np.ndarray:
    wanted = operator.option("ReshapeOptions", "newShape")
    return value.reshape([int(size) for size in (sizes[0] if sizes else wanted)])


def _squeeze(operator: TfliteOperator, value: np.ndarray) -> np.ndarray:
    axes = operator.option("SqueezeOptions", "squeezeDims")
    return np.squeeze(value, None if axes is None or not len(axes) else tuple(map(int, axes)))


def _divide(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.trunc(first / second) if first.dtype.kind == "i" else first / second


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "STRIDED_SLICE": _strided, "SLICE": _sliced, "PACK": _pack, "GATHER": _gather, "CAST": _cast,
    "CONCATENATION": _concatenation, "RESHAPE": _reshape, "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _plain(lambda value, axis: np.expand_dims(value, int(axis.reshape(-1)[0]))),
    "DEQUANTIZE": _plain(lambda value: value), "IDENTITY": _plain(lambda value: value),
    "TRANSPOSE": _plain(np.transpose), "FLOOR_DIV": _plain(np.floor_divide),
    "ADD": _plain(np.add, "AddOptions"), "SUB": _plain(np.subtract, "SubOptions"),
    "MUL": _plain(np.multiply, "MulOptions"), "DIV": _plain(_divide, "DivOptions"),
    "MAXIMUM": _plain(np.maximum), "MINIMUM": _plain(np.minimum), "NEG": _plain(np.negative),
    "FILL": _plain(lambda sizes, value: np.full(sizes, value)),
    "RANGE": _plain(lambda *ends: np.arange(*(end.reshape(-1)[0] for end in ends))),
    "TILE": _plain(np.tile), "BROADCAST_TO": _plain(lambda value, sizes: np.broadcast_to(
        value, tuple(sizes))), "ZEROS_LIKE": _plain(np.zeros_like), "RSQRT": _plain(
        lambda value: 1 / np.sqrt(value)), "SQRT": _plain(np.sqrt), "EXP": _plain(np.exp),
    "REDUCE_PROD": _reduce(np.prod), "SUM": _reduce(np.sum), "REDUCE_MAX": _reduce(np.max),
    "REDUCE_MIN": _reduce(np.min),
}
"""What computes each operator of constants, by its name."""

STATIC_KINDS = ("SHAPE", "RANK", *FUNCTIONS)
"""Operators that are computed if they depend on constants or shapes only."""
