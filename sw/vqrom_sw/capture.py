"""A PyTorch module as a :class:`FloatNetwork`, by walking the graph of ``torch.export``."""

from __future__ import annotations

import logging
import operator
from collections.abc import Callable, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch.export.graph_signature import InputKind
from torch.fx import Node

from vqrom_hw.errors import VqromError

from .capture_host import HostNodes
from .float_network import INPUT, FloatHost, FloatLayer, FloatNetwork

__all__ = ["FloatNetwork", "capture"]


@dataclass(frozen=True)
class Value:
    """A feature map under way through the graph.

    Members
    -------
    layer:
        Name of the layer that makes it, or ``"input"``.
    map:
        ``(H, W, C)``.
    shape:
        Shape in the graph, batch first. Whatever reshaping happened, the elements of one image
        are in the order channel, row, column; those of a sequence ``(1, H, C)`` in that one.
    exclusive:
        Nothing else reads the layer's output, so an operation that follows may be fused into it.
    padding:
        Zero pixels ``(top, left, bottom, right)`` around it, which convolutions alone read.
    """

    layer: str
    map: tuple[int, int, int]
    shape: tuple[int, ...]
    exclusive: bool
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


class Operation:
    """One node of the graph, with what its handler needs."""

    def __init__(self, walk: Walk, node: Node):
        self.walk, self.node = walk, node
        self.kind = _kind_of(node)
        self.path = _module_path(node)
        schema: Any = getattr(node.target, "_schema", None)
        names = [argument.name for argument in schema.arguments] if schema else []
        defaults = {argument.name: argument.default_value for argument in schema.arguments
                    if argument.has_default_value()} if schema else {}
        given = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
        self.arguments: dict[str, Any] = defaults | given

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result, batch first."""
        result = self.node.meta["val"]
        # A batch norm may return statistics beside its result.
        result = result[0] if isinstance(result, tuple | list) else result
        return tuple(int(size) for size in result.shape)

    @property
    def read_by_convolutions(self) -> bool:
        """Whether all that reads the result are convolutions, or more padding before them."""
        return all(_kind_of(user) == "conv2d" or (
            _kind_of(user) in ("pad", "constant_pad_nd")
            and Operation(self.walk, user).read_by_convolutions) for user in self.node.users)

    def value(self, name: str) -> Value:
        """The feature map that an argument names."""
        argument = self.arguments.get(name)
        value = self.walk.value(argument) if isinstance(argument, Node) else None
        if value is None:
            raise self.error(f"{name} must be a feature map that depends on the input")
        return value

    def image(self, name: str) -> Value:
        """The feature map that an argument names, which must not be flattened."""
        value = self.value(name)
        height, width, channels = value.map
        top, left, bottom, right = value.padding
        height, width = height + top + bottom, width + left + right
        if value.shape[1:] != (channels, height, width):
            raise self.error(f"{name} must be (N, C, H, W), not {value.shape!r}")
        return value

    def tensor(self, name: str) -> torch.Tensor | None:
        """The constant tensor (weight, bias, statistics) that an argument names, or None."""
        argument = self.arguments.get(name)
        if argument is None:
            return None
        if argument not in self.walk.constants:
            raise self.error(f"{name} must be a constant of the module, not computed")
        return self.walk.constants[argument].detach().to(torch.float32)

    def error(self, rule: str) -> VqromError:
        """The exception for what the hardware does not do, naming layer and kind."""
        return VqromError(f"layer {self.path or self.node.name!r} ({self.kind}): {rule}")

    def require(self, name: str, *allowed: Any) -> None:
        """Refuse an argument whose value is none of those allowed."""
        value = self.arguments.get(name)
        value = list(value) if isinstance(value, list | tuple) else value
        if value not in allowed:
            raise self.error(f"{name} must be {allowed[0]!r}, not {value!r}")

    def emit(self, make: Callable[[str], FloatLayer], suffix: str = "") -> None:
        """Append a layer whose output is this operation's result."""
        layer = self.walk.append(make, self.path, suffix or self.kind)
        self.walk.values[self.node] = Value(
            layer.name, layer.shape, self.shape, self.walk.read_once(self.node))

    def fuse(self, value: Value, **changes: Any) -> None:
        """Change the layer that made ``value`` so that it makes this operation's result."""
        layer = self.walk.layers[value.layer]
        self.walk.layers[value.layer] = layer = replace(layer, **changes)
        self.pass_on(replace(value, map=layer.shape))

    def pass_on(self, value: Value) -> None:
        """The result is the operand itself, perhaps in another shape."""
        self.walk.values[self.node] = replace(
            value, shape=self.shape,
            exclusive=value.exclusive and self.walk.read_once(self.node))

    def producer(self, value: Value) -> FloatLayer | None:
        """The layer that made ``value`` where this operation may be fused into it."""
        return self.walk.layers.get(value.layer) if value.exclusive else None


