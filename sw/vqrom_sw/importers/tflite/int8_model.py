"""The reader of int8 TFLite models: quantised networks with the file's own integers.

Nothing is quantised again: weights and biases are the file's, and multipliers follow from its
scales as TensorFlow Lite's kernels compute them, in double precision. So every layer gives the
bytes of LiteRT's reference kernels, which is checked in the end. The layer that makes the output of
operator ``n`` is called ``KIND_n``; what comes before it within the operator has a longer name.
"""

from __future__ import annotations

from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT, NO_CODEBOOK, Native, Output, QuantizedNetwork

from .int8_check import check_bytes
from .int8_operators import OPERATORS, REFUSED
from .scales import quantization_of, unsigned_quantization
from .sliding_window import NO_PADDING
from .source import TfliteFile, TfliteOperator, read_model
from .values import Int8Network, TfliteValue, map_of


def read_tflite_int8(path: str | Path) -> QuantizedNetwork:
    """Read a TFLite model whose activations and weights are int8, and compare it with LiteRT.

    Biases are int32. Input and outputs may be float32, with QUANTIZE after the one and DEQUANTIZE
    before the others, or uint8.

    Returns
    -------
    QuantizedNetwork
        A network of raw layers, which has the file's name without its suffix.

    Raises
    ------
    VqromError
        If the file is no TFLite model, if an operator, or a use of it, is not known here, or if a
        layer does not give LiteRT's bytes; the message is one line that names the operator.
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
            operator.kind == "QUANTIZE" for operator in file.operators)

    return read_model(Path(path), quantized)


class _Reader:
    """Reads the graph of one model, operator by operator."""

    def __init__(self, file: TfliteFile):
        self._file = file
        self._model = Int8Network(file)

    def read(self, name: str) -> QuantizedNetwork:
        """Read all operators, and compare the network with LiteRT."""
        self._begin()
        for operator in self._file.operators:
            self._append(operator)
        model = self._model
        outputs = tuple(self._output(number) for number in self._file.results)
        if not model.layers:
            raise VqromError("must have a layer")
        if model.input_quantization is None:
            raise VqromError("its input must be INT8, or FLOAT32 with QUANTIZE after it")
        network = QuantizedNetwork(
            name, model.input_shape, model.input_quantization, tuple(model.layers), outputs,
            NO_CODEBOOK, model.input_native)
        check_bytes(self._file, network, model.values)
        return network

    def _begin(self) -> None:
        kind = self._file.type_of(self._file.source)
        if kind == "INT8":
            self._model.input_quantization = quantization_of(self._file, self._file.source)
        elif kind == "UINT8":
            self._model.input_quantization = unsigned_quantization(self._file, self._file.source)
            readers = self._file.readers(self._file.source)
            if any(reader.kind != "QUANTIZE" for reader in readers):
                raise VqromError("a UINT8 input must be read by QUANTIZE alone")
        elif kind != "FLOAT32" or not any(
                operator.kind == "QUANTIZE" for operator in self._file.operators):
            raise VqromError("its input must be INT8, or FLOAT32 with QUANTIZE after it, not "
                             f"{kind}")

    def _append(self, operator: TfliteOperator) -> None:
        if self._model.statics.fold(operator, self._shape):
            return
        make = OPERATORS.get(operator.kind)
        if make is None:
            raise operator.error(REFUSED.get(operator.kind, "the operator has no int8 layer"))
        try:
            made = make(self._model, operator)
        except VqromError as error:
            raise operator.error(str(error)) from None
        operator.finish()
        values = made if isinstance(made, list) else [made]
        self._model.values.update(zip(operator.outputs, values, strict=True))

    def _shape(self, number: int) -> tuple[int, ...] | None:
        return self._file.shape(number) if number in self._model.values else None

    def _output(self, number: int) -> Output:
        value = self._model.values.get(number)
        if value is not None:
            value = self._model.values[number] = self._settled(value, number)
        if value is None or value.layer == INPUT:
            raise VqromError(f"output {number} must be computed from the input")
        height, width, channels = value.shape
        sizes = value.sizes or (1,)
        if len(sizes) == 3:
            # With one channel, the file's order of numbers is that of PyTorch's image, too.
            native = Native((channels, height, width)) if value.shape == sizes else \
                Native((1, *sizes[:2]), "HWC")
        else:
            native = Native(sizes) if height * width == 1 else Native(sizes, "HWC")
        return Output(value.layer, native, self._file.name(number))

    def _settled(self, value: TfliteValue, number: int) -> TfliteValue:
        """An output as a map of its own, if its numbers are not in the right order as they are."""
        if value.padding == NO_PADDING and (len(value.sizes) != 3 or value.sizes[2] == 1):
            return value
        same = next((known for known, other in self._model.values.items()
                     if other.layer == value.layer and self._file.type_of(known) == "INT8"), number)
        return self._model.shaped(value, map_of(value.sizes), same)
