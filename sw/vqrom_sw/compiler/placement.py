"""Which layers the accelerator does, and why it does not do the others.

What it does depends on its dimensions, so that a layer may run on the array of one configuration
and on the host beside another. A reason is a sentence without a capital letter and a full stop; it
becomes part of messages.
"""

from __future__ import annotations

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import (
    AveragePool,
    Conv,
    Elementwise,
    GlobalAveragePool,
    Layer,
    MaxPool,
    QuantizedNetwork,
    Select,
)

from .tasks import kernel_of

LARGEST_STEP = 63
"""Most map rows or columns that an iteration of a loop adds: fields of 6 bits, ``dy`` and ``dx`` of
:data:`vqrom_hw.isa.commands.level_layout`."""


def host_reason(layer: Layer, network: QuantizedNetwork, config: AcceleratorConfig) -> str:
    """Why a layer of a network must run on the host; empty if the accelerator does it.

    Parameters
    ----------
    layer, network:
        The layer, and the network that it belongs to.
    config:
        Dimensions of the accelerator.
    """
    match layer:
        case Conv() | MaxPool():
            return _window_reason(layer)
        case AveragePool():
            return "its padding counts" if layer.count_padding and any(layer.padding) \
                else _window_reason(layer)
        case GlobalAveragePool() | Select():
            return ""
        case Elementwise():
            return _elementwise_reason(layer, network)
        case _:
            return "no unit has such an operation"


def is_depthwise(layer: Conv, channels: int) -> bool:
    """Whether each output channel has a single input channel: the vector unit does those as a rule.

    Parameters
    ----------
    layer:
        The convolution that becomes a task.
    channels:
        Channels of its input.
    """
    return layer.groups == channels > 1


def _window_reason(layer: Conv | MaxPool | AveragePool) -> str:
    """Why no unit walks over a layer's windows: a step of an address generator is too long."""
    kernel = kernel_of(layer)
    for name, step in (("stride", max(kernel.stride_rows, kernel.stride_columns)),
                       ("dilation", max(kernel.tap_rows, kernel.tap_columns))):
        if step > LARGEST_STEP:
            return f"its {name} {step} is more than {LARGEST_STEP}"
    return ""


def _elementwise_reason(layer: Elementwise, network: QuantizedNetwork) -> str:
    if layer.operator != "add":
        return f"no unit can {layer.operator}"
    first, second = (network.shape_of(name) for name in layer.inputs)
    if first != second:
        return f"its operands have the shapes {first!r} and {second!r}"
    assert layer.input_requantization is not None
    factor = max(int(scale.shift[0]) for scale in layer.input_requantization)
    return f"a factor of its inputs has the shift {factor}, which is above 0" if factor > 0 else ""