class Walk:
    """State of one walk over an exported graph."""

    def __init__(self, constants: dict[Node, torch.Tensor]):
        self.constants = constants
        self.values: dict[Node, Value] = {}
        self.host = HostNodes(self)
        self.layers: dict[str, FloatLayer] = {}

    def value(self, node: Node) -> Value | None:
        """A node's feature map; the host's results become one now."""
        if node in self.host:
            self.values[node] = self.host.emit(node)
        return self.values.get(node)

    def read_once(self, node: Node) -> bool:
        """Whether one operation reads the node's result."""
        return len(node.users) == 1

    def append(self, make: Callable[[str], FloatLayer], path: str, suffix: str) -> FloatLayer:
        """Add a layer under its module's path, or under ``path.suffix`` for a bare function."""
        base = path or suffix
        name, count = base, 1
        while name in self.layers or name == INPUT:
            count += 1
            name = f"{base}_{count}"
        self.layers[name] = layer = make(name)
        return layer


def capture(module: torch.nn.Module, example_input: torch.Tensor,
            name: str = "network") -> FloatNetwork:
    """Trace a module and translate it into the hardware's layers.

    Batch norm is folded into the convolution or linear layer before it; ReLU, ReLU6, hardtanh
    and clamp are fused into what they follow; dropout, flatten and views leave no layer.

    Parameters
    ----------
    module:
        In evaluation mode.
    example_input:
        float32 ``[1, C, H, W]``, or ``[1, S, C]`` for a sequence, each element of which becomes a
        pixel; only its shape matters.
    name:
        Of the network.

    What else there is runs on the host, if it knows it (:mod:`vqrom_sw.host`).

    Raises
    ------
    VqromError
        If the module cannot be traced or has an operation that neither the hardware nor the host
        does; the message names the layer and the kind.
    """
    from .capture_ops import HANDLERS

    program = _export(module, example_input)
    walk = Walk(_constants(program))
    for node in program.graph.nodes:
        if node.op == "placeholder":
            if node not in walk.constants:
                walk.values[node] = _input_value(node, walk)
        elif node.op == "call_function":
            _translate(Operation(walk, node), HANDLERS)
    output = _output_value(program, walk)
    layers = _reachable(walk.layers, output.layer)
    if not layers or layers[-1].name != output.layer:
        raise VqromError(f"network {name!r}: the output must be its last layer's, "
                         f"not that of {output.layer!r}")
    return FloatNetwork(name, _map_of(tuple(example_input.shape)), layers, output.shape[1:])


def _translate(op: Operation, handlers: Mapping[str, Callable[[Operation], None]]) -> None:
    """Make a layer of an operation: the hardware's, if it has one, or else the host's."""
    if all(source in op.walk.constants for source in op.node.all_input_nodes):
        op.walk.constants[op.node] = _computed(op.node, op.walk.constants)
        return
    handler = handlers.get(op.kind)
    stays = op.kind not in ("conv2d", "linear") and op.walk.host.reads(op.node)
    if stays or handler is None:
        if not op.walk.host.add(op.node):
            raise op.error("the hardware has no such layer")
        return
    try:
        handler(op)
    except VqromError:
        if not op.walk.host.add(op.node):
            raise


