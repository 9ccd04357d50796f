"""Pixels around a map: taken in by the convolutions after it where these can, else a layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.network import HostStep, Pad, Select

from ..sliding_window import Padding
from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue, whole


def _amounts(model: Int8Network, operator: TfliteOperator) -> tuple[Padding, tuple[int, int]]:
    """Amounts around a map's rows and columns, and before and after its channels."""
    number = operator.inputs[0]
    shape, sizes = model.file.shape(number), model.file.sizes(number)
    amounts = model.constant(operator, 1)
    if amounts.shape != (len(shape), 2) or (amounts < 0).any() \
            or amounts[:len(shape) - len(sizes)].any() or len(sizes) > 3:
        raise VqromError(f"must pad each axis of {shape!r} but that of images, "
                         f"not by {amounts.tolist()!r}")
    inner = [(int(row[0]), int(row[1])) for row in amounts[len(shape) - len(sizes):]]
    rows, columns, channels = [(0, 0)] * (3 - len(inner)) + inner if len(inner) != 2 else \
        [inner[0], (0, 0), inner[1]]
    return (rows[0], columns[0], rows[1], columns[1]), channels


def pad(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Pass an activation on with pixels around it, or add the layers that pad it."""
    quantization = model.check_same_quantization(operator)
    value, sizes = model.source(operator), model.file.sizes(operator.outputs[0])
    pixels, channels = _amounts(model, operator)
    filler = quantization.zero_point
    if operator.kind == "PADV2" and operator.input(2) >= 0:
        if model.quantization(operator.inputs[2]) != quantization:
            raise VqromError("the constant must have the output's quantisation")
        filler = whole(model.constant(operator, 2))
    if filler == quantization.zero_point and not any(channels) and len(value.sizes) == 3:
        before = value if _is_image(value) else model.plain(operator)
        top, left, bottom, right = map(sum, zip(before.padding, pixels, strict=True))
        return replace(before, padding=(top, left, bottom, right), sizes=sizes)
    if any(channels) and filler != quantization.zero_point:
        raise VqromError("channels must be padded with the zero point")
    value = model.plain(operator)
    height, width, depth = value.shape
    if any(pixels):
        shape = (height + pixels[0] + pixels[2], width + pixels[1] + pixels[3], depth)
        name = model.fresh(f"{operator.name}_pixels") if any(channels) else operator.name
        layer = Pad(name, (value.layer,), shape, quantization, pixels, filler)
        if not any(channels):
            return model.add(operator, layer)
        model.layers.append(layer)
        value = replace(value, layer=name, shape=shape)
    sources = np.pad(np.arange(depth, dtype=np.int32), channels, constant_values=-1)
    return model.add(operator, Select(
        operator.name, (value.layer,), (*value.shape[:2], len(sources)), quantization, sources,
        (1, 1), (LOWEST, HIGHEST)))


def _is_image(value: TfliteValue) -> bool:
    top, left, bottom, right = value.padding
    height, width, channels = value.shape
    return value.sizes == (height + top + bottom, width + left + right, channels)


def mirror_pad(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Reflect pixels at the border, on the host."""
    if operator.option("MirrorPadOptions", "mode"):
        raise VqromError("must reflect without the border pixel itself")
    quantization, value = model.check_same_quantization(operator), model.plain(operator)
    (top, left, bottom, right), channels = _amounts(model, operator)
    if len(value.sizes) != 3 or any(channels):
        raise VqromError("must be of height and width of an image")
    height, width, depth = value.shape
    shape = (height + top + bottom, width + left + right, depth)
    steps = [HostStep("permute.default", ({"input": 0}, [0, 3, 1, 2]), {}),
             HostStep("pad.default", ({"step": 0}, [left, right, top, bottom], "reflect"), {}),
             HostStep("permute.default", ({"step": 1}, [0, 2, 3, 1]), {})]
    return model.host(operator.name, "mirror pad", [value], shape, shape, quantization, steps)


OPERATORS = {"PAD": pad, "PADV2": pad, "MIRROR_PAD": mirror_pad}
"""What reads each padding, by its name."""
