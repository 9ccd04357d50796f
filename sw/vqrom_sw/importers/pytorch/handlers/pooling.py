"""Handlers of pooling, and of means and maxima over height and width."""

from __future__ import annotations

import math

from vqrom_sw.network import (
    FloatAveragePool,
    FloatGlobalAveragePool,
    FloatMaxPool,
    FloatTable,
    HostStep,
)

from ..graph_node import GraphNode
from ..layout import Layout, layout_of, length
from ..walk import TracedMap
from .convolution import along
from .rearrange import channels_first, settled


def max_pool(op: GraphNode) -> None:
    """Make a max pooling; what pads its input with minus infinity becomes its padding."""
    argument = op.arguments["self"]
    value = op.walk.value(argument)
    value = value if value is not None and value.fill == -math.inf else op.value("self")
    value, axes = channels_first(op, value, len(op.shape))
    window = _Window(op, axes, value)
    dilation = along(axes, op.arguments["dilation"], 1)
    padding = window.padding(dilation)
    op.emit(lambda name: FloatMaxPool(
        name, (value.layer,), window.shape, window.kernel, window.stride,
        _added(value.padding, padding), dilation), axes)


def average_pool(op: GraphNode) -> None:
    """Make an average pooling; what leaves nothing to average leaves no layer."""
    if op.arguments.get("divisor_override") is not None:
        raise op.error(f"divisor_override must be None, not {op.arguments['divisor_override']!r}")
    value, axes = channels_first(op, op.value("self"), len(op.shape))
    window = _Window(op, axes, value)
    padding = window.padding((1, 1))
    plain = window.plain_padding
    counted = bool(op.arguments["count_include_pad"]) and any(plain)
    if counted and padding != plain:
        raise op.error("padding that counts must not be beside rows or columns of ceil_mode, "
                       "which do not count")
    if any(part >= size for part, size in zip(padding, window.kernel * 2, strict=True)):
        raise op.error(f"padding must be smaller than the kernel {window.kernel!r}, "
                       f"not {padding!r}")
    if not any(padding) and window.kernel == value.map[:2]:
        _global_average(op, value, layout_of((1, 1, value.map[2]), *axes))
        return
    op.emit(lambda name: FloatAveragePool(
        name, (value.layer,), window.shape, window.kernel, window.stride, padding, counted), axes)


class _Window:
    """The arguments of a pooling, as ``(y, x)``."""

    def __init__(self, op: GraphNode, axes: str, value: TracedMap):
        kernel = op.arguments["kernel_size"]
        self.kernel = along(axes, kernel, 1)
        self.stride = along(axes, op.arguments["stride"] or kernel, 1)
        top, left = along(axes, op.arguments["padding"], 0)
        self.plain_padding = (top, left, top, left)
        sizes = dict(zip(axes[2:], op.shape[2:], strict=True))
        self.shape = (sizes.get("H", 1), sizes.get("W", 1), value.map[2])
        self._size = _grown(value)

    def padding(self, dilation: tuple[int, int]) -> tuple[int, int, int, int]:
        """The padding that makes as many windows as the result has; ``ceil_mode`` adds to it."""
        top, left, _, _ = self.plain_padding
        more = [(count - 1) * stride + (kernel - 1) * step + 1 - size - before
                for count, stride, kernel, step, size, before in zip(
                    self.shape, self.stride, self.kernel, dilation, self._size, (top, left),
                    strict=False)]
        return top, left, max(top, more[0]), max(left, more[1])


def _grown(value: TracedMap) -> tuple[int, int]:
    """Height and width with the padding that has no layer yet."""
    top, left, bottom, right = value.padding
    return value.map[0] + top + bottom, value.map[1] + left + right


