"""Int8 TFLite models made tensor by tensor, and what LiteRT's reference kernels make of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite

from vqrom_sw.importers.tflite.tflite_file import read_model
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.reference import run_reference

TYPES = {"float32": "FLOAT32", "int8": "INT8", "int32": "INT32"}


class ModelBuilder:
    """Makes a TFLite file of one graph, whose tensors and operators are in the order of calls."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1024)
        self._buffers = [self._table("Buffer")]
        self._tensors: list[int] = []
        self._operators: list[int] = []
        self._codes: list[int] = []

    def tensor(self, shape: Sequence[int], scale: float | Sequence[float] = (),
               zero_point: int = 0, *, data: np.ndarray | None = None, axis: int = 0,
               dtype: str = "int8") -> int:
        """Add a tensor, and return its number."""
        scales = np.atleast_1d(np.asarray(scale, np.float32))
        quantization = self._table(
            "QuantizationParameters", Scale=self._vector(scales),
            ZeroPoint=self._vector(np.full(len(scales), zero_point, np.int64)),
            QuantizedDimension=axis)
        buffer = 0
        if data is not None:
            dtype, buffer = str(data.dtype), len(self._buffers)
            raw = np.frombuffer(data.tobytes(), np.uint8)
            self._buffers.append(self._table("Buffer", Data=self._vector(raw)))
        self._tensors.append(self._table(
            "Tensor", Shape=self._vector(np.array(shape, np.int32)), Buffer=buffer,
            Type=getattr(tflite.TensorType, TYPES[dtype]), Quantization=quantization))
        return len(self._tensors) - 1

    def constant(self, data: np.ndarray, scale: float | Sequence[float] = (), axis: int = 0) -> int:
        """Add a constant, and return its number."""
        return self.tensor(data.shape, scale, data=data, axis=axis)

    def operator(self, kind: str, inputs: Sequence[int], output: int, options: str = "",
                 **fields: Any) -> None:
        """Add an operator with options of the schema's type of that name."""
        extra = {}
        if options:
            extra = {"BuiltinOptionsType": getattr(tflite.BuiltinOptions, options),
                     "BuiltinOptions": self._table(options, **fields)}
        code = getattr(tflite.BuiltinOperator, kind)
        self._codes.append(self._table("OperatorCode", DeprecatedBuiltinCode=min(code, 127),
                                       BuiltinCode=code, Version=1 if kind == "RESHAPE" else 2))
        self._operators.append(self._table(
            "Operator", OpcodeIndex=len(self._codes) - 1,
            Inputs=self._vector(np.array(inputs, np.int32)),
            Outputs=self._vector(np.array([output], np.int32)), **extra))

    def save(self, path: Path, source: int, result: int) -> Path:
        """Write the model with that input and output."""
        graph = self._table(
            "SubGraph", Tensors=self._offsets(self._tensors),
            Operators=self._offsets(self._operators),
            Inputs=self._vector(np.array([source], np.int32)),
            Outputs=self._vector(np.array([result], np.int32)))
        model = self._table(
            "Model", Version=3, OperatorCodes=self._offsets(self._codes),
            Subgraphs=self._offsets([graph]), Buffers=self._offsets(self._buffers))
        self._builder.Finish(model, file_identifier=b"TFL3")
        path.write_bytes(bytes(self._builder.Output()))
        return path

    def _table(self, name: str, **fields: Any) -> int:
        getattr(tflite, f"{name}Start")(self._builder)
        for field, value in fields.items():
            getattr(tflite, f"{name}Add{field}")(self._builder, value)
        return getattr(tflite, f"{name}End")(self._builder)

    def _vector(self, values: np.ndarray) -> int:
        return self._builder.CreateNumpyVector(values)

    def _offsets(self, values: Sequence[int]) -> int:
        self._builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            self._builder.PrependUOffsetTRelative(value)
        return self._builder.EndVector()


def litert(path: Path, network: QuantizedNetwork, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Run LiteRT's reference kernels on ``inputs``, and return each layer's output.

    Returns
    -------
    dict
        int8 ``[N, H * W * C]`` by the layer's name.
    """
    interpreter = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="ai-edge-litert is not installed: no LiteRT")
    engine = interpreter.Interpreter(
        str(path), experimental_preserve_all_tensors=True, num_threads=1,
        experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF)
    engine.allocate_tensors()
    place = engine.get_input_details()[0]
    numbers = read_model(path, lambda file: {
        f"{file.kind(operator).lower()}_{number}": int(operator.Outputs(0))
        for number, operator in enumerate(file.operators())})
    results: dict[str, list[np.ndarray]] = {layer.name: [] for layer in network.layers}
    for image in inputs:
        engine.set_tensor(place["index"], image.reshape(place["shape"]))
        engine.invoke()
        for name, values in results.items():
            values.append(engine.get_tensor(numbers[name]).reshape(-1).copy())
    return {name: np.stack(values) for name, values in results.items()}


def differing(path: Path, network: QuantizedNetwork, inputs: np.ndarray) -> dict[str, int]:
    """Count the bytes of each layer's output that differ from LiteRT's.

    Parameters
    ----------
    inputs:
        int8 ``[N, H, W, C]``.
    """
    ours = run_reference(network, None, inputs)
    return {name: int(np.count_nonzero(theirs != ours[name].reshape(len(inputs), -1)))
            for name, theirs in litert(path, network, inputs).items()}
