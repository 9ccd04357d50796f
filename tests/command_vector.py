"""The vector unit's part of the command interpreter: what a VECTOR makes of its windows, in numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import VectorOp

LANE = np.dtype([("bias", "<i4"), ("multiplier", "<u4"), ("shift", "i1")])
"""Parameters of one output channel, as a parameter packet holds them."""

Take = Callable[[int], np.ndarray]
"""Takes the next packet of so many bytes from the vector unit's FIFO."""

COMBINED = {VectorOp.ADD: np.add, VectorOp.SUBTRACT: np.subtract, VectorOp.MAXIMUM: np.maximum,
            VectorOp.MINIMUM: np.minimum, VectorOp.MULTIPLY: np.multiply}
"""What two operands come to before requantisation."""


def requantize(values: np.ndarray, multiplier: Any, shift: Any) -> np.ndarray:
    """TFLite's MultiplyByQuantizedMultiplier, element by element, on int64."""
    multiplier, shift = np.asarray(multiplier, np.int64), np.asarray(shift, np.int64)
    shifted = values << np.maximum(shift, 0)
    assert np.abs(shifted).max(initial=0) < 1 << 31
    high = (shifted * multiplier + (1 << 30)) >> 31
    right = np.maximum(-shift, 0)
    mask = (np.int64(1) << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0))


def finish(scaled: np.ndarray, output_range: dict[str, int]) -> np.ndarray:
    """The last step of each output byte: add the zero point, then clamp."""
    return np.clip(scaled + output_range["zero_point"], output_range["low"],
                   output_range["high"])


def slide(config: AcceleratorConfig, body: dict[str, Any], words: np.ndarray) -> np.ndarray:
    """Windows ``[1, 1, H, W, kernel row, kernel column]`` of a walk along a map's columns.

    SLIDING reads each column of a map once; here every window gets its words again.
    """
    _, _, _, rows, columns, kernel_rows, lanes = words.shape
    assert 1 < body["kernel_columns"] <= config.vector_columns
    view = np.lib.stride_tricks.sliding_window_view(
        words.reshape(rows, columns, kernel_rows, lanes), body["kernel_columns"], axis=1)
    return view[None, None, :, ::body["column_stride"]].transpose(0, 1, 2, 3, 4, 6, 5)


def results(config: AcceleratorConfig, body: dict[str, Any], windows: np.ndarray,
            inside: np.ndarray, take: Take) -> np.ndarray:
    """The result of each window, lane by lane, before moves; int64 ``[n, rows]``.

    Parameters
    ----------
    windows:
        int64 ``[n, words, rows]``; the operand of a broadcast is the second word of each.
    inside:
        Which of them lie in the map; bool ``[n, words]``.
    """
    rows, parameters = config.rows, body
    match VectorOp(body["operation"]):
        case VectorOp.MAX:
            return np.where(inside[:, :, None], windows, -128).max(1)
        case VectorOp.TABLE:
            assert windows.shape[1] == 1
            return _look_up(config, body, windows[:, 0], take)
        case VectorOp.SUM:
            total = windows.sum(1)
        case VectorOp.DEPTHWISE | VectorOp.SLIDING:
            parameters, taps = take(LANE.itemsize * rows).view(LANE), windows.shape[1]
            assert body["taps"] == taps <= config.vector_taps
            weights = take(taps * rows).view(np.int8)
            total = (windows * weights.reshape(taps, rows)).sum(1)
        case pair:
            total = COMBINED[pair](*_operands(body, windows))
    total = (total << body["pre_shift"]) + parameters["bias"]
    return finish(requantize(total, parameters["multiplier"], parameters["shift"]), body["range"])


def _operands(body: dict[str, Any], windows: np.ndarray) -> list[np.ndarray]:
    """Both operands of each window; rescaled, unless they are multiplied."""
    assert windows.shape[1] == 2
    differences = [windows[:, number] - operand["zero_point"]
                   for number, operand in enumerate(body["operands"])]
    if body["operation"] == VectorOp.MULTIPLY:
        return differences
    return [requantize(difference << 20, operand["multiplier"], -operand["right_shift"])
            for difference, operand in zip(differences, body["operands"], strict=True)]


def _look_up(config: AcceleratorConfig, body: dict[str, Any], words: np.ndarray,
             take: Take) -> np.ndarray:
    """What the tables say of words ``[n, rows]``."""
    rows = config.rows
    if not body["lane_tables"]:
        assert config.vector_tables != "none"
        table = take(-(-256 // rows) * rows)[:256].view(np.int8)
        return table[words + 128].astype(np.int64)
    assert config.vector_tables == "lane"
    tables = take(256 * rows).view(np.int8).reshape(256, rows)
    return tables[words + 128, np.arange(rows)].astype(np.int64)


def moved(config: AcceleratorConfig, body: dict[str, Any],
          words: np.ndarray) -> tuple[np.ndarray, slice]:
    """The bytes ``[n, lanes]`` that are written, and the lanes that they are written to."""
    first, count, rows = body["first_lane"], body["lanes"], config.rows
    assert config.vector_moves or not any((body["rotation"], first, count))
    assert body["rotation"] < rows and first + count <= rows
    lanes = slice(first, first + count if count else rows)
    return np.roll(words, body["rotation"], 1)[:, lanes], lanes