def _added(first: tuple[int, int, int, int],
           second: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    top, left, bottom, right = (one + other for one, other in zip(first, second, strict=True))
    return top, left, bottom, right


def adaptive_pool(op: GraphNode) -> None:
    """Make a pooling whose windows divide the map evenly; others stay on the host."""
    value, axes = channels_first(op, op.value("self"), len(op.shape))
    sizes = dict(zip(axes[2:], op.shape[2:], strict=True))
    shape = (sizes.get("H", 1), sizes.get("W", 1), value.map[2])
    if shape == value.map:
        op.pass_on(value)
        return
    if value.map[0] % shape[0] or value.map[1] % shape[1]:
        raise op.error(f"output_size must divide the feature map {value.map[:2]!r}, "
                       f"not be {shape[:2]!r}")
    kernel = (value.map[0] // shape[0], value.map[1] // shape[1])
    if op.kind.startswith("adaptive_max"):
        op.emit(lambda name: FloatMaxPool(
            name, (value.layer,), shape, kernel, kernel, (0, 0, 0, 0)), axes)
    elif shape[:2] == (1, 1):
        _global_average(op, value, layout_of(shape, *axes))
    else:
        op.emit(lambda name: FloatAveragePool(
            name, (value.layer,), shape, kernel, kernel, (0, 0, 0, 0), False), axes)


def mean(op: GraphNode) -> None:
    """Make an average pooling of a mean over height, width or both."""
    value, shape, layout = _reduced(op, "self")
    if shape[:2] == (1, 1):
        _global_average(op, value, layout)
        return
    kernel = (value.map[0] // shape[0], value.map[1] // shape[1])
    op.emit(lambda name: FloatAveragePool(
        name, (value.layer,), shape, kernel, kernel, (0, 0, 0, 0), False), layout)


def total(op: GraphNode) -> None:
    """Make a global average pooling of a sum over height and width, and a table that scales it."""
    value, shape, layout = _reduced(op, "self")
    if shape[:2] != (1, 1):
        raise op.error("must be over height and width")
    average = op.walk.append(lambda name: FloatGlobalAveragePool(
        name, (value.layer,), shape), op.path, op.kind)
    step = HostStep("mul.Scalar", ({"input": 0}, float(value.map[0] * value.map[1])), {})
    op.emit(lambda name: FloatTable(name, (average.name,), shape, "mul", (step,), (), False),
            layout)


def maximum_of(op: GraphNode) -> None:
    """Make a max pooling of a maximum over height, width or both."""
    value, shape, layout = _reduced(op, "self")
    kernel = (value.map[0] // shape[0], value.map[1] // shape[1])
    op.emit(lambda name: FloatMaxPool(
        name, (value.layer,), shape, kernel, kernel, (0, 0, 0, 0)), layout)


def _reduced(op: GraphNode, name: str) -> tuple[TracedMap, tuple[int, int, int], Layout]:
    """The operand of a reduction, and the map and layout of its result."""
    value = settled(op, op.value(name))
    count = len(value.layout.groups)
    dims = op.arguments.get("dim")
    dims = [dims] if isinstance(dims, int) else list(dims or range(count))
    dims = sorted(dim % count for dim in dims)
    axes = sorted(atom.axis for dim in dims for atom in value.layout.groups[dim])
    if len(set(axes)) != len(axes) or not set(axes) <= {"H", "W"} or any(
            atom.length != length(value.map, atom.axis)
            for dim in dims for atom in value.layout.groups[dim]):
        raise op.error(f"dim must be height, width or both, not {dims!r}")
    height, width, channels = value.map
    shape = (1 if "H" in axes else height, 1 if "W" in axes else width, channels)
    keep = bool(op.arguments["keepdim"])
    groups = [() if dim in dims else group for dim, group in enumerate(value.layout.groups)
              if keep or dim not in dims]
    return value, shape, Layout(tuple(groups))


def _global_average(op: GraphNode, value: TracedMap, layout: Layout) -> None:
    op.emit(lambda name: FloatGlobalAveragePool(name, (value.layer,), (1, 1, value.map[2])),
            layout)
