"""ONNX models as PyTorch modules, read and checked with the ``onnx`` package.

Source: the operators' definitions of the ONNX standard, operator sets 7 and later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_bytes

from .module import MAX_BYTES, Call, Imported, ImportedModule

Function = Callable[..., torch.Tensor]
ELEMENTWISE: dict[str, Function] = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "MatMul": torch.matmul,
    "Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "HardSwish": F.hardswish,
    "Sqrt": torch.sqrt, "Exp": torch.exp, "Neg": torch.neg, "Abs": torch.abs,
    "Reciprocal": torch.reciprocal, "Erf": torch.erf, "Pow": torch.pow, "Mish": F.mish,
    "Identity": nn.Identity(), "Dropout": nn.Identity(),
}
"""Operators without attributes that matter."""


def read_onnx(path: Path) -> Imported:
    """Read a model with one float32 image input, whose size but the batch is fixed, and one output.

    Raises
    ------
    VqromError
        If the package ``onnx`` is absent, the file is no valid ONNX model, or it has an operator
        that is not known here; the message names it.
    """
    try:
        import onnx
    except ImportError:
        raise VqromError("package 'onnx' must be installed to read ONNX models: "
                         "pip install onnx") from None
    try:
        model = onnx.load_model_from_string(read_bytes(path, "ONNX model", MAX_BYTES))
        onnx.checker.check_model(model)
        for size in model.graph.input[0].type.tensor_type.shape.dim[:1]:
            # Shapes are computed for one image; what depends on them is folded.
            size.dim_value = 1
        return _Reader(onnx, onnx.shape_inference.infer_shapes(model).graph).read()
    except VqromError as error:
        raise VqromError(f"ONNX model {str(path)!r}: {error}") from None
    except Exception as error:
        raise VqromError(f"ONNX model {str(path)!r} cannot be read: {type(error).__name__}: "
                         f"{' '.join(str(error).split())[:200]}") from None


class _Reader:
    """One model's graph."""

    def __init__(self, onnx: Any, graph: Any):
        self._onnx = onnx
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
        if tensor.elem_type != self._onnx.TensorProto.FLOAT or len(sizes) not in (2, 4) \
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
        attributes = {attribute.name: self._onnx.helper.get_attribute_value(attribute)
                      for attribute in node.attribute}
        name = node.name or node.op_type.lower()
        inputs = [given for given in node.input if given and given not in self._constants]
        constants = [self._constants.get(given) for given in node.input]
        if node.op_type in MODULES:
            part: nn.Module = MODULES[node.op_type](node, attributes, self._constants)
        elif node.op_type == "MatMul" and constants[1] is not None and constants[1].dim() == 2:
            part = nn.Linear(constants[1].shape[0], constants[1].shape[1])
            _fill(part, constants[1].T, None)
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
        from onnx.reference import ReferenceEvaluator

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


def _window(node: Any, attributes: dict[str, Any]) -> tuple[tuple[int, int, int, int], list[int]]:
    """Padding ``(left, right, top, bottom)`` and stride of a two-dimensional window."""
    automatic = attributes.get("auto_pad", b"NOTSET").decode()
    if automatic not in ("NOTSET", "VALID"):
        raise VqromError(f"node {node.name!r}: auto_pad must be NOTSET or VALID, "
                         f"not {automatic}")
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    return (left, right, top, bottom), list(attributes.get("strides", [1, 1]))


def _conv(node: Any, attributes: dict[str, Any], constants: dict[str, torch.Tensor]) -> nn.Module:
    weight = _constant(node, 1, constants)
    if weight.dim() != 4:
        raise VqromError(f"node {node.name!r}: Conv must be two-dimensional")
    (left, right, top, bottom), stride = _window(node, attributes)
    groups = attributes.get("group", 1)
    same = (left, top) == (right, bottom)
    conv = nn.Conv2d(weight.shape[1] * groups, weight.shape[0], (weight.shape[2], weight.shape[3]),
                     (stride[0], stride[1]), (top, left) if same else 0,
                     tuple(attributes.get("dilations", [1, 1])), groups)
    _fill(conv, weight, constants[node.input[2]] if len(node.input) > 2 else None)
    return conv if same else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), conv)


def _gemm(node: Any, attributes: dict[str, Any], constants: dict[str, torch.Tensor]) -> nn.Module:
    weight = _constant(node, 1, constants)
    if attributes.get("transA", 0):
        raise VqromError(f"node {node.name!r}: transA must be 0")
    weight = (weight if attributes.get("transB", 0) else weight.T) * attributes.get("alpha", 1.0)
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    bias = constants[node.input[2]] if len(node.input) > 2 else None
    _fill(linear, weight, None if bias is None else
          (bias * attributes.get("beta", 1.0)).expand(len(weight)))
    return linear


def _batch_norm(node: Any, attributes: dict[str, Any],
                constants: dict[str, torch.Tensor]) -> nn.Module:
    scale, bias, mean, variance = (_constant(node, place, constants) for place in (1, 2, 3, 4))
    norm = nn.BatchNorm2d(len(scale), eps=attributes.get("epsilon", 1e-5))
    with torch.no_grad():
        for target, value in ((norm.weight, scale), (norm.bias, bias), (norm.running_mean, mean),
                              (norm.running_var, variance)):
            assert target is not None
            target.copy_(value)
    return norm


