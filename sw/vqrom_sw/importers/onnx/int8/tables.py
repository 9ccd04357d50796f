"""Functions of single numbers, as tables that onnxruntime itself computes."""

from __future__ import annotations

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.network import Table

from .groups import BINARY, Group, checked_activation
from .values import Activation, channel_axis


def table(group: Group) -> Activation:
    """Make a table of an operator with one computed input, and of the functions behind it."""
    node = group.node
    places = [place for place in range(node.inputs)
              if isinstance(group.inputs[place], Activation)]
    if len(places) != 1:
        raise VqromError("one input must be computed, and the others constant")
    for place in range(node.inputs):
        node.value(place)
    node.ignore("alpha", "beta", "gamma", "lambd", "bias", "approximate")
    value = checked_activation(group.inputs[places[0]], places[0])
    nodes = (group.proto, *group.tail)
    names = {name for one in nodes for name in one.input if name in group.constants}
    axis = None
    if any(np.asarray(group.constants[name]).size > 1 for name in names):
        axis = channel_axis(value)
        if axis is None:
            value = group.layers.usual(value)
            axis = channel_axis(value)
    channels = tuple(size if place == axis else 1 for place, size in enumerate(value.sizes))
    found = group.looked_up(value, nodes, group.proto.input[places[0]], channels)
    layer = Table(group.name, (value.layer,), value.shape, group.scale.quantization,
                  "+".join(one.op_type for one in (group.proto, *group.functions)).lower(), found)
    return group.layers.add(layer, value.native, group.scale)


def requantised(group: Group, value: Activation) -> Activation:
    """A value in the quantisation of the group's result: by a table, if that is another one."""
    if value.quantization == group.scale.quantization:
        return value
    sizes = tuple(1 for _ in value.sizes)
    found = group.looked_up(value, (), group.quantizer.input[0], sizes)
    layer = Table(group.layers.fresh(f"{group.node.name}_requantised"), (value.layer,),
                  value.shape, group.scale.quantization, "requantise", found)
    made = group.layers.add(layer, value.native, group.scale)
    return Activation(made.layer, made.shape, made.native, made.scale, True)


def is_constant_operation(group: Group) -> bool:
    """Whether an operator of two operands has a constant among them."""
    return group.node.kind in BINARY and any(
        not isinstance(value, Activation) for value in group.inputs)
