"""Quantised layers that go over a sequence step by step, each with what the step before left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_sw.arithmetic import Requantization

from .quantized_layers import Layer

GATES = 4
"""Gates of an LSTM: input gate, forget gate, cell and output gate, in this order."""


@dataclass(frozen=True)
class Lstm(Layer):
    """An LSTM over the rows of a map ``(S, 1, C)``, on the host but in integers.

    It is TFLite's UNIDIRECTIONAL_SEQUENCE_LSTM with int8 activations and weights and an int16 cell
    state (:mod:`vqrom_sw.reference.lstm`). Each sequence starts with an output and a cell state of
    0.0.

    Members
    -------
    input_weights, state_weights:
        int8 ``[4 * H, C]`` and ``[4 * H, H]``: weights of the input, and of the output of the step
        before, gate by gate.
    bias:
        int32 ``[4 * H]``, added to the sums of the input.
    input_requantization, state_requantization:
        For each gate, the factor of the two sums; their results have 12 fraction bits.
    output_requantization:
        The factor of the output gate times the cell's tangent, a product with 30 fraction bits.
    cell_bits:
        Integer bits of the int16 cell state.
    cell_clip:
        Greatest magnitude of the cell state as a raw int16; 0 for any.
    """

    input_weights: np.ndarray
    state_weights: np.ndarray
    bias: np.ndarray
    input_requantization: Requantization
    state_requantization: Requantization
    output_requantization: Requantization
    cell_bits: int
    cell_clip: int
    kind = "lstm"
    operation = "lstm"

    @property
    def weights(self) -> int:
        """Number of weights, without biases."""
        return self.input_weights.size + self.state_weights.size

    @property
    def units(self) -> int:
        """Channels of the output and of the cell state, ``H``."""
        return self.state_weights.shape[1]
