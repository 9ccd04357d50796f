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

from .layout import BATCH, Layout, layout_of, sizes_of
from .walk import TracedMap, Walk, is_number

CONVERSIONS = ("to", "_to_copy", "type_as")
"""Kinds of operations that change the type of a tensor."""


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
        self.kind = kind_of(node)
        self.path = _module_path(node)
        schema: Any = getattr(node.target, "_schema", None)
        names = [argument.name for argument in schema.arguments] if schema else []
        defaults = {argument.name: argument.default_value for argument in schema.arguments
                    if argument.has_default_value()} if schema else {}
        given = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
        self.arguments: dict[str, Any] = defaults | given

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the node's first result; the number of images is :data:`BATCH`."""
        result = self.node.meta["val"]
        result = result[0] if isinstance(result, tuple | list) else result
        try:
            return sizes_of(result)
        except ValueError as error:
            raise self.error(str(error)) from None

    def value(self, name: str) -> TracedMap:
        """The feature map that an argument names, without padding.

        Raises
        ------
        VqromError
            If the argument is not computed from the network's input.
        """
        argument = self.arguments.get(name)
        value = self.walk.whole_value(argument) if isinstance(argument, Node) else None
        if value is None:
            raise self.error(f"{name} must be a feature map that depends on the input")
        return value

    def padded(self, name: str) -> TracedMap:
        """The feature map that an argument names, perhaps with zeros around it.

        Raises
        ------
        VqromError
            If the argument is not computed from the network's input.
        """
        argument = self.arguments.get(name)
        value = self.walk.value(argument) if isinstance(argument, Node) else None
        return self.value(name) if value is None or value.fill else value

    def maps(self) -> list[Node]:
        """The operands that are computed from the network's input, in order."""
        return [node for node in self.node.all_input_nodes
                if node not in self.walk.constants and not is_number(node)]

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

    def weight(self) -> torch.Tensor:
        """The constant argument ``weight``, whose values must be finite.

        Raises
        ------
        VqromError
            If there is none, or its values are not finite.
        """
        weight = self.tensor("weight")
        if weight is None or not weight.isfinite().all():
            raise self.error("weight must be finite")
        return weight

    def error(self, rule: str) -> VqromError:
        """The exception for what the hardware does not do, whose message names layer and kind."""
        return VqromError(f"layer {self.path or self.node.name!r} ({self.kind}): {rule}")

    def unknown(self) -> VqromError:
        """The exception for an operation that neither the accelerator nor the host has."""
        result = self.node.meta["val"]
        allowed = [torch.float32, torch.bool]
        if self.kind not in CONVERSIONS:
            allowed.append(torch.int64)
        if isinstance(result, torch.Tensor) and result.dtype not in allowed:
            return self.error(f"numbers must be float32, not {result.dtype}")
        return self.error(f"neither the accelerator nor the host does {str(self.node.target)!r}")

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

    def emit(self, make: Callable[[str], FloatLayer], layout: Layout | str,
             suffix: str = "") -> None:
        """Append a layer whose output is this node's result.

        Parameters
        ----------
        make:
            Makes the layer of the name that it gets.
        layout:
            What each dimension of the result counts, or the axes of the layer's map.
        suffix:
            Name of a layer without a module, if not the operation's.
        """
        layer = self.walk.append(make, self.path, suffix or self.kind)
        made = layout_of(layer.shape, *layout) if isinstance(layout, str) else layout
        self.put(TracedMap(layer.name, layer.shape, made, self.walk.read_once(self.node)))

    def fuse(self, value: TracedMap, **changes: Any) -> None:
        """Change fields of the layer that made ``value``, so that it makes this node's result."""
        self.change(value.layer, **changes)
        self.pass_on(value)

    def change(self, name: str, **changes: Any) -> None:
        """Change fields of a layer."""
        self.walk.layers[name] = replace(self.walk.layers[name], **changes)

    def pass_on(self, value: TracedMap, layout: Layout | None = None) -> None:
        """Make the result the operand ``value`` itself, perhaps in another layout."""
        self.put(replace(value, layout=layout or value.layout,
                         exclusive=value.exclusive and self.walk.read_once(self.node)))

    def put(self, value: TracedMap) -> None:
        """Keep a feature map as the node's result.

        Raises
        ------
        VqromError
            If it has not the shape that the graph says.
        """
        top, left, bottom, right = value.padding
        if not (top or left or bottom or right) and value.layout.sizes != self.shape:
            raise self.error(f"must have shape {shown(self.shape)}, not "
                             f"{shown(value.layout.sizes)}")
        self.walk.values[self.node] = value

    def producer(self, value: TracedMap) -> FloatLayer | None:
        """The layer that made ``value``, or None if this operation may not be fused into it."""
        return self.walk.layers.get(value.layer) if value.exclusive else None


def shown(sizes: tuple[int, ...]) -> str:
    """Sizes as messages show them, with ``N`` for the number of images."""
    return "(" + ", ".join(str(size) if size % BATCH else
                           "N" if size == BATCH else f"{size // BATCH} N" for size in sizes) + ")"


def kind_of(node: Node) -> str:
    """Name of a node's operation without its variant."""
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
    return f"{path}.{kind_of(node)}" if path else kind_of(node)
