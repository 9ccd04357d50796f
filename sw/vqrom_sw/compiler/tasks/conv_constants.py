"""The constants of a convolution on the array: contents of its weight and parameter packets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import Conv

from .packets import (
    PARAMETER_BYTES,
    KernelWeights,
    decode_weights,
    expand_groups,
    fold_bias,
    fold_columns,
    parameter_packet,
)


@dataclass(eq=False)
class ConvConstants:
    """Weights and parameters of one convolution, by the column tiles that a COMPUTE makes.

    Members
    -------
    conv:
        The layer, with its weights.
    codewords:
        The codebook, int8 ``[k, d]``.
    config:
        Parameters of the accelerator that the program is for.
    zero_point:
        The input's.
    channels_out:
        Output channels, filled up to whole words.
    group_channels, folded, expanded:
        As in :class:`vqrom_sw.compiler.tasks.conv.ConvTask`.
    """

    conv: Conv
    codewords: np.ndarray
    config: AcceleratorConfig
    zero_point: int
    channels_out: int
    group_channels: int
    folded: int
    expanded: bool

    def weight_packet(self, first: int, end: int, words: tuple[int, int]) -> bytes:
        """Weights of column tiles ``first`` to ``end`` over the input's ``(first word, words)``."""
        if self.expanded:
            return self._expanded(first, end, words).packet(0, end - first)
        return self._weights.packet(first, end)

    def parameter_packet(self, first: int, end: int) -> bytes:
        """Parameters of the output channels of column tiles ``first`` to ``end``."""
        size = PARAMETER_BYTES * self.config.columns
        return self._parameters[size * first:size * end]

    @cached_property
    def _weights(self) -> KernelWeights:
        """Weights of groups that fill words, as they stand or folded."""
        units = self.conv.indices if self.conv.raw is None else self.conv.raw
        assert units is not None
        if self.folded > 1:
            units = fold_columns(units, self.folded)
        return KernelWeights(units, self.codewords, self.config, self.channels_out)

    @cached_property
    def _raw(self) -> np.ndarray:
        """int8 weights, looked up where the layer has indices."""
        conv = self.conv
        return conv.raw if conv.raw is not None \
            else decode_weights(conv, self.codewords)[..., :self.group_channels]

    def _expanded(self, first: int, end: int, words: tuple[int, int]) -> KernelWeights:
        config = self.config
        channels = (first * config.columns, end * config.columns)
        lanes = (words[0] * config.rows, (words[0] + words[1]) * config.rows)
        units = expand_groups(self._raw, self.conv.groups, channels, lanes)
        return KernelWeights(units, self.codewords, config, channels[1] - channels[0])

    @cached_property
    def _parameters(self) -> bytes:
        """Parameters of all output channels."""
        if self.expanded:
            sums = np.zeros(self.channels_out, np.int64)
            sums[:self.conv.shape[2]] = self._raw.astype(np.int64).sum((1, 2, 3))
        else:
            sums = self._weights.sums
        bias = fold_bias(self.conv.name, self.conv.bias, self.zero_point, sums)
        return parameter_packet(bias, self.conv.requantization)
