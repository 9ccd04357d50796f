"""Depthwise convolutions on the vector unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import SLIDING_ROWS, Channel, Stream, VectorOp
from vqrom_sw.network import Conv

from ..feature_map import BufferRows
from ..operations import Level, Operation, Packet
from .handover import handover_ranges
from .kernel import Kernel, kernel_of
from .packets import PARAMETER_BYTES, decode_weights, fold_bias, parameter_packet
from .task import Block
from .window import WindowTask


def depthwise_operation(kernel: Kernel, width: int, config: AcceleratorConfig) -> VectorOp:
    """How the vector unit does rows of ``width`` outputs: sliding, or window by window."""
    slides = (1 < kernel.columns <= config.vector_columns and kernel.rows <= SLIDING_ROWS
              and kernel.tap_columns == 1 and map_columns(kernel, width) < width * kernel.columns)
    return VectorOp.SLIDING if slides else VectorOp.DEPTHWISE


def map_columns(kernel: Kernel, width: int) -> int:
    """Columns of the input that the windows of a row of ``width`` outputs reach over."""
    return (width - 1) * kernel.stride_columns + kernel.width


def vector_cycles(layer: Conv, config: AcceleratorConfig) -> int:
    """Cycles that the vector unit takes for a row of outputs, one channel word of it.

    It reads words of the input, one a cycle, and requantises ``vector_lanes`` sums a cycle.
    """
    kernel, width = kernel_of(layer), layer.shape[1]
    slides = depthwise_operation(kernel, width, config) == VectorOp.SLIDING
    columns = map_columns(kernel, width) if slides else width * kernel.columns
    return max(kernel.rows * columns, width * config.rows // config.vector_lanes)


@dataclass(eq=False, kw_only=True)
class DepthwiseTask(WindowTask):
    """A convolution that keeps its channels apart, one operation for each channel word.

    Where the vector unit has multipliers for all columns of the kernel, it reads each column of
    the map once for a row of outputs (``SLIDING``), unless wide strides make separate windows
    (``DEPTHWISE``) the shorter way.

    Members
    -------
    conv:
        The layer. Its weights may be absent if nothing asks for the contents of packets.
    codewords:
        The codebook, int8 ``[k, d]``: indices are looked up when the layer is compiled.
    """

    conv: Conv = field(repr=False)
    codewords: np.ndarray = field(repr=False)

    hands_over = True

    @property
    def operation(self) -> VectorOp:
        return depthwise_operation(self.kernel, self.output.width, self.config)

    def _levels(self, block: Block, words: int, source: BufferRows) -> list[Level]:
        if self.operation == VectorOp.DEPTHWISE:
            return super()._levels(block, words, source)
        kernel, depth, pitch = self.kernel, source.step, source.pitch
        return [(kernel.rows, kernel.tap_rows * pitch, kernel.tap_rows, 0),
                (map_columns(kernel, block.width), depth, 0, 1),
                (block.height, kernel.stride_rows * pitch, kernel.stride_rows, 0)]

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        kernel = self.kernel
        return [self._window_operation(
            block, (word, word + 1), sources[0], target, self._packets(word),
            pad_value=self.inputs[0].zero_point, taps=kernel.rows * kernel.columns,
            kernel_columns=kernel.columns, column_stride=kernel.stride_columns,
            zero_point=self.output.zero_point)
            for block in self._blocks(first, end, split) for word in range(self.output.words)]

    def _blocks(self, first: int, end: int, split: bool) -> list[Block]:
        """Output rows ``first`` to ``end``, cut where the array may begin with the first of them.
        """
        width = self.output.width
        cycles = vector_cycles(self.conv, self.config)
        beats = sum(-(-packet.size // self.config.beat_bytes) for packet in self._packets(0))
        return [Block(y0, y1, 0, width)
                for y0, y1 in handover_ranges(self, first, end, cycles, beats, split)]

    def _packets(self, word: int) -> tuple[Packet, Packet]:
        """Parameters, then weights, of one channel word."""
        lanes, taps = self.config.rows, self.kernel.rows * self.kernel.columns
        size = PARAMETER_BYTES * lanes
        return (
            Packet(Channel.VECTOR, Stream.PARAMETER, (self.layer, "parameter", word), size,
                   lambda: self._parameters[size * word:size * (word + 1)]),
            Packet(Channel.VECTOR, Stream.RAW_WEIGHT, (self.layer, "weight", word), taps * lanes,
                   lambda: np.ascontiguousarray(
                       self._weights[:, word * lanes:(word + 1) * lanes]).tobytes()))

    @cached_property
    def _weights(self) -> np.ndarray:
        """int8 ``[kernel positions, lanes]``, zeros beyond the channels."""
        conv = self.conv
        raw = conv.raw if conv.raw is not None else decode_weights(conv, self.codewords)
        weights = np.zeros((self.kernel.rows * self.kernel.columns,
                            self.output.words * self.config.rows), np.int8)
        weights[:, :conv.shape[2]] = raw[..., 0].reshape(conv.shape[2], -1).T
        return weights

    @cached_property
    def _parameters(self) -> bytes:
        """Parameters of all lanes of all channel words."""
        bias = fold_bias(self.name, self.conv.bias, self.inputs[0].zero_point,
                         self._weights.astype(np.int64).sum(0))
        return parameter_packet(bias, self.conv.requantization)
