"""The view of one node of an exported graph that its handler gets."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.fx import Node

from vqrom_hw.errors import VqromError
from vqrom_sw.network import FloatLayer

from .walk import TracedMap, Walk


class GraphNode:
    """One node of an exported graph, with what its handler needs to make a layer of it.

    Parameters
    ----------
    walk:
        The walk that is under way.
    node:
        The node, a call of an aten operation.

    Members
    -------
    kind:
        Name of the operation without its variant, e.g. ``conv2d``.
    path:
        Path of the module that the node belongs to.
    arguments:
        Arguments of the call by name, defaults included.
    """

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
        """Shape of the node's result, batch first."""
        result = self.node.meta["val"]
        # A batch norm may return statistics beside its result.
        result = result[0] if isinstance(result, tuple | list) else result
        return tuple(int(size) for size in result.shape)

    @property
    def read_by_convolutions(self) -> bool:
        """Whether convolutions alone read the result, or more padding before them."""
        return all(_kind_of(user) == "conv2d" or (
            _kind_of(user) in ("pad", "constant_pad_nd")
            and GraphNode(self.walk, user).read_by_convolutions) for user in self.node.users)

    def value(self, name: str) -> TracedMap:
        """The feature map that an argument names.

        Raises
        ------
        VqromError
            If the argument is not computed from the network's input.
        """
        argument = self.arguments.get(name)
        value = self.walk.value(argument) if isinstance(argument, Node) else None
        if value is None:
            raise self.error(f"{name} must be a feature map that depends on the input")
        return value

    def image(self, name: str) -> TracedMap:
        """The image that an argument names.

        Raises
        ------
        VqromError
            If the argument is no feature map, or is flattened.
        """
        value = self.value(name)
        height, width, channels = value.map
        top, left, bottom, right = value.padding
        height, width = height + top + bottom, width + left + right
        if value.shape[1:] != (channels, height, width):
            raise self.error(f"{name} must be (N, C, H, W), not {value.shape!r}")
        return value

    def tensor(self, name: str) -> torch.Tensor | None:
        """The constant that an argument names as float32 (weight, bias, statistics), or None.

        Raises
        ------
        VqromError
            If the argument is computed from the network's input.
        """
        argument = self.arguments.get(name)
        if argument is None:
            return None
        if argument not in self.walk.constants:
            raise self.error(f"{name} must be a constant of the module, not computed")
        return self.walk.constants[argument].detach().to(torch.float32)

    def error(self, rule: str) -> VqromError:
        """The exception for what the hardware does not do, whose message names layer and kind."""
        return VqromError(f"layer {self.path or self.node.name!r} ({self.kind}): {rule}")

    def require(self, name: str, *allowed: Any) -> None:
        """Refuse an argument whose value is none of those allowed.

        Raises
        ------
        VqromError
            If it has another value; the message names the first one allowed.
        """
        value = self.arguments.get(name)
        value = list(value) if isinstance(value, list | tuple) else value
        if value not in allowed:
            raise self.error(f"{name} must be {allowed[0]!r}, not {value!r}")

    def emit(self, make: Callable[[str], FloatLayer], suffix: str = "") -> None:
        """Append a layer whose output is this node's result.

        A layer without a module is called ``suffix``, or after the operation.
        """
        layer = self.walk.append(make, self.path, suffix or self.kind)
        self.walk.values[self.node] = TracedMap(
            layer.name, layer.shape, self.shape, self.walk.read_once(self.node))

    def fuse(self, value: TracedMap, **changes: Any) -> None:
        """Change fields of the layer that made ``value``, so that it makes this node's result."""
        layer = self.walk.layers[value.layer]
        self.walk.layers[value.layer] = layer = replace(layer, **changes)
        self.pass_on(replace(value, map=layer.shape))

    def pass_on(self, value: TracedMap) -> None:
        """Make the result the operand ``value`` itself, perhaps in another shape."""
        self.walk.values[self.node] = replace(
            value, shape=self.shape,
            exclusive=value.exclusive and self.walk.read_once(self.node))

    def producer(self, value: TracedMap) -> FloatLayer | None:
        """The layer that made ``value``, or None if this operation may not be fused into it."""
        return self.walk.layers.get(value.layer) if value.exclusive else None


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
