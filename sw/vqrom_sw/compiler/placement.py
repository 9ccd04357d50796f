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
        case Conv():
            return _conv_reason(layer, network, config)
        case MaxPool():
            return "" if layer.dilation == (1, 1) else "its window is dilated"
        case AveragePool():
            return "its padding counts" if layer.count_padding and any(layer.padding) else ""
        case GlobalAveragePool() | Select():
            return ""
        case Elementwise():
            return _elementwise_reason(layer, network)
        case _:
            return "no unit has such an operation"


def is_depthwise(layer: Conv, channels: int) -> bool:
    """Whether each output channel has an input channel of its own: the vector unit does those.

    Parameters
    ----------
    layer:
        The convolution that becomes a task.
    channels:
        Channels of its input.
    """
    return layer.groups == channels == layer.shape[2] and channels > 1


def _conv_reason(layer: Conv, network: QuantizedNetwork, config: AcceleratorConfig) -> str:
    if layer.dilation != (1, 1):
        return "its kernel is dilated"
    positions = layer.kernel[0] * layer.kernel[1]
    if is_depthwise(layer, network.shape_of(layer.inputs[0])[2]) \
            and positions > config.vector_taps:
        return (f"a depthwise kernel of {positions} positions is more than vector_taps "
                f"{config.vector_taps} of config {config.name!r}")
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
