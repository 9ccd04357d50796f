"""``Resize``: up- and down-sampling, as a matrix for each axis.

Source of the formulas: the definition of ``Resize`` in the ONNX standard, operator set 19.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..node import OnnxNode
from ..values import COUNTS, Data

MODES = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric")
"""Ways to find the place in the input that an output stands for."""

ROUNDINGS = {"round_prefer_floor": lambda x: np.ceil(x - 0.5), "floor": np.floor, "ceil": np.ceil,
             "round_prefer_ceil": lambda x: np.floor(x + 0.5)}
"""Ways to take one input for a place between two."""


def resize(node: OnnxNode) -> nn.Module | Data:
    """``Resize`` to the nearest value, or between two or four of them on each axis."""
    data = node.data(0)
    mode = node.expect("mode", "nearest", ("nearest", "linear", "cubic"))
    where = node.expect("coordinate_transformation_mode", "half_pixel", MODES)
    rounding = node.expect("nearest_mode", "round_prefer_floor", tuple(ROUNDINGS))
    node.expect("antialias", 0, (0,))
    node.ignore("extrapolation_value")  # of tf_crop_and_resize alone
    node.value(1)                       # the same
    outside = bool(node.attribute("exclude_outside", 0))
    bend = node.attribute("cubic_coeff_a", -0.75)
    changed = _changed(node, data)
    if not changed:
        return data
    if where == "align_corners" and any(count != scale * size for _, size, count, scale in changed):
        # The standard's reference takes the size before rounding, onnxruntime the one after.
        raise node.error("corners must be aligned to a whole number of pixels")
    if mode == "nearest" and _repeats(data, changed, where, rounding):
        times = {axis: scale for axis, _, _, scale in changed}
        factors = tuple(times.get(axis, 1.0) for axis in range(1, data.rank))
        return nn.Upsample(scale_factor=factors[1:]) if factors[0] == 1 else _ChannelsLast(factors)
    matrices = [(axis, _matrix(size, count, scale, mode, where, rounding, outside, bend))
                for axis, size, count, scale in changed]
    return nn.Sequential(*(_Product(axis, matrix) for axis, matrix in matrices))


def _changed(node: OnnxNode, data: Data) -> list[tuple[int, int, int, float]]:
    """Axis, size, new size and scale of each axis that is not left as it is."""
    scales = node.optional(2)
    policy = node.expect("keep_aspect_ratio_policy", "stretch",
                         ("stretch", "not_larger", "not_smaller"))
    axes = [node.axis(axis, data.rank)
            for axis in node.attribute("axes", list(range(data.rank)))]
    sizes = _sizes(node, data, axes) if node.has(3) else []
    if sizes:
        # Sizes of the images' axis are for the file's number of them.
        ratios = {axis: size / (data.size(axis) or size)
                  for axis, size in zip(axes, sizes, strict=True)}
        if policy != "stretch":
            ratio = (min if policy == "not_larger" else max)(ratios.values())
            ratios = {axis: ratio for axis in axes}
            sizes = [math.floor((data.size(axis) or 0) * ratio + 0.5) for axis in axes]
        counts = dict(zip(axes, sizes, strict=True))
    elif scales is not None and scales.size:
        ratios = {axis: float(scale) for axis, scale in zip(axes, scales, strict=True)}
        counts = {axis: math.floor((data.size(axis) or 0) * ratio)
                  for axis, ratio in ratios.items()}
    else:
        raise node.error("scales or sizes must be given")
    return [(axis, node.size(data, axis), counts[axis], ratio) for axis, ratio in ratios.items()
            if ratio != 1]


def _sizes(node: OnnxNode, data: Data, axes: list[int]) -> list[int]:
    """The sizes that are asked for; that of the images may grow with them, and is their first
    number then, which the images' axis has, too."""
    sizes = [[int(size) for size in value.reshape(-1)] for value in node.static(3).at]
    for axis, size in zip(axes, zip(*sizes, strict=True), strict=True):
        if len(set(size)) > 1 and [data.shape(count)[axis] for count in COUNTS] != list(size):
            raise node.error(f"the size of axis {axis} must not depend on the number of images")
    return sizes[0]


def _repeats(data: Data, changed: list[tuple[int, int, int, float]], where: str, rounding: str
             ) -> bool:
    """Whether each pixel is repeated a whole number of times."""
    by_pixel = rounding == "floor" if where == "asymmetric" else \
        rounding.startswith("round") and where != "align_corners"
    axes = {axis for axis, *_ in changed}
    images = (data.rank in (3, 4) and min(axes) >= 2) or (data.rank == 4 and axes <= {1, 2})
    return by_pixel and images and all(
        scale == int(scale) and scale >= 1 for *_, scale in changed)


def _matrix(size: int, count: int, scale: float, mode: str, where: str, rounding: str,
            outside: bool, bend: float) -> np.ndarray:
    """Weights ``[count, size]`` of the inputs for each output along an axis."""
    places = _places(size, count, scale, where)
    matrix = np.zeros((count, size))
    for output, place in enumerate(places):
        if mode == "nearest":
            entries, weights = [int(ROUNDINGS[rounding](place))], [1.0]
        else:
            reach = 1 if mode == "linear" else 2
            first = math.floor(place)
            entries = list(range(first - reach + 1, first + reach + 1))
            weights = [_weight(abs(place - entry), mode, bend) for entry in entries]
            if outside:
                weights = [weight * (0 <= entry < size)
                           for entry, weight in zip(entries, weights, strict=True)]
                weights = [weight / sum(weights) for weight in weights]
        for entry, weight in zip(entries, weights, strict=True):
            matrix[output, min(max(entry, 0), size - 1)] += weight
    return matrix


def _places(size: int, count: int, scale: float, where: str) -> np.ndarray:
    """Place in the input, counted in its entries, of each output."""
    outputs = np.arange(count, dtype=np.float64)
    match where:
        case "half_pixel":
            return (outputs + 0.5) / scale - 0.5
        case "half_pixel_symmetric":
            centre = size / 2
            return centre * (1 - count / (scale * size)) + (outputs + 0.5) / scale - 0.5
        case "pytorch_half_pixel":
            return (outputs + 0.5) / scale - 0.5 if count > 1 else np.zeros(1)
        case "align_corners":
            return outputs * (size - 1) / (count - 1) if count > 1 else np.zeros(1)
        case _:
            return outputs / scale


def _weight(distance: float, mode: str, bend: float) -> float:
    """Weight of an input at a distance; the cubic one is that of Keys (1981)."""
    if mode == "linear":
        return max(1 - distance, 0.0)
    if distance <= 1:
        return ((bend + 2) * distance - (bend + 3)) * distance ** 2 + 1
    if distance < 2:
        return ((bend * distance - 5 * bend) * distance + 8 * bend) * distance - 4 * bend
    return 0.0


class _ChannelsLast(nn.Module):
    """Repeats the pixels of images whose last axis is that of the channels."""

    def __init__(self, factors: tuple[float, ...]):
        super().__init__()
        self._upsample = nn.Upsample(scale_factor=factors[:2])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._upsample(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class _Product(nn.Module):
    """A matrix ``[count, size]`` applied along an axis."""

    def __init__(self, axis: int, matrix: np.ndarray):
        super().__init__()
        self._axis = axis
        self.matrix: torch.Tensor
        self.register_buffer("matrix", torch.from_numpy(matrix.astype(np.float32)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        moved = F.linear(x.transpose(self._axis, -1), self.matrix)
        return moved.transpose(self._axis, -1)


OPERATORS = {"Resize": resize}
"""What reads each operator of this file, by name."""
