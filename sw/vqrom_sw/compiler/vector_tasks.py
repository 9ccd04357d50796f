"""Which task of the vector unit a layer is."""

from __future__ import annotations

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import (
    AveragePool,
    Concat,
    Elementwise,
    GlobalAveragePool,
    Layer,
    MaxPool,
    Pad,
    Select,
    Shape,
    Table,
    Upsample,
)

from .feature_map import FeatureMap
from .tasks import (
    AveragePoolTask,
    ElementwiseTask,
    GatherTask,
    GlobalAverageTask,
    Kernel,
    MaxPoolTask,
    PadTask,
    TableTask,
    Task,
    UpsampleTask,
    channel_ranges,
    concat_ranges,
    kernel_of,
    moves_of,
    plain,
    rescaling,
)


def vector_task(config: AcceleratorConfig, number: int, layer: Layer,
                sources: tuple[FeatureMap, ...], shapes: tuple[Shape, ...],
                output: FeatureMap) -> Task:
    """The task of a layer that the vector unit does alone; not of a depthwise convolution.

    Parameters
    ----------
    config:
        Parameters of the accelerator that the program is for.
    number, layer:
        The layer's number in the program, and the layer.
    sources, shapes:
        The maps that it reads, and their ``(H, W, C)``.
    output:
        The map that it makes.

    Raises
    ------
    TypeError
        If no task does layers of its class.
    """
    common = (config, number, layer.name, sources, output)
    match layer:
        case MaxPool():
            return MaxPoolTask(*common, kernel_of(layer))
        case AveragePool():
            return AveragePoolTask(*common, kernel_of(layer), clamp=layer.clamp,
                                   count_padding=layer.count_padding)
        case GlobalAveragePool():
            return GlobalAverageTask(*common, requantization=layer.requantization)
        case Elementwise():
            return ElementwiseTask(*common, combination=layer)
        case Table():
            return TableTask(*common, lookup=layer)
        case Concat():
            moves = moves_of(concat_ranges([shape[2] for shape in shapes]), shapes, layer.shape,
                             config)
            rescalings = tuple(
                rescaling(scale, (source.zero_point, output.zero_point))
                for scale, source in zip(layer.input_requantization, sources, strict=True))
            return GatherTask(*common, moves=moves, rescalings=rescalings,
                              fill_value=output.zero_point)
        case Select():
            low, high = layer.clamp
            moves = moves_of(channel_ranges(layer.sources.tolist()), shapes, layer.shape, config)
            return GatherTask(*common, Kernel(1, 1, *layer.stride), moves=moves,
                              rescalings=(plain(output.zero_point, layer.clamp),),
                              fill_value=min(max(output.zero_point, low), high))
        case Pad():
            top, left, _, _ = layer.padding
            return PadTask(*common, Kernel(top=top, left=left), channels=layer.shape[2],
                           value=layer.value)
        case Upsample():
            return UpsampleTask(*common, factor=layer.factor)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")
