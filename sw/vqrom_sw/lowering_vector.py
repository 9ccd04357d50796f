"""Pooling, addition and depthwise convolution on the vector unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqrom_hw.commands import Channel, Opcode, Stream, VectorOp
from vqrom_hw.vector_reduce import SLIDING_ROWS

from .feature_map import Rows
from .lowering import Task, word_parts
from .lowering_conv import decode
from .network import Add, Conv, Requantization
from .operations import (
    Area,
    Operation,
    Packet,
    area,
    nest_fields,
    range_fields,
    rows_area,
    target_fields,
)
from .streams import PARAMETER_BYTES, fold_bias, parameter_packet

PRE_SHIFT = 4
"""Of sums to be averaged."""


def average_requantization(count: int) -> tuple[int, int, int]:
    """Left shift, multiplier and shift with which MBQM divides by ``count``, ties away from zero.

    With ``f`` the right shift, the multiplier is ``2**(31 + f - PRE_SHIFT) / count`` rounded, off
    by at most ``2**-31`` of itself. So the high product is off by less than 1/2 from rounding and
    ``2**(f - 24)`` from the multiplier, in units of ``2**-f``; a mean that is no tie is at least
    ``1 / (2 count)`` from one, and ``2**f >= 2 count``: it rounds rightly. A tie is ``2**f`` times
    an odd multiple of 1/2, an integer, which the high product hits exactly while
    ``2**(f - 24) < 1/2``: counts to ``2**19``.
    """
    shift = PRE_SHIFT + (count - 1).bit_length() - 1
    numerator = 1 << 31 + shift - PRE_SHIFT
    return PRE_SHIFT, (2 * numerator + count) // (2 * count), -shift


def copy_rows(layer: int, source: Rows, target: Rows, first: int, end: int) -> Operation:
    """Rows ``first`` to ``end`` from one place of the activation buffer to another."""
    pitch, count = source.map.pitch, end - first
    base = target.address(first)
    fields = {
        "operation": VectorOp.MAX,
        **nest_fields([(1, 0, 0, 0), (1, 0, 0, 0), (pitch, 1, 0, 0), (count, pitch, 0, 0)],
                      source.address(first)),
        **target_fields(base, pitch, 1, pitch), **range_fields(0, (-128, 127)),
    }
    return Operation(Opcode.VECTOR, layer, fields, (rows_area(source, first, end),),
                     (rows_area(target, first, end),))


@dataclass(eq=False)
class WindowTask(Task):
    """What slides a window over each channel word.

    Members
    -------
    kernel_columns, stride_columns, left:
        Window in x.
    clamp:
        Lowest and highest output.
    """

    kernel_columns: int = 1
    stride_columns: int = 1
    left: int = 0
    clamp: tuple[int, int] = (-128, 127)

    operation = VectorOp.MAX

    def _command(self, block: tuple[int, int, int, int], words: tuple[int, int], source: Rows,
                 target: Rows, packets: tuple[Packet, ...] = (), **fields: int) -> Operation:
        """Output rows and pixels ``block`` of channel words ``words``."""
        (y0, y1, x0, x1), (first, end) = block, words
        depth, pitch, count = source.map.words, source.map.pitch, end - first
        top, left = y0 * self.stride_rows - self.top, x0 * self.stride_columns - self.left
        levels = self._levels((y1 - y0, x1 - x0, count), depth, pitch)
        base = target.address(y0, x0) + first
        out_pitch, out_words = target.map.pitch, target.map.words
        stride = 1 if count == out_words else out_words
        fields = {
            "operation": self.operation,
            **nest_fields(levels, source.address(top, left) + first, top - source.first, left,
                          source.end - source.first, source.map.width),
            **target_fields(base, (x1 - x0) * count, stride, out_pitch),
            **range_fields(0, self.clamp), **fields,
        }
        return Operation(
            Opcode.VECTOR, self.layer, fields, (self._read(block, words, source),),
            (area(base, y1 - y0, out_pitch, x1 - x0, out_words, count),), packets=packets)

    def _levels(self, outputs: tuple[int, int, int], depth: int,
                pitch: int) -> list[tuple[int, int, int, int]]:
        """Loops over windows of a map with ``depth`` words a pixel and ``pitch`` words a row."""
        rows, columns, words = outputs
        return [
            (self.kernel_columns, depth, 0, 1), (self.kernel_rows, pitch, 1, 0),
            (words, 1, 0, 0), (columns, self.stride_columns * depth, 0, self.stride_columns),
            (rows, self.stride_rows * pitch, self.stride_rows, 0),
        ]

    def _read(self, block: tuple[int, int, int, int], words: tuple[int, int],
              source: Rows) -> Area:
        feature_map = source.map
        first, end = self.needs(block[0], block[1])
        first, end = max(first, source.first), min(end, source.end)
        return area(source.address(first) + words[0], max(0, end - first), feature_map.pitch,
                    feature_map.width, feature_map.words, words[1] - words[0])

    def _words(self, split: bool) -> list[tuple[int, int]]:
        """All channel words at once, or one by one: what a target can describe."""
        words = self.output.words
        return [(word, word + 1) for word in range(words)] if split else [(0, words)]


@dataclass(eq=False)
class MaxPoolTask(WindowTask):
    """Maximum of each window."""

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        block = (first, end, 0, self.output.width)
        return [self._command(block, words, sources[0], target) for words in self._words(split)]


@dataclass(eq=False)
class AveragePoolTask(WindowTask):
    """Mean of each window without its padding: a command for each count of pixels."""

    operation = VectorOp.SUM

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        source = self.inputs[0]
        rows = _runs(first, end, self.kernel_rows, self.stride_rows, self.top, source.height)
        columns = _runs(0, self.output.width, self.kernel_columns, self.stride_columns, self.left,
                        source.width)
        operations = []
        for words in self._words(split):
            for y0, y1, high in rows:
                for x0, x1, wide in columns:
                    pre_shift, multiplier, shift = average_requantization(high * wide)
                    operations.append(self._command(
                        (y0, y1, x0, x1), words, sources[0], target, pre_shift=pre_shift,
                        multiplier=multiplier, shift=shift))
        return operations


def _runs(first: int, end: int, kernel: int, stride: int, before: int,
          size: int) -> list[tuple[int, int, int]]:
    """Output positions with equally many pixels inside the map: ``(first, end, pixels)``."""
    runs: list[tuple[int, int, int]] = []
    for position in range(first, end):
        start = position * stride - before
        inside = min(start + kernel, size) - max(start, 0)
        if runs and runs[-1][2] == inside:
            runs[-1] = (runs[-1][0], position + 1, inside)
        else:
            runs.append((position, position + 1, inside))
    return runs


@dataclass(eq=False)
class GlobalAverageTask(Task):
    """Sum of the whole map, requantised; the output is one pixel."""

    requantization: Requantization = None  # type: ignore[assignment]

    def needs(self, first: int, end: int) -> tuple[int, int]:
        return 0, self.inputs[0].height

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        source, scale = sources[0], self.requantization
        feature_map = source.map
        operations = []
        for word, stop in word_parts(feature_map.words, split):
            base, count = target.address(0) + word, stop - word
            fields = {
                "operation": VectorOp.SUM,
                **nest_fields([(feature_map.width, feature_map.words, 0, 0),
                               (feature_map.height, feature_map.pitch, 0, 0), (count, 1, 0, 0)],
                              source.address(0) + word),
                "bias": -feature_map.width * feature_map.height * feature_map.zero_point,
                "multiplier": int(scale.multiplier[0]), "shift": int(scale.shift[0]),
                **target_fields(base, count, 1, 0),
                **range_fields(self.output.zero_point, (-128, 127)),
            }
            read = area(source.address(0) + word, feature_map.height, feature_map.pitch,
                        feature_map.width, feature_map.words, count)
            operations.append(Operation(Opcode.VECTOR, self.layer, fields, (read,),
                                        (area(base, 1, 0, 1, 0, count),)))
        return operations


@dataclass(eq=False)
class AddTask(Task):
    """Sum of two maps, each rescaled."""

    add: Add = None  # type: ignore[assignment]

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        alike = sources[0].map.pitch == sources[1].map.pitch
        blocks = [(first, end)] if alike else [(y, y + 1) for y in range(first, end)]
        words = self.output.words
        ranges = [(word, word + 1) for word in range(words)] if split else [(0, words)]
        return [self._command(block, words, sources, target)
                for words in ranges for block in blocks]

    def _command(self, block: tuple[int, int], words: tuple[int, int], sources: tuple[Rows, ...],
                 target: Rows) -> Operation:
        (y0, y1), (first, end) = block, words
        width, depth = self.output.width, self.output.words
        count, rows, out_pitch = end - first, y1 - y0, target.map.pitch
        run, stride = (width * depth, 1) if count == depth else (width, depth)
        bases = [source.address(y0) + first for source in sources]
        base, scale = target.address(y0) + first, self.add.requantization
        fields = {
            "operation": VectorOp.ADD,
            **nest_fields([(2, bases[1] - bases[0], 0, 0), (1, 0, 0, 0), (run, stride, 0, 0),
                           (rows, sources[0].map.pitch, 0, 0)], bases[0]),
            "multiplier": int(scale.multiplier[0]), "shift": int(scale.shift[0]),
            **target_fields(base, run, stride, out_pitch),
            **range_fields(self.output.zero_point, self.add.clamp),
        }
        for number, operand in enumerate(self.add.input_requantization):
            fields[f"zero_point_{number}"] = self.inputs[number].zero_point
            fields[f"multiplier_{number}"] = int(operand.multiplier[0])
            fields[f"right_shift_{number}"] = -int(operand.shift[0])
        reads = tuple(area(start, rows, source.map.pitch, width, depth, count)
                      for start, source in zip(bases, sources, strict=True))
        return Operation(Opcode.VECTOR, self.layer, fields, reads,
                         (area(base, rows, out_pitch, width, depth, count),))


@dataclass(eq=False)
class DepthwiseTask(WindowTask):
    """A convolution that keeps its channels apart, one command for each channel word.

    Where the vector unit has multipliers for all columns of the kernel, it reads each column of
    the map once for a row of outputs, unless wide strides make windows the shorter way.
    """

    conv: Conv = None  # type: ignore[assignment]
    codewords: np.ndarray = None  # type: ignore[assignment]

    @property
    def operation(self) -> VectorOp:  # type: ignore[override]
        """How the vector unit goes about it."""
        columns, width = self.kernel_columns, self.output.width
        slides = (1 < columns <= self.config.vector_columns and self.kernel_rows <= SLIDING_ROWS
                  and self._map_columns(width) < width * columns)
        return VectorOp.SLIDING if slides else VectorOp.DEPTHWISE

    def _map_columns(self, width: int) -> int:
        return (width - 1) * self.stride_columns + self.kernel_columns

    def _levels(self, outputs: tuple[int, int, int], depth: int,
                pitch: int) -> list[tuple[int, int, int, int]]:
        if self.operation == VectorOp.DEPTHWISE:
            return super()._levels(outputs, depth, pitch)
        return [(self.kernel_rows, pitch, 1, 0), (self._map_columns(outputs[1]), depth, 0, 1),
                (outputs[0], self.stride_rows * pitch, self.stride_rows, 0)]

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        pad_value = self.inputs[0].zero_point
        return [self._command((first, end, 0, self.output.width), (word, word + 1), sources[0],
                              target, self._packets(word), pad_value=pad_value,
                              taps=self.kernel_rows * self.kernel_columns,
                              kernel_columns=self.kernel_columns,
                              column_stride=self.stride_columns,
                              zero_point=self.output.zero_point)
                for word in range(self.output.words)]

    def _packets(self, word: int) -> tuple[Packet, Packet]:
        lanes, taps = self.config.rows, self.kernel_rows * self.kernel_columns
        size = PARAMETER_BYTES * lanes
        return (
            Packet(Channel.VECTOR, Stream.PARAMETER, (self.layer, "parameter", word), size,
                   lambda: self.parameters[size * word:size * (word + 1)]),
            Packet(Channel.VECTOR, Stream.RAW_WEIGHT, (self.layer, "weight", word), taps * lanes,
                   lambda: np.ascontiguousarray(
                       self.weights[:, word * lanes:(word + 1) * lanes]).tobytes()))

    @cached_property
    def weights(self) -> np.ndarray:
        """int8 ``[taps, lanes]``, zeros beyond the channels."""
        conv = self.conv
        raw = conv.raw if conv.raw is not None else decode(conv, self.codewords)
        weights = np.zeros((self.kernel_rows * self.kernel_columns,
                            self.output.words * self.config.rows), np.int8)
        weights[:, :conv.shape[2]] = raw[..., 0].reshape(conv.shape[2], -1).T
        return weights

    @cached_property
    def parameters(self) -> bytes:
        """Of all lanes."""
        bias = fold_bias(self.name, self.conv.bias, self.inputs[0].zero_point,
                         self.weights.astype(np.int64).sum(0))
        return parameter_packet(bias, self.conv.requantization)
