"""TFLite files as both readers see them: one graph, decoded with the ``tflite`` package.

Source: the schema of TensorFlow Lite, version 3.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tflite

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.imported_module import MAX_BYTES
from vqrom_sw.io import read_bytes

T = TypeVar("T")
DTYPES = {"FLOAT32": np.float32, "FLOAT16": np.float16, "INT8": np.int8, "INT32": np.int32}
"""Types that a constant may have, by the schema's name."""


def read_model(path: Path, read: Callable[[TfliteFile], T]) -> T:
    """Open a model and return what ``read`` makes of it.

    Raises
    ------
    VqromError
        If the file is no TFLite model, or ``read`` refuses it; the message is one line and names
        the file.
    """
    content = read_bytes(path, "TFLite model", MAX_BYTES)
    if content[4:8] != b"TFL3":
        raise VqromError(f"TFLite model {str(path)!r} must start with the identifier 'TFL3'")
    try:
        return read(TfliteFile(content))
    except VqromError as error:
        raise VqromError(f"TFLite model {str(path)!r}: {error}") from None
    except Exception as error:
        # Offsets of a damaged flat buffer lead anywhere.
        raise VqromError(f"TFLite model {str(path)!r} cannot be read: {type(error).__name__}: "
                         f"{' '.join(str(error).split())[:200]}") from None


class TfliteFile:
    """The first graph of a model, which has one input and one output.

    Tensors are named by their number in the file; operators are objects of the ``tflite`` package.

    Parameters
    ----------
    content:
        The file's bytes.

    Members
    -------
    source, result:
        Numbers of the tensors that are the graph's input and output.

    Raises
    ------
    VqromError
        If the graph has more inputs or outputs.
    """

    def __init__(self, content: bytes):
        # The package's classes say of nearly every field that it may be None.
        self._model: Any = tflite.Model.GetRootAsModel(content, 0)
        self._graph: Any = self._model.Subgraphs(0)
        self._kinds = _names(tflite.BuiltinOperator)
        self._activations = _names(tflite.ActivationFunctionType)
        self._types = _names(tflite.TensorType)
        if self._graph.InputsLength() != 1 or self._graph.OutputsLength() != 1:
            raise VqromError(f"must have one input and one output, not "
                             f"{self._graph.InputsLength()} and {self._graph.OutputsLength()}")
        self.source = int(self._graph.Inputs(0))
        self.result = int(self._graph.Outputs(0))

    def operators(self) -> list[Any]:
        """The graph's operators in execution order."""
        return [self._graph.Operators(number) for number in range(self._graph.OperatorsLength())]

    def kind(self, operator: Any) -> str:
        """The name of an operator, e.g. ``CONV_2D``."""
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        return self._kinds.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "?")

    def inputs(self, operator: Any) -> list[int]:
        """The numbers of an operator's inputs that are not constants."""
        return [int(number) for number in operator.InputsAsNumpy()
                if number >= 0 and not self.is_constant(number)]

    def options(self, operator: Any, name: str) -> Any:
        """The options of an operator, whose type the schema calls ``name``."""
        options = getattr(tflite, name)()
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def activation(self, options: Any) -> str:
        """The name of an operator's fused activation, e.g. ``RELU``, or ``NONE``."""
        return self._activations[options.FusedActivationFunction()]

    def is_constant(self, number: int) -> bool:
        """Whether the file holds the values of a tensor."""
        return self._model.Buffers(self._graph.Tensors(number).Buffer()).DataLength() > 0

    def shape(self, number: int) -> tuple[int, ...]:
        """The shape of a tensor, batch first."""
        tensor = self._graph.Tensors(number)
        return tuple(int(size) for size in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()

    def type_of(self, number: int) -> str:
        """The name of a tensor's type, e.g. ``INT8``."""
        return self._types[self._graph.Tensors(number).Type()]

    def scales(self, number: int) -> tuple[np.ndarray, np.ndarray, int]:
        """The scales and zero points of a tensor.

        Returns
        -------
        tuple[np.ndarray, np.ndarray, int]
            Scales float32 ``[n]``, zero points int64 ``[n]``, and the axis that they are along;
            ``n`` is 0 if the tensor is not quantised.
        """
        quantization = self._graph.Tensors(number).Quantization()
        if quantization is None or quantization.ScaleLength() == 0:
            return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        scale = quantization.ScaleAsNumpy()
        zero_point = (quantization.ZeroPointAsNumpy() if quantization.ZeroPointLength()
                      else np.zeros(len(scale), np.int64))
        return scale, zero_point, int(quantization.QuantizedDimension())

    def array(self, number: int) -> np.ndarray:
        """The values of a constant, in the file's type and order.

        Raises
        ------
        VqromError
            If its type is none of :data:`DTYPES`.
        """
        kind = self.type_of(number)
        if kind not in DTYPES:
            raise VqromError(f"constants must be {', '.join(DTYPES)}, not {kind}")
        raw = self._model.Buffers(self._graph.Tensors(number).Buffer()).DataAsNumpy()
        content = raw.tobytes() if isinstance(raw, np.ndarray) else b""
        return np.frombuffer(content, DTYPES[kind]).reshape(self.shape(number))

    def padding(self, options: Any, sizes: tuple[int, int], kernel: tuple[int, int],
                stride: tuple[int, int]) -> tuple[int, int, int, int]:
        """The padding ``(top, left, bottom, right)`` that an operator's options ask for.

        Where it is an odd number of pixels in all, the larger half is at the bottom or right.

        Parameters
        ----------
        options:
            Options of the operator, which say VALID or SAME.
        sizes:
            Height and width of the image.
        kernel, stride:
            Size of a window, and pixels between two windows, ``(y, x)``.
        """
        if options.Padding() == tflite.Padding.VALID:
            return 0, 0, 0, 0
        wanted = [max(0, (-(-size // step) - 1) * step + window - size)
                  for size, window, step in zip(sizes, kernel, stride, strict=True)]
        (top, bottom), (left, right) = ((part // 2, part - part // 2) for part in wanted)
        return top, left, bottom, right


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}
