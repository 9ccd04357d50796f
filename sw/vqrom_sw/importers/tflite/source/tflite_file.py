"""TFLite files as both readers see them: one graph, decoded with the schema's own classes.

Source: the schema of TensorFlow Lite, version 3.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.imported_module import MAX_BYTES
from vqrom_sw.io import read_bytes

from .operator import TfliteOperator, names_of

T = TypeVar("T")
DTYPES = {"FLOAT32": np.float32, "FLOAT16": np.float16, "INT8": np.int8, "UINT8": np.uint8,
          "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "BOOL": np.bool_}
"""Types that a constant may have, by the schema's name."""

MAX_INPUT = 1 << 24
"""Most numbers that one input may have: a larger one is a damaged file's."""


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
    """The first graph of a model, which has one input.

    Tensors are named by their number in the file.

    Parameters
    ----------
    content:
        The file's bytes.

    Members
    -------
    content:
        The file's bytes.
    source, results:
        Numbers of the tensors that are the graph's input and outputs.
    operators:
        The graph's operators in execution order.

    Raises
    ------
    VqromError
        If the graph has several inputs, or no output.
    """

    def __init__(self, content: bytes):
        self.content = content
        self._model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
        graph = self._model.subgraphs[0]
        self._tensors: list[Any] = list(graph.tensors)
        self._types = names_of(schema.TensorType)
        inputs, outputs = ([int(number) for number in entries]
                           for entries in (graph.inputs, graph.outputs))
        if len(inputs) != 1 or not outputs:
            raise VqromError("must have one input and at least one output, not "
                             f"{len(inputs)} and {len(outputs)}")
        self.source, self.results = inputs[0], outputs
        if prod(self.shape(self.source)) > MAX_INPUT:
            raise VqromError(f"its input must have at most {MAX_INPUT} numbers, "
                             f"not the shape {self.shape(self.source)!r}")
        kinds = names_of(schema.BuiltinOperator)
        self.operators = [TfliteOperator(number, _kind(self._model, entry, kinds), entry)
                          for number, entry in enumerate(graph.operators or [])]
        made = {number for operator in self.operators for number in operator.outputs}
        self._made = made | {self.source}
        numbers = [*inputs, *outputs, *made, *(number for operator in self.operators
                                               for number in operator.inputs if number >= 0)]
        if not all(0 <= number < len(self._tensors) for number in numbers):
            raise VqromError(f"tensors must be among the {len(self._tensors)} of the file")

    def name(self, number: int) -> str:
        """The file's name for a tensor; empty if it has none."""
        name = self._tensors[number].name
        return name.decode(errors="replace") if isinstance(name, bytes) else str(name or "")

    def is_constant(self, number: int) -> bool:
        """Whether the file holds the values of a tensor."""
        return number not in self._made and not self._tensors[number].isVariable

    def is_state(self, number: int) -> bool:
        """Whether a tensor is a state, which is 0 at first and changes from run to run."""
        return bool(self._tensors[number].isVariable)

    def readers(self, number: int) -> list[TfliteOperator]:
        """The operators that read a tensor."""
        return [operator for operator in self.operators if number in operator.inputs]

    def shape(self, number: int) -> tuple[int, ...]:
        """The shape of a tensor as the file has it: with one image, where their number is open."""
        shape = self._tensors[number].shape
        return () if shape is None else tuple(int(size) for size in shape)

    def sizes(self, number: int) -> tuple[int, ...]:
        """The shape of a tensor for one image, without the axis of images if it has one."""
        shape = self.shape(number)
        return shape[1:] if shape and shape[0] == 1 else shape

    def is_fixed(self, number: int) -> bool:
        """Whether the file knows the whole shape of a tensor, but perhaps the number of images."""
        signature = self._tensors[number].shapeSignature
        return signature is None or all(int(size) >= 0 for size in list(signature)[1:])

    def type_of(self, number: int) -> str:
        """The name of a tensor's type, e.g. ``INT8``."""
        return self._types.get(self._tensors[number].type, "?")

    def scales(self, number: int) -> tuple[np.ndarray, np.ndarray, int]:
        """The scales and zero points of a tensor.

        Returns
        -------
        tuple[np.ndarray, np.ndarray, int]
            Scales float32 ``[n]``, zero points int64 ``[n]``, and the axis that they are along;
            ``n`` is 0 if the tensor is not quantised.

        Raises
        ------
        VqromError
            If the tensor has another kind of quantisation.
        """
        found = self._tensors[number].quantization
        if found is None or found.scale is None or not len(found.scale):
            return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        if found.details is not None:
            raise VqromError(f"tensor {number} must have scales and zero points alone")
        scale = np.asarray(found.scale, np.float32)
        zero_point = np.zeros(len(scale), np.int64) if found.zeroPoint is None or not len(
            found.zeroPoint) else np.asarray(found.zeroPoint, np.int64)
        return scale, zero_point, int(found.quantizedDimension)

    def array(self, number: int) -> np.ndarray:
        """The values of a constant, in the file's type and order.

        Raises
        ------
        VqromError
            If the tensor is no constant, or one whose type or storage is not understood.
        """
        kind, tensor = self.type_of(number), self._tensors[number]
        if not self.is_constant(number):
            raise VqromError(f"tensor {number} must be a constant, not a computed value")
        if kind not in DTYPES:
            raise VqromError(f"constants must be {', '.join(DTYPES)}, not {kind}")
        buffer = self._model.buffers[tensor.buffer]
        if tensor.sparsity is not None or buffer.offset or tensor.externalBuffer:
            raise VqromError(f"constant {number} must be dense and within the file")
        content = b"" if buffer.data is None else np.asarray(buffer.data, np.uint8).tobytes()
        return np.frombuffer(content, DTYPES[kind]).reshape(self.shape(number))


def _kind(model: Any, entry: Any, kinds: dict[int, str]) -> str:
    code = model.operatorCodes[entry.opcodeIndex]
    kind = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode), "?")
    if kind != "CUSTOM":
        return kind
    name = code.customCode
    return f"CUSTOM {name.decode() if isinstance(name, bytes) else name}"
