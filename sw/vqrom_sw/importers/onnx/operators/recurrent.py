"""Recurrent layers as unrolled steps: ``LSTM``, ``GRU`` and ``RNN``.

All steps' products with the input are one linear layer; each step has a linear layer of its state.
Source of the formulas, and of the order of gates: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ..node import OnnxNode
from ..values import Data
from .convolution import linear

FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
"""Activation functions that gates may have; others have parameters."""

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
"""Number of gates by operator."""

DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
"""Activation functions of one direction by operator."""

State = tuple[torch.Tensor | None, torch.Tensor | None]
"""Hidden state and cell state of a step; None stands for zeros before the first."""


class Direction(nn.Module):
    """One direction of a recurrent layer.

    Parameters
    ----------
    kind:
        The operator.
    weights:
        Weights of the input ``[gates * H, C]`` and of the state ``[gates * H, H]``.
    bias:
        Both biases, ``[2 * gates * H]``.
    functions:
        Activation functions in the standard's order.
    peepholes:
        The LSTM's weights from the cell to its gates, ``[3 * H]``, or None.
    flags:
        Greatest magnitude of what an activation function gets (0: any), whether the LSTM's input
        and forget gates are one, and whether the GRU resets after the product.
    """

    def __init__(self, kind: str, weights: tuple[torch.Tensor, torch.Tensor], bias: torch.Tensor,
                 functions: Sequence[str], peepholes: torch.Tensor | None,
                 flags: tuple[float, bool, bool]):
        super().__init__()
        half = len(bias) // 2
        self.input = linear(weights[0], bias[:half])
        self.state = linear(weights[1], bias[half:])
        self.peepholes: torch.Tensor | None
        self.register_buffer("peepholes", peepholes)
        self.size = weights[1].shape[1]
        self._functions = [FUNCTIONS[name.lower()] for name in functions]
        self._clip, self._coupled, self._reset_after = flags
        self._step = {"LSTM": self._lstm, "GRU": self._gru, "RNN": self._rnn}[kind]

    def forward(self, x: torch.Tensor, state: State, backwards: bool
                ) -> tuple[list[torch.Tensor], State]:
        """Run all steps of ``[S, N, C]``, and return hidden states in the sequence's order."""
        products = self.input(x)
        found: list[torch.Tensor] = []
        places = range(len(x))
        for place in reversed(places) if backwards else places:
            state = self._step(products[place], state)
            assert state[0] is not None
            found.append(state[0])
        return (found[::-1] if backwards else found), state

    def _limited(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(-self._clip, self._clip) if self._clip else x

    def _recurrent(self, hidden: torch.Tensor | None) -> torch.Tensor:
        """What the state adds to each gate."""
        assert self.state.bias is not None
        return self.state.bias if hidden is None else self.state(hidden)

    def _rnn(self, product: torch.Tensor, state: State) -> State:
        return self._functions[0](self._limited(product + self._recurrent(state[0]))), None

    def _gru(self, product: torch.Tensor, state: State) -> State:
        size, hidden = self.size, state[0]
        recurrent = self._recurrent(hidden)
        gates = self._functions[0](self._limited(product[:, :2 * size] + recurrent[..., :2 * size]))
        update, reset = gates[:, :size], gates[:, size:]
        if self._reset_after or hidden is None:
            added = recurrent[..., 2 * size:]
            added = reset * added if self._reset_after else added
        else:
            added = nn.functional.linear(reset * hidden, self.state.weight[2 * size:],
                                         self.state.bias[2 * size:])
        new = self._functions[1](self._limited(product[:, 2 * size:] + added))
        kept = (1 - update) * new
        return (kept if hidden is None else kept + update * hidden), None

    def _lstm(self, product: torch.Tensor, state: State) -> State:
        hidden, cell = state
        enter, leave, forget, new = (product + self._recurrent(hidden)).split(self.size, -1)
        gate, inner, outer = self._functions
        if self.peepholes is not None and cell is not None:
            enter, forget = enter + self._peephole(0) * cell, forget + self._peephole(2) * cell
        enter = gate(self._limited(enter))
        made = enter * inner(self._limited(new))
        if cell is not None:
            kept = 1 - enter if self._coupled else gate(self._limited(forget))
            made = made + kept * cell
        if self.peepholes is not None:
            leave = leave + self._peephole(1) * made
        return gate(self._limited(leave)) * outer(made), made

    def _peephole(self, number: int) -> torch.Tensor:
        assert self.peepholes is not None
        return self.peepholes[number * self.size:][:self.size]


class Recurrent(nn.Module):
    """A recurrent layer in one direction or both; returns all states and the last ones."""

    def __init__(self, directions: Sequence[Direction], backwards: Sequence[bool],
                 batch_first: bool, initial: Sequence[torch.Tensor | None], given: Sequence[int]):
        super().__init__()
        self.directions = nn.ModuleList(directions)
        self.hidden: torch.Tensor | None
        self.cell: torch.Tensor | None
        self._backwards, self._batch_first, self._given = backwards, batch_first, given
        for name, value in zip(("hidden", "cell"), initial, strict=True):
            self.register_buffer(name, value)

    def forward(self, x: torch.Tensor, *states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        initial = [self.hidden, self.cell]
        for place, state in zip(self._given, states, strict=True):
            initial[place] = state
        if self._batch_first:
            x = x.transpose(0, 1)
            initial = [None if state is None else state.transpose(0, 1) for state in initial]
        hidden, last, cells = [], [], []
        for number, (direction, back) in enumerate(zip(self.directions, self._backwards,
                                                       strict=True)):
            first = [None if state is None else state[number] for state in initial]
            steps, (end, cell) = direction(x, (first[0], first[1]), back)
            hidden.append(torch.stack(steps))
            last.append(end)
            cells.append(end if cell is None else cell)
        axis = 2 if self._batch_first else 1
        everything = torch.stack(hidden, 1)
        if self._batch_first:
            everything = everything.permute(2, 0, 1, 3)
        return (everything, torch.stack(last, axis - 1), torch.stack(cells, axis - 1))


def recurrent(node: OnnxNode) -> nn.Module:
    """Unrolled steps over a sequence whose length the file fixes."""
    data = node.data(0)
    batch_first = bool(node.attribute("layout", 0))
    length = node.size(data, 1 if batch_first else 0)
    weights, states = node.weight(1), node.weight(2)
    direction = node.expect("direction", "forward", ("forward", "reverse", "bidirectional"))
    backwards = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    gates, size, count = GATES[node.kind], states.shape[2], len(backwards)
    if node.attribute("hidden_size", size) != size or weights.shape[:2] != (count, gates * size):
        raise node.error(f"weights of shape {tuple(weights.shape)!r} and {tuple(states.shape)!r} "
                         "do not fit")
    bias = node.weight(3) if node.has(3) else torch.zeros(count, 2 * gates * size)
    lengths = node.integers(4)
    if lengths and set(lengths) != {length}:
        raise node.error(f"sequence_lens must be {length}, not {lengths!r}")
    functions = _functions(node, count)
    peepholes = node.weight(7) if node.kind == "LSTM" and node.has(7) else None
    flags = (node.attribute("clip", 0.0), bool(node.attribute("input_forget", 0)),
             bool(node.attribute("linear_before_reset", 0)))
    directions = [Direction(node.kind, (weights[place], states[place]), bias[place],
                            functions[place], None if peepholes is None else peepholes[place],
                            flags) for place in range(count)]
    initial: list[torch.Tensor | None] = [None, None]
    given: list[int] = []
    for place in (5, 6) if node.kind == "LSTM" else (5,):
        if node.has(place):
            state = node.operand(place)
            if isinstance(state, Data):
                given.append(place - 5)
            else:
                initial[place - 5] = state
    return Recurrent(directions, backwards, batch_first, initial, given)


def _functions(node: OnnxNode, count: int) -> list[list[str]]:
    """Activation functions of each direction."""
    defaults = DEFAULTS[node.kind]
    names: list[str] = [name.decode() if isinstance(name, bytes) else name
                        for name in node.attribute("activations", defaults * count)]
    unknown = [name for name in names if name.lower() not in FUNCTIONS]
    if unknown or len(names) != count * len(defaults):
        raise node.error(f"activations must be {len(defaults)} of Sigmoid, Tanh and Relu for each "
                         f"direction, not {names!r}")
    return [names[start:start + len(defaults)] for start in range(0, len(names), len(defaults))]


OPERATORS = {name: recurrent for name in GATES}
"""What reads each operator of this file, by name."""
