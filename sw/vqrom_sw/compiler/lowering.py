"""Layers as other layers that compute the same bytes and that a unit of the accelerator does."""

from __future__ import annotations

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.arithmetic import HIGHEST, LOWEST, Quantization, Requantization
from vqrom_sw.network import Conv, Layer, Select, Shape

from .feature_map import round_up
from .tasks import LARGEST_STEP, Move, channel_ranges, move_cycles, moves_of, needs_lanes, plain

COMMAND_CYCLES = 24
"""Cycles that a command of the vector unit takes beside its words."""


def lower(layer: Layer, shape: Shape, config: AcceleratorConfig) -> Layer:
    """The layer that a task is made of.

    Parameters
    ----------
    layer:
        Any layer.
    shape:
        ``(H, W, C)`` of its first input.
    config:
        Parameters of the accelerator that the program is for.
    """
    if isinstance(layer, Select) and not select_moves(layer, shape, config):
        return select_as_conv(layer, shape[2])
    return layer


def select_moves(layer: Select, shape: Shape, config: AcceleratorConfig) -> list[Move] | None:
    """The moves that make a selection, if the vector unit can and the array is not faster."""
    moves = moves_of(channel_ranges(layer.sources.tolist()), [shape], layer.shape, config)
    if needs_lanes(moves) and not config.vector_moves:
        return None
    height, width, channels = layer.shape
    rescaling = plain(layer.quantization.zero_point, layer.clamp)
    cycles = height * width * move_cycles(moves, (rescaling,), layer.quantization.zero_point,
                                          config) + COMMAND_CYCLES * len(moves)
    tiles = round_up(channels, config.rows) // config.columns
    words = round_up(shape[2], config.rows) // config.rows
    weight_beats = config.rows * config.columns // config.beat_bytes
    tile = max(words * max(height * width, config.fill_steps, weight_beats),
               height * width * config.post_steps)
    return None if tiles * tile < cycles and is_array_select(layer) else moves


def is_array_select(layer: Select) -> bool:
    """Whether the array can walk over the pixels of a selection: it has no step too long."""
    return all(count == 1 or step <= LARGEST_STEP
               for count, step in zip(layer.shape, layer.stride, strict=False))


def select_as_conv(layer: Select, channels: int) -> Conv:
    """A selection from so many channels as a convolution of one pixel with raw weights 0 and 1."""
    raw = np.zeros((layer.shape[2], 1, 1, channels), np.int8)
    chosen = np.flatnonzero(layer.sources >= 0)
    raw[chosen, 0, 0, layer.sources[chosen]] = 1
    return _choice(layer.name, layer, layer.shape, raw, layer.stride, layer.clamp)


def order_for_pixels(layer: Layer, block: int, shape: Shape,
                     config: AcceleratorConfig) -> Conv | Select:
    """The layer that puts the channels of a depth-to-space in order.

    Its channels are, for each channel word of the layer's output, the words of the block's pixels.
    Where the output's channels fill words, it is a convolution of one pixel, each group of words
    made of the words that it needs; else it is whatever the selection is that is faster.

    Parameters
    ----------
    layer, block:
        The layer, and height and width of its blocks.
    shape:
        ``(H, W, C)`` of its input.
    config:
        Parameters of the accelerator that the program is for.
    """
    area, rows, channels = block * block, config.rows, layer.shape[2]
    words = -(-channels // rows)
    # [word, pixel of the block, lane]: the input channel, or -1 beyond the channels
    channel = np.arange(words)[:, None, None] * rows + np.arange(rows)
    sources = np.where(channel < channels, channel * area + np.arange(area)[:, None], -1).ravel()
    name, ordered = f"ordered input of {layer.name}", (*shape[:2], len(sources))
    if channels % rows:
        select = Select(name, layer.inputs, ordered,
                        Quantization(1.0, layer.quantization.zero_point), sources, (1, 1),
                        (LOWEST, HIGHEST))
        return select if select_moves(select, shape, config) else \
            select_as_conv(select, shape[2])
    reduced = shape[2] // words
    raw = np.zeros((len(sources), 1, 1, reduced), np.int8)
    chosen = np.flatnonzero(sources >= 0)
    raw[chosen, 0, 0, sources[chosen] % reduced] = 1
    return _choice(name, layer, ordered, raw, (1, 1), (LOWEST, HIGHEST), words)


def _choice(name: str, layer: Layer, shape: Shape, raw: np.ndarray, stride: tuple[int, int],
            clamp: tuple[int, int], groups: int = 1) -> Conv:
    """A convolution of one pixel whose weights are 0 and 1, and whose factor is 1."""
    count = shape[2]
    one = Requantization(np.full(count, 1 << 30, np.int32), np.ones(count, np.int8))
    return Conv(name, layer.inputs, shape, Quantization(1.0, layer.quantization.zero_point),
                "conv", (1, 1), stride, (0, 0, 0, 0), None, raw, np.ones(count),
                np.zeros(count, np.int32), one, clamp, groups)
