"""The state of one walk over an exported graph, and the view of one node that handlers get."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch.fx import Node

from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT, FloatLayer


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


class Deferred(Protocol):
    """Nodes whose layers are not made yet: the host's, until a hardware layer reads a result."""

    def __contains__(self, node: object) -> bool:
        """Whether the node is one of them."""
        ...

    def emit(self, node: Node) -> Value:
        """Make the layer that computes the node, and return its result."""
        ...


class Walk:
    """State of one walk over an exported graph.

    Members
    -------
    constants:
        Parameters, buffers, and what was computed from them alone, by node.
    values:
        Feature maps that exist already, by node.
    deferred:
        Nodes left to the host; empty until :func:`capture` attaches the keeper of them.
    layers:
        Layers made so far, by name, in execution order.
    """

    def __init__(self, constants: dict[Node, torch.Tensor]):
        self.constants = constants
        self.values: dict[Node, Value] = {}
        self.deferred: Deferred | None = None
        self.layers: dict[str, FloatLayer] = {}

    def value(self, node: Node) -> Value | None:
        """A node's feature map; the host's results become one now."""
        if self.deferred is not None and node in self.deferred:
            self.values[node] = self.deferred.emit(node)
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
