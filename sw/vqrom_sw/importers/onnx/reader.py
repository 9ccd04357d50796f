"""The reader of ONNX models: node by node into a PyTorch module; constants are folded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.checker
import onnx.helper
import onnx.numpy_helper
import onnx.shape_inference
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.imported_module import MAX_BYTES, Call, Imported, ImportedModule
from vqrom_sw.io import read_bytes

from .functions import ELEMENTWISE, FUNCTIONS, Function
from .modules import MODULES, linear


def read_onnx(path: Path) -> Imported:
    """Read an ONNX model with one float32 image input and one output.

    All sizes of the input but the batch must be given in the file.

    Returns
    -------
    Imported
        The model as a PyTorch module, and the shape of its input.

    Raises
    ------
    VqromError
        If the file is no valid ONNX model, or has an operator that is not known here; the message
        names it.
    """
    try:
        model = onnx.load_model_from_string(read_bytes(path, "ONNX model", MAX_BYTES))
        onnx.checker.check_model(model)
        for size in model.graph.input[0].type.tensor_type.shape.dim[:1]:
            # Shapes are computed for one image; what depends on them is folded.
            size.dim_value = 1
        return _Reader(onnx.shape_inference.infer_shapes(model).graph).read()
    except VqromError as error:
        raise VqromError(f"ONNX model {str(path)!r}: {error}") from None
    except Exception as error:
        raise VqromError(f"ONNX model {str(path)!r} cannot be read: {type(error).__name__}: "
                         f"{' '.join(str(error).split())[:200]}") from None


class _Reader:
    """Reads the graph of one model."""

    def __init__(self, graph: Any):
        self._graph = graph
        self._constants: dict[str, torch.Tensor] = {
            tensor.name: torch.from_numpy(np.array(onnx.numpy_helper.to_array(tensor)))
            for tensor in graph.initializer}
        self._shapes: dict[str, list[int]] = {
            value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
            for value in (*graph.input, *graph.value_info)}

    def read(self) -> Imported:
        inputs = [value for value in self._graph.input if value.name not in self._constants]
        if len(inputs) != 1 or len(self._graph.output) != 1:
            raise VqromError(f"must have one input and one output, not {len(inputs)} and "
                             f"{len(self._graph.output)}")
        tensor = inputs[0].type.tensor_type
        sizes = [size.dim_value for size in tensor.shape.dim]
        if tensor.elem_type != onnx.TensorProto.FLOAT or len(sizes) not in (2, 4) \
                or min(sizes[1:]) < 1:
            raise VqromError("its input must be float32 of shape (N, C, H, W) or (N, C) with all "
                             f"sizes but N given, not {sizes!r}")
        module = ImportedModule(inputs[0].name)
        if len(sizes) == 2:
            # The product's inputs are images; this one has one pixel.
            module.append("flatten_input", nn.Flatten(), [inputs[0].name], inputs[0].name)
        for node in self._graph.node:
            self._append(module, node)
        module.result = self._graph.output[0].name
        _, channels, height, width = (*sizes, 1, 1)[:4]
        return Imported(module.eval(), (1, channels, height, width))

    def _append(self, module: ImportedModule, node: Any) -> None:
        if node.op_type == "Shape" and min(self._shapes.get(node.input[0], [0])) > 0:
            self._constants[node.output[0]] = torch.tensor(self._shapes[node.input[0]])
            return
        if all(given in self._constants for given in node.input if given):
            self._fold(node)
            return
        attributes = {attribute.name: onnx.helper.get_attribute_value(attribute)
                      for attribute in node.attribute}
        name = node.name or node.op_type.lower()
        inputs = [given for given in node.input if given and given not in self._constants]
        constants = [self._constants.get(given) for given in node.input]
        if node.op_type in MODULES:
            part: nn.Module = MODULES[node.op_type](node, attributes, self._constants)
        elif node.op_type == "MatMul" and constants[1] is not None and constants[1].dim() == 2:
            part = linear(constants[1].T, None)
        elif node.op_type in ELEMENTWISE:
            part = _WithConstants(ELEMENTWISE[node.op_type], constants)
        elif node.op_type in FUNCTIONS:
            part = Call(FUNCTIONS[node.op_type](attributes, constants))
        else:
            known = ", ".join(sorted({*MODULES, *FUNCTIONS, *ELEMENTWISE}))
            raise VqromError(f"node {name!r}: operator {node.op_type} is not known; known are "
                             f"{known}")
        module.append(name, part, inputs, node.output[0])

    def _fold(self, node: Any) -> None:
        """Compute what depends on constants alone, by the standard's own implementation."""
        given = {name: self._constants[name].numpy() for name in node.input if name}
        results = ReferenceEvaluator(node).run(None, given)
        for name, value in zip(node.output, results, strict=True):
            self._constants[name] = torch.from_numpy(np.array(value))


class _WithConstants(nn.Module):
    """A function some of whose operands are constants of the model."""

    def __init__(self, function: Function, operands: Sequence[torch.Tensor | None]):
        super().__init__()
        self._function = function
        self._operands = len(operands)
        for place, operand in enumerate(operands):
            if operand is not None:
                self.register_buffer(f"operand{place}", operand)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        given = iter(inputs)
        operands = [getattr(self, f"operand{place}", None) for place in range(self._operands)]
        operands = [next(given) if operand is None else operand for operand in operands]
        return self._function(*operands)
