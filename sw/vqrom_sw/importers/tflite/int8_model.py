"""The reader of int8 TFLite models: quantised networks with the file's own integers.

Nothing is quantised again: weights and biases are the file's, and multipliers follow from its
scales as TensorFlow Lite's kernels compute them, in double precision. So every layer gives the
bytes of LiteRT's reference kernels. The layer of operator ``n`` is called ``KIND_n``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sw.network import NO_CODEBOOK, Layer, Native, Output, QuantizedNetwork, image_native

from .int8_operators import OPERATORS
from .scales import quantization_of
from .sliding_window import NO_PADDING
from .tflite_file import TfliteFile, read_model
from .values import TfliteValue, TfliteValues


def read_tflite_int8(path: str | Path) -> QuantizedNetwork:
    """Read a TFLite model whose activations and weights are int8 and whose biases are int32.

    Its input and output may be float32, with QUANTIZE after the one and DEQUANTIZE before the
    other.

    Returns
    -------
    QuantizedNetwork
        A network of raw layers, which has the file's name without its suffix.

    Raises
    ------
    VqromError
        If the file is no TFLite model, or an operator, or a use of it, is not known here; the
        message is one line that names the operator.
    """
    path = Path(path)
    return read_model(path, lambda file: _Reader(file).read(path.stem))


def is_tflite_int8(path: str | Path) -> bool:
    """Whether a TFLite model is quantised, rather than float.

    Raises
    ------
    VqromError
        If the file is no TFLite model.
    """
    def quantized(file: TfliteFile) -> bool:
        return file.type_of(file.source) != "FLOAT32" or any(
            file.kind(operator) == "QUANTIZE" for operator in file.operators())

    return read_model(Path(path), quantized)


class _Reader:
    """Reads the graph of one model, operator by operator."""

    def __init__(self, file: TfliteFile):
        self._file = file
        self._values = TfliteValues(file)
        self._layers: list[Layer] = []

    def read(self, name: str) -> QuantizedNetwork:
        file = self._file
        if file.type_of(file.source) == "INT8":
            self._values.input_quantization = quantization_of(file, file.source)
        elif file.type_of(file.source) != "FLOAT32" or not any(
                file.kind(operator) == "QUANTIZE" for operator in file.operators()):
            raise VqromError("its input must be INT8, or FLOAT32 with QUANTIZE after it, not "
                             f"{file.type_of(file.source)}")
        for number, operator in enumerate(file.operators()):
            self._append(operator, number)
        if not self._layers:
            raise VqromError("must have a layer")
        return QuantizedNetwork(name, self._values.input_shape, self._values.input_quantization,
                                tuple(self._layers), (self._output(),), NO_CODEBOOK,
                                image_native(self._values.input_shape))

    def _append(self, operator: Any, number: int) -> None:
        kind = self._file.kind(operator)
        make = OPERATORS.get(kind)
        if make is None:
            raise VqromError(f"operator {kind} is not known; known are "
                             f"{', '.join(sorted(OPERATORS))}")
        name = f"{kind.lower()}_{number}"
        try:
            made = make(self._values, operator, name)
        except VqromError as error:
            text = str(error)
            raise VqromError(text if kind in text else f"operator {kind}: {text}") from None
        output = int(operator.Outputs(0))
        if isinstance(made, TfliteValue):
            self._values.values[output] = made
            return
        if made.shape != self._values.map(output):
            raise VqromError(f"operator {kind}: output must be {made.shape!r}, "
                             f"not {self._values.map(output)!r}")
        self._layers.append(made)
        self._values.values[output] = TfliteValue(name, made.shape)

    def _output(self) -> Output:
        value = self._values.values.get(self._file.result)
        if value is None or value.layer != self._layers[-1].name or value.padding != NO_PADDING:
            raise VqromError("its output must be that of the last layer")
        _, *sizes = self._file.shape(self._file.result)
        height, width, channels = value.shape
        if value.reshaped and (len(sizes) != 1 or (height * width > 1 and channels > 1)):
            raise VqromError(f"output of {value.shape!r} must not be reshaped to {sizes!r}")
        return Output(value.layer, Native((sizes[2], *sizes[:2]) if len(sizes) == 3
                                          else tuple(sizes)))
