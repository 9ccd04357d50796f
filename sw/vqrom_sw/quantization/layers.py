"""Layers in integers: biases, multipliers, tables and clamps from scales and zero points."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_hw.lib import OPERAND_SHIFT
from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    Quantization,
    quantize,
    quantize_multiplier,
)
from vqrom_sw.encoding import Encoded
from vqrom_sw.network import (
    AveragePool,
    Concat,
    Conv,
    DepthToSpace,
    Elementwise,
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDepthToSpace,
    FloatElementwise,
    FloatGlobalAveragePool,
    FloatHost,
    FloatLayer,
    FloatMaxPool,
    FloatPad,
    FloatSelect,
    FloatTable,
    FloatUpsample,
    GlobalAveragePool,
    Host,
    Layer,
    MaxPool,
    Pad,
    Select,
    Shape,
    Table,
    Upsample,
)
from vqrom_sw.reference import run_table

from .ranges import STEPS

MAX_BIAS = 1 << 30
"""Magnitude that no integer bias exceeds: half of what int32 holds, so that room is left for the
products.
"""

LEAST_SCALE = 1e-12
"""Scale of an output channel whose weights and bias are all 0, where any would do."""


def quantize_layer(layer: FloatLayer, encoded: Encoded | None,
                   quantizations: Mapping[str, Quantization],
                   shapes: Mapping[str, Shape]) -> Layer:
    """Quantise one layer.

    Parameters
    ----------
    layer:
        The layer in float.
    encoded:
        Its weights, if it has any.
    quantizations, shapes:
        Those of the network's input and of every layer's output, by name.

    Raises
    ------
    VqromError
        If an accumulator could exceed int32, or a factor is too large for a multiplier.
    """
    common = (layer.name, layer.inputs, layer.shape, quantizations[layer.name])
    sources = [quantizations[name] for name in layer.inputs]
    output = quantizations[layer.name]
    match layer:
        case FloatConv():
            assert encoded is not None
            return _conv(layer, encoded, sources[0], output)
        case FloatSelect():
            return Select(*common, np.array(layer.sources, np.int32), layer.stride,
                          _clamp(layer.bounds, output))
        case FloatMaxPool():
            return MaxPool(*common, layer.kernel, layer.stride, layer.padding, layer.dilation)
        case FloatAveragePool():
            return AveragePool(*common, layer.kernel, layer.stride, layer.padding,
                               (LOWEST, HIGHEST), layer.count_padding)
        case FloatGlobalAveragePool():
            height, width, _ = shapes[layer.inputs[0]]
            factor = sources[0].scale / (output.scale * height * width)
            return GlobalAveragePool(*common, quantize_multiplier(layer.name, factor))
        case FloatElementwise():
            return _elementwise(layer, sources, output)
        case FloatTable():
            return Table(*common, layer.kind,
                         _table(layer, sources[0], output, layer.shape[2]))
        case FloatConcat():
            return Concat(*common, tuple(
                quantize_multiplier(layer.name, source.scale / output.scale)
                for source in sources))
        case FloatPad():
            return Pad(*common, layer.padding, int(quantize(np.array(layer.value), output)))
        case FloatUpsample():
            return Upsample(*common, layer.factor)
        case FloatDepthToSpace():
            return DepthToSpace(*common, layer.block)
        case FloatHost():
            return Host(*common, layer.kind, layer.steps,
                        tuple(constant.numpy() for constant in layer.constants),
                        layer.inputs_native, layer.native)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def _elementwise(layer: FloatElementwise, sources: list[Quantization],
                 output: Quantization) -> Elementwise:
    common = (layer.name, layer.inputs, layer.shape, output, layer.operator)
    clamp = _clamp(layer.bounds, output)
    if layer.operator == "multiply":
        factor = sources[0].scale * sources[1].scale / output.scale
        return Elementwise(*common, None, quantize_multiplier(layer.name, factor), clamp)
    twice = 2 * max(source.scale for source in sources)
    first, second = (quantize_multiplier(layer.name, source.scale / twice) for source in sources)
    result = quantize_multiplier(layer.name, twice / (2**OPERAND_SHIFT * output.scale))
    return Elementwise(*common, (first, second), result, clamp)


def _table(layer: FloatTable, source: Quantization, output: Quantization,
           channels: int) -> np.ndarray:
    """The function at all 256 inputs, int8 ``[T, 256]``."""
    integers = torch.arange(LOWEST, HIGHEST + 1, dtype=torch.float32)
    tables = channels if layer.by_channel else 1
    real = (integers - source.zero_point) * source.scale
    found = run_table(layer, real.expand(1, tables, 1, 256).contiguous())[0, :, 0]
    if not found.isfinite().all():
        # Where no number comes in practice, such as the logarithm of 0, the nearest end will do.
        found = torch.nan_to_num(found)
    return quantize(found.numpy(), output)


def _conv(layer: FloatConv, encoded: Encoded, source: Quantization, output: Quantization) -> Conv:
    """Quantise a convolution: its bias to the accumulators' scale, and the factor to its output's.
    """
    # A channel whose weights vanish beside its bias needs a scale in which the bias fits.
    scale = np.maximum(encoded.scale, np.abs(encoded.bias) / (source.scale * MAX_BIAS))
    scale = np.where(scale > 0, scale, LEAST_SCALE)
    bias = np.round(encoded.bias / (source.scale * scale)).astype(np.int64)
    integers = encoded.integers.numpy().astype(np.int64)
    worst = np.abs(bias) + STEPS * np.abs(integers).sum((1, 2, 3))
    if worst.max() >= 1 << 31:
        raise VqromError(f"layer {layer.name!r} ({layer.kind}): accumulators must fit int32, "
                         f"but may reach {int(worst.max())!r}")
    requantization = quantize_multiplier(layer.name, source.scale * scale / output.scale)
    raw = encoded.integers.permute(0, 2, 3, 1).contiguous().numpy() \
        if encoded.indices is None else None
    return Conv(name=layer.name, inputs=layer.inputs, shape=layer.shape, quantization=output,
                kind=layer.kind, kernel=(layer.weight.shape[2], layer.weight.shape[3]),
                stride=layer.stride, padding=layer.padding, indices=encoded.indices, raw=raw,
                weight_scale=scale, bias=bias.astype(np.int32), requantization=requantization,
                clamp=_clamp(layer.bounds, output), groups=layer.groups,
                dilation=layer.dilation)


def _clamp(bounds: tuple[float, float], output: Quantization) -> tuple[int, int]:
    """Turn an activation's bounds into integers of the output's quantisation."""
    low, high = (int(np.clip(np.round(bound / output.scale) + output.zero_point, LOWEST, HIGHEST))
                 for bound in bounds)
    return low, high
