"""The integer LSTM, as TensorFlow Lite computes it: int8 activations, int16 gates and cell state.

Source: TensorFlow Lite's ``LstmStepInteger8x8_16`` (``lstm_eval.cc``) with its portable kernels.
"""

from __future__ import annotations

import numpy as np
import torch

from vqrom_sw.arithmetic import (
    HIGHEST,
    HIGHEST_16,
    LOWEST,
    LOWEST_16,
    SIGMOID_BITS,
    Requantization,
    multiply_by_quantized_multiplier,
    rounding_divide_by_power_of_two,
    sigmoid_table,
    tanh_table,
)
from vqrom_sw.network import GATES, Lstm


def run_lstm(layer: Lstm, x: torch.Tensor) -> torch.Tensor:
    """Run an LSTM over sequences.

    Parameters
    ----------
    layer:
        The layer, of ``H`` units.
    x:
        int64 ``[N, S, 1, C]``, without its zero point.

    Returns
    -------
    torch.Tensor
        int64 ``[N, S, 1, H]``, int8 in value.
    """
    enter = scaled_sums(x[:, :, 0], layer.input_weights, layer.input_requantization, layer.bias)
    output = cell = torch.zeros(len(x), layer.units, dtype=torch.int64)
    results = []
    for step in range(x.shape[1]):
        back = scaled_sums(output, layer.state_weights, layer.state_requantization)
        cell, output = next_state(layer, _saturated(enter[:, step] + back), cell)
        results.append(output)
    whole = torch.stack(results, 1) + layer.quantization.zero_point
    return whole[:, :, None]


def scaled_sums(x: torch.Tensor, weights: np.ndarray, requantization: Requantization,
                bias: np.ndarray | int = 0) -> torch.Tensor:
    """Products with all gates' weights, in int16 with 12 fraction bits.

    Parameters
    ----------
    x:
        int64 ``[..., C]``, without its zero point.
    weights:
        int8 ``[4 * H, C]``.
    requantization:
        A factor for each gate.
    bias:
        int32 ``[4 * H]``, or 0.
    """
    # Sums of products of int8 numbers are exact in float64.
    sums = (x.double() @ torch.from_numpy(weights.astype(np.float64)).T).to(torch.int64)
    factors = Requantization(*(np.repeat(part, len(weights) // GATES) for part in (
        requantization.multiplier, requantization.shift)))
    return _saturated(multiply_by_quantized_multiplier(
        sums + torch.as_tensor(bias, dtype=torch.int64), factors))


def next_state(layer: Lstm, gates: torch.Tensor,
               cell: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The cell state and the output after a step.

    Parameters
    ----------
    layer:
        The layer, whose bits of the cell state and clip count.
    gates:
        int64 ``[N, 4 * H]``, int16 in value: the gates' sums.
    cell:
        int64 ``[N, H]``, int16 in value: the cell state before.

    Returns
    -------
    tuple
        The new cell state, and the output without its zero point, both int64 ``[N, H]``.
    """
    enter, forget, new, leave = gates.chunk(GATES, 1)
    kept = _divide(_look_up(sigmoid_table(), forget) * cell, 15)
    added = _look_up(sigmoid_table(), enter) * _look_up(tanh_table(SIGMOID_BITS), new)
    cell = _saturated(kept + _divide(added, 15 + layer.cell_bits))
    if layer.cell_clip:
        cell = cell.clamp(-layer.cell_clip, layer.cell_clip)
    product = _look_up(sigmoid_table(), leave) * _look_up(tanh_table(layer.cell_bits), cell)
    output = multiply_by_quantized_multiplier(product, layer.output_requantization)
    zero_point = layer.quantization.zero_point
    return cell, output.clamp(LOWEST - zero_point, HIGHEST - zero_point)


def _look_up(table: np.ndarray, x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(table)[x - LOWEST_16]


def _divide(value: torch.Tensor, exponent: int) -> torch.Tensor:
    return rounding_divide_by_power_of_two(value, torch.tensor(exponent))


def _saturated(value: torch.Tensor) -> torch.Tensor:
    return value.clamp(LOWEST_16, HIGHEST_16)