def _layer_norm(node: Any, attributes: dict[str, Any],
                constants: dict[str, torch.Tensor]) -> nn.Module:
    weight = _constant(node, 1, constants)
    norm = nn.LayerNorm(weight.shape, attributes.get("epsilon", 1e-5))
    with torch.no_grad():
        norm.weight.copy_(weight)
        norm.bias.copy_(_constant(node, 2, constants) if len(node.input) > 2 else 0 * weight)
    return norm


def _pool(make: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    def build(node: Any, attributes: dict[str, Any], _: object) -> nn.Module:
        (left, right, top, bottom), stride = _window(node, attributes)
        if (left, top) != (right, bottom):
            raise VqromError(f"node {node.name!r}: padding must be the same on all sides")
        extra = {} if make is nn.MaxPool2d else {
            "count_include_pad": bool(attributes.get("count_include_pad", 0))}
        return make(tuple(attributes["kernel_shape"]), tuple(stride), (top, left),
                    ceil_mode=bool(attributes.get("ceil_mode", 0)), **extra)
    return build


def _fill(layer: nn.Conv2d | nn.Linear, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
    with torch.no_grad():
        layer.weight.copy_(weight)
        assert layer.bias is not None
        layer.bias.copy_(torch.zeros(len(weight)) if bias is None else bias)


def _constant(node: Any, place: int, constants: dict[str, torch.Tensor]) -> torch.Tensor:
    if node.input[place] not in constants:
        raise VqromError(f"node {node.name!r} ({node.op_type}): input {place} must be a constant")
    return constants[node.input[place]].float()


MODULES: dict[str, Callable[..., nn.Module]] = {
    "Conv": _conv, "Gemm": _gemm, "BatchNormalization": _batch_norm,
    "MaxPool": _pool(nn.MaxPool2d), "AveragePool": _pool(nn.AvgPool2d),
    "GlobalAveragePool": lambda *_: nn.AdaptiveAvgPool2d(1),
    "LeakyRelu": lambda _, attributes, __: nn.LeakyReLU(attributes.get("alpha", 0.01)),
    "Softmax": lambda _, attributes, __: nn.Softmax(attributes.get("axis", -1)),
    "Gelu": lambda _, attributes, __: nn.GELU(attributes.get("approximate", b"none").decode()),
    "LayerNormalization": _layer_norm,
    "Elu": lambda _, attributes, __: nn.ELU(attributes.get("alpha", 1.0)),
}
"""Operators with weights or a PyTorch module of their own: of node, attributes, constants."""


def _integers(value: Any) -> list[int]:
    return [int(item) for item in (value.flatten() if isinstance(value, torch.Tensor) else value)]


def _clip(attributes: dict[str, Any], given: Sequence[torch.Tensor | None]) -> Function:
    bounds = [*given[1:], None, None][:2]
    low, high = (float(bound) if bound is not None else attributes.get(name)
                 for bound, name in zip(bounds, ("min", "max"), strict=True))
    return lambda x: x.clamp(low, high)


def _reshape(_: object, given: Sequence[torch.Tensor | None]) -> Function:
    if given[1] is None:
        raise VqromError("Reshape must have a constant shape")
    _, *sizes = _integers(given[1])
    return lambda x: x.reshape(len(x), *(x.shape[place + 1] if size == 0 else size
                                         for place, size in enumerate(sizes)))


def _pad(attributes: dict[str, Any], given: Sequence[torch.Tensor | None]) -> Function:
    pads = attributes.get("pads") or _integers(given[1] if len(given) > 1 else None)
    half = len(pads) // 2
    amounts = [amount for place in reversed(range(half))
               for amount in (pads[place], pads[half + place])]
    return lambda x: F.pad(x, amounts)


def _axes(attributes: dict[str, Any], given: Sequence[torch.Tensor | None]) -> list[int]:
    found = given[1] if len(given) > 1 and given[1] is not None else attributes.get("axes", [])
    return _integers(found)


def _mean(attributes: dict[str, Any], given: Sequence[torch.Tensor | None]) -> Function:
    axes, keep = _axes(attributes, given), bool(attributes.get("keepdims", 1))
    return lambda x: x.mean(axes, keepdim=keep)


def _slice(attributes: dict[str, Any], given: Sequence[torch.Tensor | None]) -> Function:
    starts, ends = (_integers(given[place] if len(given) > place else attributes[name])
                    for place, name in ((1, "starts"), (2, "ends")))
    axes, steps = (_integers(given[place]) if len(given) > place and given[place] is not None
                   else None for place in (3, 4))
    axes = axes or attributes.get("axes") or list(range(len(starts)))

    def run(x: torch.Tensor) -> torch.Tensor:
        parts = [slice(None)] * x.dim()
        for axis, start, end, step in zip(axes, starts, ends, steps or [1] * len(axes),
                                          strict=True):
            parts[axis] = slice(start, end, step)
        return x[tuple(parts)]

    return run


FUNCTIONS: dict[str, Callable[[dict[str, Any], Sequence[torch.Tensor | None]], Function]] = {
    "Clip": _clip, "Reshape": _reshape, "Pad": _pad, "ReduceMean": _mean, "Slice": _slice,
    "Concat": lambda attributes, _: lambda *parts: torch.cat(parts, attributes["axis"]),
    "Flatten": lambda attributes, _: lambda x: x.flatten(attributes.get("axis", 1)),
    "Transpose": lambda attributes, _: lambda x: x.permute(*attributes["perm"]),
    "Squeeze": lambda attributes, given: lambda x: x.squeeze(_axes(attributes, given)),
    "Unsqueeze": lambda attributes, given: lambda x: x.unsqueeze(_axes(attributes, given)[0]),
}
"""Operators with attributes or constant arguments: of attributes and constant inputs."""
