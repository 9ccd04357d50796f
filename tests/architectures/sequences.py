"""Networks on signals and sequences: keyword spotting, temporal convolution, LSTM, GRU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def keywords() -> nn.Module:
    """One-dimensional convolutions with batch norm and pooling."""
    return nn.Sequential(
        nn.Conv1d(8, 16, 5, 2, 2), nn.BatchNorm1d(16), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(16, 24, 3, padding=1), nn.BatchNorm1d(24), nn.ReLU(), nn.AdaptiveAvgPool1d(1),
        nn.Flatten(), nn.Linear(24, 10))


class TemporalBlock(nn.Module):
    """Two causal dilated convolutions, which see the past only, and a residual."""

    def __init__(self, inputs: int, outputs: int, dilation: int):
        super().__init__()
        self.past = 2 * dilation
        self.first = nn.Conv1d(inputs, outputs, 3, dilation=dilation)
        self.second = nn.Conv1d(outputs, outputs, 3, dilation=dilation)
        self.shortcut = nn.Conv1d(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first(F.pad(x, (self.past, 0))).relu()
        y = self.second(F.pad(y, (self.past, 0))).relu()
        return (y + self.shortcut(x)).relu()


class TemporalNetwork(nn.Module):
    """Blocks with growing dilation; a linear layer on the last element."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(TemporalBlock(4, 16, 1), TemporalBlock(16, 16, 2))
        self.head = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(x)[:, :, -1])


class Recurrent(nn.Module):
    """A recurrent layer and a linear layer on what it ends with."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x)[0][:, -1])


FAMILIES = {
    "keywords": (keywords, (1, 8, 32)), "TCN": (TemporalNetwork, (1, 4, 16)),
    "LSTM": (lambda: Recurrent(nn.LSTM(8, 16, batch_first=True)), (1, 6, 8)),
    "GRU": (lambda: Recurrent(nn.GRU(8, 16, batch_first=True)), (1, 6, 8))}
