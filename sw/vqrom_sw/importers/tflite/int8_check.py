"""Comparison of an int8 network with LiteRT, operator by operator, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.check import BATCHES
from vqrom_sw.network import INPUT, Conv, Layer, QuantizedNetwork
from vqrom_sw.reference import layer_weights, run_layer

from .single_rounding import (
    accumulator_reach,
    quantize_multiplier_once,
    rounds_differently,
)
from .sliding_window import NO_PADDING
from .source import LiteRt, TfliteFile, content_for_litert
from .values import TfliteValue

ONCE = "fully_connected_"
"""Beginning of the names of layers whose kernel rounds once, which the hardware cannot always."""


def check_bytes(file: TfliteFile, network: QuantizedNetwork,
                values: Mapping[int, TfliteValue]) -> None:
    """Compare each operator's output with LiteRT's, on random inputs of two numbers of images.

    LiteRT's FULLY_CONNECTED rounds once. Where no multiplier of the hardware does the same for
    every accumulator (:mod:`single_rounding`), an output may differ by 1; layers behind it are
    compared with LiteRT's bytes as their input.

    Parameters
    ----------
    file:
        The model.
    network:
        The network that was made of it.
    values:
        What each tensor became.

    Raises
    ------
    VqromError
        If LiteRT does not run the file, or an operator's output is another one.
    """
    made = {value.layer: number for number, value in reversed(list(values.items()))
            if value.padding == NO_PADDING and value.layer != INPUT
            and file.type_of(number) in ("INT8", "UINT8")}
    weights = {layer.name: layer_weights(layer, network, None)
               for layer in network.layers if isinstance(layer, Conv)}
    engine = LiteRt(content_for_litert(file, float_weights=False), _Feed(file, network),
                    {number: layer for layer, number in made.items()})
    for x in _inputs(network):
        expected = engine.intermediates(x)
        results = {INPUT: torch.from_numpy(x.astype(np.int64))}
        for layer in network.layers:
            found = run_layer(network, layer, weights.get(layer.name),
                              [results[name] for name in layer.inputs])
            if layer.name in expected:
                found = _compared(network, layer, found, expected[layer.name])
            results[layer.name] = found


def _inputs(network: QuantizedNetwork) -> Iterator[np.ndarray]:
    """Random inputs int8 ``[N, H, W, C]``, some of which are near the zero point."""
    random = np.random.default_rng(1)
    zero_point = network.input_quantization.zero_point
    for batch in BATCHES:
        x = random.integers(-128, 128, (batch, *network.input_shape))
        if batch > 1:
            near = np.round(random.standard_normal(x[1].shape) * 12) + zero_point
            x[1] = np.clip(near, -128, 127)
        yield x.astype(np.int8)


class _Feed:
    """Brings maps int8 ``[N, H, W, C]`` to the form of the file's input."""

    def __init__(self, file: TfliteFile, network: QuantizedNetwork):
        self._shape, self._kind = file.shape(file.source), file.type_of(file.source)
        self._network = network

    def __call__(self, x: np.ndarray) -> np.ndarray:
        native, sizes = self._network.input_native, self._shape[1:]
        if len(sizes) == 3 and native.sizes == sizes and native.order == "CHW" \
                and self._network.input_shape != sizes:
            x = x.transpose(0, 3, 1, 2)
        x = np.ascontiguousarray(x).reshape(len(x), *sizes)
        if self._kind == "UINT8":
            return (x.astype(np.int16) + 128).astype(np.uint8)
        if self._kind == "INT8":
            return x
        scale = self._network.input_quantization
        return (x.astype(np.float32) - scale.zero_point) * np.float32(scale.scale)


def _compared(network: QuantizedNetwork, layer: Layer, found: torch.Tensor,
              right: np.ndarray) -> torch.Tensor:
    """LiteRT's output of a layer, int64 ``[N, H, W, C]``, if it is what the layer gives."""
    signed = right.astype(np.int64) - (128 if right.dtype == np.uint8 else 0)
    if signed.size != found.numel():
        raise VqromError(f"operator {layer.name!r} must make {signed.shape!r} as in LiteRT, "
                         f"not {tuple(found.shape)!r}")
    expected = torch.from_numpy(signed).reshape(found.shape)
    apart = (expected - found).abs()
    most = int(apart.max())
    if most == 0 or (most == 1 and _may_round_otherwise(network, layer)):
        return expected
    raise VqromError(f"operator {layer.name!r} must give LiteRT's bytes with {len(right)} "
                     f"images; {int((apart > 0).sum())} of {apart.numel()} differ, "
                     f"by {most} at most")


def _may_round_otherwise(network: QuantizedNetwork, layer: Layer) -> bool:
    """Whether a layer is of FULLY_CONNECTED, and even its best multipliers do not round as once."""
    if not isinstance(layer, Conv) or layer.raw is None or not layer.name.startswith(ONCE):
        return False
    output = layer.quantization
    factors = network.quantization_of(layer.inputs[0]).scale * layer.weight_scale / output.scale
    lowest, highest = (bound - output.zero_point for bound in layer.clamp)
    reach = int(accumulator_reach(layer.raw, layer.bias).max())
    best = quantize_multiplier_once(layer.name, factors, lowest, highest, reach)
    return (np.array_equal(best.multiplier, layer.requantization.multiplier)
            and np.array_equal(best.shift, layer.requantization.shift)
            and rounds_differently(best, factors, lowest, highest, reach))