def _computed(node: Node, constants: Mapping[Node, torch.Tensor]) -> Any:
    """Result of an operation on constants alone."""
    arguments, keywords = torch.fx.node.map_arg((node.args, node.kwargs), lambda n: constants[n])
    assert callable(node.target)
    return node.target(*arguments, **keywords)


def _reachable(layers: Mapping[str, FloatLayer], last: str) -> tuple[FloatLayer, ...]:
    """Layers up to the last one, without the host's that only others of the host needed."""
    needed = {last}
    for layer in reversed(list(layers.values())):
        if layer.name in needed or not isinstance(layer, FloatHost):
            needed |= {layer.name, *layer.inputs}
    return tuple(layer for layer in layers.values() if layer.name in needed)


def _map_of(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """``(H, W, C)`` of an image ``(1, C, H, W)`` or of a sequence ``(1, S, C)``."""
    if len(shape) == 3:
        return shape[1], 1, shape[2]
    _, channels, height, width = shape
    return height, width, channels


def _input_value(node: Node, walk: Walk) -> Value:
    shape = tuple(node.meta["val"].shape)
    # Never fusable: no layer of that name exists.
    return Value(INPUT, _map_of(shape), shape, walk.read_once(node))


def _export(module: torch.nn.Module, example: torch.Tensor) -> torch.export.ExportedProgram:
    if module.training:
        raise VqromError(f"module {type(module).__name__!r} must be in evaluation mode: "
                         "call .eval() first")
    if example.dim() not in (3, 4) or example.shape[0] != 1 or example.dtype != torch.float32:
        raise VqromError("example input must be float32 of shape (1, C, H, W) or (1, S, C), "
                         f"not {example.dtype} of {tuple(example.shape)!r}")
    with catch_warnings(), _quiet_logs():
        # What torch warns of while tracing is about torch's own internals.
        simplefilter("ignore")
        try:
            with torch.no_grad():
                module(example)
                # An empty table: in-place operations become functional, nothing is taken apart.
                return torch.export.export(module, (example,)).run_decompositions({})
        except (Exception, SystemExit) as error:
            raise VqromError(
                f"module {type(module).__name__!r} must run on an input of shape "
                f"{tuple(example.shape)!r} and be traced by torch.export, but: "
                f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


@contextmanager
def _quiet_logs():
    """Keep torch from logging a traceback, or a graph, of an error that we report ourselves."""
    logging.disable(logging.ERROR)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _constants(program: torch.export.ExportedProgram) -> dict[Node, torch.Tensor]:
    tensors: dict[str, Any] = {**program.constants, **program.state_dict}
    constant_names = {
        spec.arg.name: spec.target for spec in program.graph_signature.input_specs
        if spec.kind != InputKind.USER_INPUT and spec.target is not None}
    return {node: tensors[constant_names[node.name]] for node in program.graph.nodes
            if node.op == "placeholder" and node.name in constant_names}


def _output_value(program: torch.export.ExportedProgram, walk: Walk) -> Value:
    node = next(node for node in program.graph.nodes if node.op == "output")
    (outputs,) = node.args
    if len(outputs) != 1 or walk.value(outputs[0]) is None:
        raise VqromError(f"network must have one output that depends on its input, "
                         f"not {len(outputs)} outputs")
    return walk.values[outputs[0]]


def _kind_of(node: Node) -> str:
    if node.target is operator.getitem:
        return "getitem"
    # aten.conv2d.default -> conv2d; one kind has another name for each mode.
    kind = str(node.target).split(".")[1] if "." in str(node.target) else str(node.target)
    return "batch_norm" if "batch_norm" in kind else kind


def _module_path(node: Node) -> str:
    """Path of the module that a node belongs to; for a bare function, path.function."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    if not stack:
        return ""
    path, module_class = stack[-1]
    kind = module_class if isinstance(module_class, str) else module_class.__module__
    if kind.startswith("torch.nn.modules.") and ".container." not in kind:
        return path
    return f"{path}.{_kind_of(node)}" if path else _kind_of(node)


