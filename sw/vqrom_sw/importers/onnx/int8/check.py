"""Comparison of a quantised network with the file, layer by layer.

onnxruntime computes a group in float32 and rounds ties to the even number; the accelerator
multiplies an integer sum with a fixed-point factor and rounds ties away from zero, and before that
once to ``2**shift`` of a step. So a number may be another one by 1 where the real result lies near
the middle of two. Each number must be a right rounding of the real one within that
(:func:`_slack`), and no more than :data:`MOST` of a layer's numbers may differ.
"""

from __future__ import annotations

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.network import (
    INPUT,
    Conv,
    Elementwise,
    GlobalAveragePool,
    Layer,
    QuantizedNetwork,
    Table,
)
from vqrom_sw.reference import layer_weights, run_layer

from .source_run import SourceRun
from .values import Made

IMAGES = 3
"""Random images with which a network is compared."""

FLOAT_SLACK = 2.0 ** -6
"""How far from the middle of two steps a result may be taken for it: float32 sums of a few thousand
products differ from the exact ones by less."""

MOST = 0.3
"""Greatest share of a layer's numbers that may differ: in averages of two numbers, half are ties,
of which those that are rounded up to odd numbers, half again, come out otherwise."""

MOST_UNSEEN = 0.05
"""The same for QLinearConv and QLinearMatMul, whose real result the file does not show."""


def check_layers(network: QuantizedNetwork, made: dict[str, Made], run: SourceRun) -> None:
    """Compare each layer, fed with the file's own integers, with what onnxruntime computes.

    Parameters
    ----------
    network:
        The network.
    made:
        What of the file each layer makes; layers that are left out are steps of others.
    run:
        The file.

    Raises
    ------
    VqromError
        If a layer's number is not a right rounding of the file's; the message names the layer.
    """
    integers, real = _inputs(network)
    names = sorted({name for entry in made.values() for name in (entry.before, entry.after)
                    if name in run.names})
    tensors = run.tensors(names, real)
    results = {INPUT: integers}
    for layer in network.layers:
        weights = layer_weights(layer, network, None) if isinstance(layer, Conv) else None
        found = run_layer(network, layer, weights, [results[name] for name in layer.inputs])
        entry = made.get(layer.name)
        if entry is not None:
            found = _compared(layer, found, entry, tensors)
        results[layer.name] = found


def _inputs(network: QuantizedNetwork) -> tuple[torch.Tensor, np.ndarray]:
    """Random maps int64 ``[N, H, W, C]``, and the real inputs float32 that they stand for."""
    generator = torch.Generator().manual_seed(1)
    one = network.input_quantization
    maps = torch.randint(-128, 128, (IMAGES, *network.input_shape), generator=generator)
    near = (torch.randn(network.input_shape, generator=generator) * 12).round().long()
    maps[1] = (near + one.zero_point).clamp(-128, 127)
    seen = network.input_native.tensor(maps.permute(0, 3, 1, 2)).contiguous().numpy()
    return maps, (seen - one.zero_point).astype(np.float32) * np.float32(one.scale)


def _compared(layer: Layer, found: torch.Tensor, entry: Made, tensors: dict[str, np.ndarray]
              ) -> torch.Tensor:
    """The file's integers int64 ``[N, H, W, C]``, if the layer gives them but for roundings."""
    value, scale = entry.value, entry.value.scale
    assert scale is not None

    def as_map(tensor: np.ndarray) -> torch.Tensor:
        seen = value.native.feature_map(torch.from_numpy(tensor), value.shape)
        return seen.permute(0, 2, 3, 1)

    if tensors[entry.after].size != found.numel():
        raise VqromError(f"layer {layer.name!r} must make {tensors[entry.after].shape[1:]!r} as in "
                         f"onnxruntime, not {value.shape!r}")
    expected = as_map(tensors[entry.after].astype(np.int64) - scale.offset)
    apart = (found - expected).abs()
    wrong, most = apart > 1, MOST_UNSEEN
    if entry.before in tensors:
        exact, most = scale.quantization, MOST
        real = as_map(tensors[entry.before].astype(np.float64) / exact.scale + exact.zero_point)
        beside = (found - real.clamp(-128, 127)).abs()
        wrong |= (apart > 0) & (beside > 0.5 + _slack(layer))
    share = float((apart > 0).double().mean())
    if bool(wrong.any()) or share > most:
        raise VqromError(
            f"layer {layer.name!r} must give onnxruntime's integers but for roundings; "
            f"{int((apart > 0).sum())} of {apart.numel()} differ, by {int(apart.max())} at most, "
            f"and {int(wrong.sum())} are not near the middle of two steps")
    return expected


def _slack(layer: Layer) -> float:
    """How far from the middle of two steps a number may be that is rounded otherwise, in steps.

    A shift to the right by ``n`` comes after a first rounding, to multiples of ``2**-n``.
    """
    if isinstance(layer, Table):
        return 0.0
    if not isinstance(layer, Conv | Elementwise | GlobalAveragePool):
        return FLOAT_SLACK
    shift = layer.requantization.shift.astype(np.float64)
    return FLOAT_SLACK + float(np.where(shift < 0, 2.0 ** (shift - 1), 0.0).max())
