"""Dynamic-range models as float ones, to compare with.

LiteRT quantises the inputs of layers with int8 weights while it runs, which is not what a float
network shall do. So it gets the same file with these weights in float32.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .static_values import StaticValues
from .tflite_file import TfliteFile


def with_float_weights(file: TfliteFile) -> bytes:
    """The bytes of a model whose weights with scales are float32 wherever float numbers come in."""
    numbers = sorted({number for operator in file.operators for number in operator.inputs
                      if number >= 0 and operator.kind != "DEQUANTIZE"
                      and file.is_constant(number) and len(file.scales(number)[0])
                      and file.type_of(number) in ("INT8", "UINT8")})
    if not numbers:
        return file.content
    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file.content, 0))
    statics = StaticValues(file)
    for number in numbers:
        buffer, tensor = schema.BufferT(), model.subgraphs[0].tensors[number]
        buffer.data = np.frombuffer(statics.real(number).tobytes(), np.uint8)
        tensor.buffer, tensor.type, tensor.quantization = (
            len(model.buffers), schema.TensorType.FLOAT32, None)
        model.buffers.append(buffer)
    builder = flatbuffers.Builder(len(file.content))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
