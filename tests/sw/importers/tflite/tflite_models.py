"""TFLite models made tensor by tensor, and what LiteRT's reference kernels make of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite

from vqrom_sw.importers.tflite.source import read_model
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.reference import run_reference

TYPES = {"float32": "FLOAT32", "float16": "FLOAT16", "int8": "INT8", "uint8": "UINT8",
         "int16": "INT16", "int32": "INT32"}

FIRST = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "HARD_SWISH", "ELU", "PRELU", "SHAPE", "SPLIT_V",
         "EXP", "ABS", "NEG", "SQRT", "POW", "SQUARED_DIFFERENCE", "BATCH_MATMUL", "GELU",
         "RELU_0_TO_1", "RELU_N1_TO_1", "FILL", "DEPTH_TO_SPACE", "SPACE_TO_DEPTH",
         "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "MIRROR_PAD", "UNPACK", "SUM",
         "REDUCE_PROD", "CAST",
         "L2_POOL_2D", "RSQRT", "SQUARE", "SIN", "COS", "FLOOR", "CEIL", "ROUND",
         "UNIDIRECTIONAL_SEQUENCE_LSTM")
"""Operators whose first version is meant; of all others, the second."""


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
               dtype: str = "int8", variable: bool = False) -> int:
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
            Type=getattr(tflite.TensorType, TYPES[dtype]), Quantization=quantization,
            IsVariable=variable))
        return len(self._tensors) - 1

    def constant(self, data: np.ndarray, scale: float | Sequence[float] = (), axis: int = 0) -> int:
        """Add a constant, and return its number."""
        return self.tensor(data.shape, scale, data=data, axis=axis)

    def operator(self, kind: str, inputs: Sequence[int], output: int | Sequence[int],
                 options: str = "", intermediates: Sequence[int] = (), **fields: Any) -> None:
        """Add an operator with options of the schema's type of that name."""
        extra = {"Intermediates": self._vector(np.array(intermediates, np.int32))} \
            if intermediates else {}
        fields = {name: self._vector(np.array(value, np.int32)) if isinstance(value, list)
                  else value for name, value in fields.items()}
        if options:
            extra |= {"BuiltinOptionsType": getattr(tflite.BuiltinOptions, options),
                      "BuiltinOptions": self._table(options, **fields)}
        code = getattr(tflite.BuiltinOperator, kind)
        self._codes.append(self._table("OperatorCode", DeprecatedBuiltinCode=min(code, 127),
                                       BuiltinCode=code, Version=1 if kind in FIRST else 2))
        self._operators.append(self._table(
            "Operator", OpcodeIndex=len(self._codes) - 1,
            Inputs=self._vector(np.array(inputs, np.int32)),
            Outputs=self._vector(np.atleast_1d(np.array(output, np.int32))), **extra))

    def save(self, path: Path, source: int | Sequence[int], result: int | Sequence[int]) -> Path:
        """Write the model with that input and that output, or several."""
        graph = self._table(
            "SubGraph", Tensors=self._offsets(self._tensors),
            Operators=self._offsets(self._operators),
            Inputs=self._vector(np.atleast_1d(np.array(source, np.int32))),
            Outputs=self._vector(np.atleast_1d(np.array(result, np.int32))))
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


def litert_outputs(path: Path, inputs: np.ndarray, reference: bool = True) -> list[np.ndarray]:
    """Run LiteRT's reference, or other, kernels on each input, and return the model's outputs.

    Returns
    -------
    list
        One ``[N, ...]`` for each output, without the file's axis of one image.
    """
    interpreter = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="ai-edge-litert is not installed: no LiteRT")
    kernels = interpreter.OpResolverType
    engine = interpreter.Interpreter(
        str(path), num_threads=1, experimental_op_resolver_type=kernels.BUILTIN_REF if reference
        else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    engine.allocate_tensors()
    place = engine.get_input_details()[0]
    numbers = [entry["index"] for entry in engine.get_output_details()]
    results: list[list[np.ndarray]] = [[] for _ in numbers]
    for image in inputs:
        engine.reset_all_variables()
        engine.set_tensor(place["index"], image.reshape(place["shape"]))
        engine.invoke()
        for values, number in zip(results, numbers, strict=True):
            value = engine.get_tensor(number).copy()
            values.append(value[0] if value.ndim and len(value) == 1 else value)
    return [np.stack(values) for values in results]


def litert(path: Path, network: QuantizedNetwork, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Run LiteRT's reference kernels on ``inputs``, and return each operator's output.

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
        operator.name: operator.outputs[0] for operator in file.operators})
    results: dict[str, list[np.ndarray]] = {layer.name: [] for layer in network.layers
                                            if layer.name in numbers}
    for image in inputs:
        engine.set_tensor(place["index"], image.reshape(place["shape"]))
        engine.invoke()
        for name, values in results.items():
            values.append(engine.get_tensor(numbers[name]).reshape(-1).copy())
    return {name: np.stack(values) for name, values in results.items()}


def differing(path: Path, network: QuantizedNetwork, inputs: np.ndarray) -> dict[str, int]:
    """Count the bytes of each operator's output that differ from LiteRT's.

    Parameters
    ----------
    inputs:
        int8 ``[N, H, W, C]``.
    """
    ours = run_reference(network, None, inputs)
    return {name: int(np.count_nonzero(theirs != ours[name].reshape(len(inputs), -1)))
            for name, theirs in litert(path, network, inputs).items()}
