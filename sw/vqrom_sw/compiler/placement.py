"""Which layers the accelerator does, and why it does not do the others.

What it does depends on its dimensions, so that a layer may run on the array of one configuration
and on the host beside another. A reason is a sentence without a capital letter and a full stop; it
becomes part of messages.
"""

from __future__ import annotations

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.lib import OPERAND_SHIFT
from vqrom_sw.network import (
    AveragePool,
    Concat,
    Conv,
    DepthToSpace,
    Elementwise,
    GlobalAveragePool,
    Layer,
    MaxPool,
    Pad,
    QuantizedNetwork,
    Select,
    Table,
    Upsample,
)

from .feature_map import plain_map, round_up
from .lowering import is_array_select, select_moves
from .tasks import (
    LARGEST_STEP,
    concat_ranges,
    keeps_zero_point,
    kernel_of,
    moves_of,
    needs_lanes,
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
        case Conv() | MaxPool() | AveragePool():
            return _window_reason(layer)
        case GlobalAveragePool():
            return _mean_reason(layer, network, config)
        case Upsample() | DepthToSpace():
            return _rows_reason(layer, network, config)
        case Elementwise():
            return _elementwise_reason(layer, network, config)
        case Table():
            return _table_reason(layer, network, config)
        case Concat():
            inputs = [network.shape_of(name) for name in layer.inputs]
            moves = moves_of(concat_ranges([shape[2] for shape in inputs]), inputs, layer.shape,
                             config)
            return "" if config.vector_moves or not needs_lanes(moves) else \
                f"its parts begin within words, and {_without('vector_moves', config)}"
        case Select():
            return _select_reason(layer, network, config)
        case Pad():
            spoilt = max(layer.padding) > 0 and layer.shape[2] % config.rows \
                and layer.value != layer.quantization.zero_point
            return _rows_reason(layer, network, config) if config.vector_moves or not spoilt \
                else f"its value is not the zero point, and {_without('vector_moves', config)}"
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


def _without(parameter: str, config: AcceleratorConfig) -> str:
    """The end of a reason: what a configuration leaves out."""
    return f"config {config.name!r} has {parameter} {getattr(config, parameter)!r}"


def _window_reason(layer: Conv | MaxPool | AveragePool) -> str:
    """Why no unit walks over a layer's windows: a step of an address generator is too long."""
    kernel = kernel_of(layer)
    for name, step in (("stride", max(kernel.stride_rows, kernel.stride_columns)),
                       ("dilation", max(kernel.tap_rows, kernel.tap_columns))):
        if step > LARGEST_STEP:
            return f"its {name} {step} is more than {LARGEST_STEP}"
    return ""


def _mean_reason(layer: GlobalAveragePool, network: QuantizedNetwork,
                 config: AcceleratorConfig) -> str:
    """A mean needs its whole map on chip, since a command cannot go on with a sum."""
    source, result = (plain_map("", shape, 0, config).size
                      for shape in (network.shape_of(layer.inputs[0]), layer.shape))
    if source + result <= config.activation_words:
        return ""
    return (f"its map and its mean take {source + result} words, more than activation_words "
            f"{config.activation_words} of config {config.name!r}")


def _rows_reason(layer: Upsample | DepthToSpace | Pad, network: QuantizedNetwork,
                 config: AcceleratorConfig) -> str:
    """What makes rows longer cannot be cut by columns, so one of each map must fit."""
    _, width, channels = network.shape_of(layer.inputs[0])
    if isinstance(layer, DepthToSpace):
        # Each pixel of a block has words of its own after the channels have been put in order.
        channels = layer.block**2 * round_up(layer.shape[2], config.rows)
    words = sum(plain_map("", shape, 0, config).pitch
                for shape in ((1, width, channels), (1, *layer.shape[1:])))
    if words <= config.activation_words:
        return ""
    return (f"a row of its input and one of its output take {words} words, more than "
            f"activation_words {config.activation_words} of config {config.name!r}")


def _elementwise_reason(layer: Elementwise, network: QuantizedNetwork,
                        config: AcceleratorConfig) -> str:
    first, second = (network.shape_of(name) for name in layer.inputs)
    if (layer.operator != "add" or first != second) and not config.vector_elementwise:
        what = layer.operator if first == second else f"{layer.operator} of a pixel"
        return f"its operator is {what}, and {_without('vector_elementwise', config)}"
    result = int(layer.requantization.shift[0])
    if layer.input_requantization is None:
        return ""
    factor = max(int(scale.shift[0]) for scale in layer.input_requantization)
    if factor > 0:
        return f"a factor of its inputs has the shift {factor}, which is above 0"
    # Two operands of at most 255 each, before the shift of the result.
    if (2 * 255 << OPERAND_SHIFT) << max(0, result) >= 1 << 31:
        return f"the factor of its result has the shift {result}, beyond int32"
    return ""


def _table_reason(layer: Table, network: QuantizedNetwork, config: AcceleratorConfig) -> str:
    if config.vector_tables == "none":
        return f"it is a table, and {_without('vector_tables', config)}"
    if config.vector_tables == "lane":
        return ""
    if len(layer.table) > 1:
        return f"it has a table for each channel, and {_without('vector_tables', config)}"
    zero_point = network.quantization_of(layer.inputs[0]).zero_point
    if layer.shape[2] % config.rows and not config.vector_moves \
            and not keeps_zero_point(layer, zero_point):
        return f"its table moves the zero point, and {_without('vector_moves', config)}"
    return ""


def _select_reason(layer: Select, network: QuantizedNetwork, config: AcceleratorConfig) -> str:
    if is_array_select(layer) or select_moves(layer, network.shape_of(layer.inputs[0]), config):
        return ""
    return f"its stride is more than {LARGEST_STEP}, and {_without('vector_moves', config)}"
