"""The LSTM over a sequence, as unrolled steps.

Source of the formulas, and of the order of inputs: TensorFlow Lite's operator
UNIDIRECTIONAL_SEQUENCE_LSTM.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ..float_node import FloatNode, Part
from .windows import fill

GROUP = "UnidirectionalSequenceLSTMOptions"
"""The schema's name for the operator's options."""

STATES = (18, 19)
"""Places of the inputs that are the states, 0 at first."""

LEFT_OUT = (9, 10, 11, 16, 17, 20, 21, 22, 23)
"""Places of the inputs that must be left out: weights of the cell, projections, norms."""


class Lstm(nn.Module):
    """An LSTM on ``[N, S, C]`` that starts with states of 0 and gives all steps' outputs.

    Parameters
    ----------
    inputs, states:
        Weights of the input ``[4 * H, C]`` and of the output before ``[4 * H, H]``, for the input
        gate, the forget gate, the cell and the output gate.
    bias:
        ``[4 * H]``.
    clip:
        Greatest magnitude of the cell's state; 0 for any.
    steps_first:
        Whether it takes and gives ``[N, S, 1, C]``.
    """

    def __init__(self, inputs: torch.Tensor, states: torch.Tensor, bias: torch.Tensor,
                 clip: float, steps_first: bool):
        super().__init__()
        self.input = nn.Linear(inputs.shape[1], inputs.shape[0])
        self.state = nn.Linear(states.shape[1], states.shape[0], bias=False)
        fill(self.input, inputs, bias)
        fill(self.state, states, None)
        self._clip, self._steps_first = clip, steps_first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sequence = x.squeeze(2) if self._steps_first else x
        products, results = self.input(sequence), []
        output = cell = products.new_zeros(x.shape[0], self.state.in_features)
        for step in range(sequence.shape[1]):
            gates = products[:, step] + self.state(output)
            enter, forget, new, leave = gates.chunk(4, 1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            if self._clip:
                cell = cell.clamp(-self._clip, self._clip)
            output = torch.sigmoid(leave) * torch.tanh(cell)
            results.append(output)
        whole = torch.stack(results, 1)
        return whole.unsqueeze(2) if self._steps_first else whole


def lstm(node: FloatNode) -> Part:
    """Read an LSTM with all four gates, without peepholes, projection or normalisation."""
    if node.operator.activation(GROUP) != "TANH":
        raise node.error("activation must be TANH")
    clip, steps_first = node.option(GROUP, "cellClip"), bool(node.option(GROUP, "timeMajor"))
    for name in ("projClip", "asymmetricQuantizeInputs"):
        node.option(GROUP, name)  # There is no projection; and what LiteRT does with int8 weights.
    if node.option(GROUP, "diagonalRecurrentTensors"):
        raise node.error("weights of states must not be diagonal")
    if any(node.has(place) for place in LEFT_OUT) or not node.has(1):
        raise node.error("must have four gates, no weights of the cell, no projection and no "
                         "normalisation")
    if not all(node.file.is_state(node.operator.input(place)) for place in STATES):
        raise node.error("states must be 0 at first")
    data = node.data()
    if len(data.shape) != 3 or (data.leading if steps_first and data.shape[0] > 1
                                else not data.leading) or (steps_first and data.shape[1] != 1):
        raise node.error(f"input must be one sequence, not {data.shape!r}")
    inputs, states, bias = (torch.cat([node.real(place) for place in range(first, first + 4)])
                            for first in (1, 5, 12))
    if steps_first and data.leading:
        raise node.error("must have several steps")
    return node.part(Lstm(inputs, states, bias, float(clip), steps_first))


OPERATORS: dict[str, Callable[[FloatNode], Part]] = {"UNIDIRECTIONAL_SEQUENCE_LSTM": lstm}
"""What reads each recurrent layer, by its name."""
