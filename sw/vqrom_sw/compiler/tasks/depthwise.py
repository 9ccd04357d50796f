"""TODO."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqrom_hw.isa import SLIDING_ROWS, Channel, Stream, VectorOp
from vqrom_sw.compiler.feature_map import Rows
from vqrom_sw.compiler.operations import Operation, Packet
from vqrom_sw.network import Conv

from .conv import decode
from .packets import PARAMETER_BYTES, fold_bias, parameter_packet
from .window import WindowTask


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
