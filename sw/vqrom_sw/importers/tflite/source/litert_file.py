"""A TFLite file as LiteRT gets it, to compare with: the same network, in a form that it takes.

LiteRT quantises the inputs of layers with int8 weights while it runs, which is not what a float
network shall do: it gets such weights in float32. And its newer releases refuse scales along an
axis that the tensor does not have, as converters once wrote for biases.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .static_values import StaticValues
from .tflite_file import TfliteFile


def content_for_litert(file: TfliteFile, float_weights: bool) -> bytes:
    """The bytes of a model for LiteRT; the file's own where nothing is to be changed.

    Parameters
    ----------
    file:
        The model.
    float_weights:
        Whether eight-bit weights with scales shall be float32 wherever float numbers come in.
    """
    weights = _weights(file) if float_weights else []
    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file.content, 0))
    tensors = model.subgraphs[0].tensors
    misplaced = [tensor.quantization for tensor in tensors if _is_misplaced(tensor)]
    if not weights and not misplaced:
        return file.content
    for quantization in misplaced:
        quantization.quantizedDimension = 0
    statics = StaticValues(file)
    for number in weights:
        buffer: Any = schema.BufferT()
        tensor = tensors[number]
        buffer.data = np.frombuffer(statics.real(number).tobytes(), np.uint8)
        tensor.buffer, tensor.type, tensor.quantization = (
            len(model.buffers), schema.TensorType.FLOAT32, None)
        model.buffers.append(buffer)
    builder = flatbuffers.Builder(len(file.content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _weights(file: TfliteFile) -> list[int]:
    """Numbers of the eight-bit constants with scales that operators read."""
    return sorted({number for operator in file.operators for number in operator.inputs
                   if number >= 0 and operator.kind != "DEQUANTIZE"
                   and file.is_constant(number) and len(file.scales(number)[0])
                   and file.type_of(number) in ("INT8", "UINT8")})


def _is_misplaced(tensor: Any) -> bool:
    """Whether a tensor of one axis at most has scales along another one."""
    found, rank = tensor.quantization, 0 if tensor.shape is None else len(tensor.shape)
    return found is not None and found.scale is not None and rank <= 1 \
        and found.quantizedDimension > 0
