"""Operators of several maps, and those that move pixels."""

from __future__ import annotations

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_hw.lib import OPERAND_SHIFT
from vqrom_sw.arithmetic import quantize_multiplier
from vqrom_sw.network import (
    Concat,
    Elementwise,
    Host,
    HostStep,
    Native,
    Operator,
    Pad,
)

from .groups import Group
from .scales import requantization
from .tables import is_constant_operation, requantised, table
from .values import Activation, same_layout, usual_map

KINDS: dict[str, Operator] = {"Add": "add", "Sub": "subtract", "Mul": "multiply",
                              "Max": "maximum", "Min": "minimum"}
"""What is done with two maps, by operator."""


def combine(group: Group) -> Activation:
    """Make an element-wise layer of two maps, or a table where one operand is constant."""
    if is_constant_operation(group):
        return table(group)
    kind = KINDS.get(group.node.kind)
    if kind is None or group.node.inputs != 2:
        raise VqromError("must have two maps to add, subtract, multiply or compare, or constants")
    first, second = _operands(group, kind != "subtract")
    scales = first.quantization.scale, second.quantization.scale
    name, output = group.name, group.scale.quantization
    if kind == "multiply":
        inputs, factor = None, requantization(name, scales[0] * scales[1] / output.scale)
    else:
        twice = 2 * max(scales)
        inputs = (quantize_multiplier(name, scales[0] / twice),
                  quantize_multiplier(name, scales[1] / twice))
        factor = quantize_multiplier(name, twice / ((1 << OPERAND_SHIFT) * output.scale))
    layer = Elementwise(name, (first.layer, second.layer), first.shape, output, kind, inputs,
                        factor, group.clamp())
    native = Native(group.sizes, first.native.order)
    if not same_layout(native, first.native, first.shape):
        raise VqromError(f"inputs of {first.sizes!r} must not make {group.sizes!r}")
    return group.layers.add(layer, native, group.scale)


def _operands(group: Group, may_turn: bool) -> tuple[Activation, Activation]:
    """Both operands as maps, of which the second may be a single pixel."""
    first, second = group.activation(0), group.activation(1)
    if first.sizes == second.sizes and first.shape == second.shape \
            and same_layout(first.native, second.native, first.shape):
        return first, second
    if len(first.sizes) != len(second.sizes):
        raise VqromError(f"inputs of {first.sizes!r} and {second.sizes!r} must have as many axes")
    first, second = group.layers.usual(first), group.layers.usual(second)
    if may_turn and first.shape[:2] == (1, 1) != second.shape[:2]:
        first, second = second, first
    if second.shape not in (first.shape, (1, 1, first.shape[2])):
        raise VqromError(f"inputs of {first.sizes!r} and {second.sizes!r} must have one shape, "
                         "or the second be a single pixel")
    return first, second


def concat(group: Group) -> Activation:
    """Make a concatenation along channels of maps that tables bring to one quantisation."""
    node = group.node
    group.plain()
    parts = [group.activation(place) for place in range(node.inputs)]
    rank = len(parts[0].sizes) + 1
    axis = int(node.required("axis")) % rank
    if (rank, axis) not in ((2, 1), (3, 2), (4, 1)):
        raise VqromError(f"axis must be that of channels, not {axis} of {rank}")
    parts = [requantised(group, group.layers.usual(part)) for part in parts]
    shape, native = usual_map(group.sizes)
    name = group.name
    layer = Concat(name, tuple(part.layer for part in parts), shape, group.scale.quantization,
                   tuple(quantize_multiplier(name, 1.0) for _ in parts))
    return group.layers.add(layer, native, group.scale)


def pad(group: Group) -> Activation:
    """Make a padding with a constant around an image."""
    node = group.node
    group.plain()
    node.expect("mode", "constant", ("constant",))
    value = group.activation()
    pads, axes = group.real(1), group.real(3) if node.has(3) else None
    number = group.real(2) if node.has(2) else None
    if len(value.sizes) != 3 or pads is None:
        raise VqromError(f"input must be an image, not {value.sizes!r}")
    given = [int(amount) for amount in pads.reshape(-1)]
    which = [int(axis) % 4 for axis in axes.reshape(-1)] if axes is not None else list(range(4))
    amounts = {axis: (given[place], given[place + len(which)])
               for place, axis in enumerate(which)}
    (top, bottom), (left, right) = amounts.get(2, (0, 0)), amounts.get(3, (0, 0))
    if any(amounts.get(axis, (0, 0)) != (0, 0) for axis in (0, 1)) \
            or min(top, left, bottom, right) < 0:
        raise VqromError(f"pads must be of height and width, and not negative, not {given!r}")
    value = requantised(group, group.layers.usual(value))
    real = 0.0 if number is None else float(number.reshape(()))
    layer = Pad(group.name, (value.layer,), usual_map(group.sizes)[0], group.scale.quantization,
                (top, left, bottom, right), int(np.clip(group.scale.quantized(real), -128, 127)))
    return group.layers.add(layer, Native(group.sizes), group.scale)


def softmax(group: Group) -> Activation:
    """Make a host layer, in float32 as the file has it."""
    value, rank = group.activation(), 0
    group.plain()
    rank = len(value.sizes) + 1
    axis = group.node.axis(group.node.attribute("axis", -1), rank)
    if axis == 0:
        raise VqromError("axis must not be that of the images")
    layer = Host(group.name, (value.layer,), value.shape, group.scale.quantization, "softmax",
                 (HostStep("softmax.int", ({"input": 0}, axis), {}),), (), (value.native,),
                 value.native)
    return group.layers.add(layer, value.native, group.scale)


OPERATORS = {**dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"), combine),
             "Concat": concat, "Pad": pad, "Softmax": softmax}
"""What reads each operator of several maps, by its name."""
