"""Networks read from files of other tools, as PyTorch modules that :mod:`capture` can walk."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class Imported:
    """A network read from a file.

    Members
    -------
    module:
        In evaluation mode; float32 ``[N, C, H, W]`` in, as PyTorch orders images.
    input_shape:
        ``(1, C, H, W)``.
    """

    module: nn.Module
    input_shape: tuple[int, int, int, int]


class Call(nn.Module):
    """A function as a module, so that it has a name in the graph."""

    def __init__(self, function: Callable[..., torch.Tensor]):
        super().__init__()
        self._function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self._function(*inputs)


class ImportedModule(nn.Module):
    """Modules that run one after the other on named tensors.

    Parameters
    ----------
    source:
        Name of the input tensor.
    """

    def __init__(self, source: str):
        super().__init__()
        self._source = source
        self._steps: list[tuple[str, tuple[str, ...], str]] = []
        self.result = source

    def append(self, name: str, part: nn.Module, inputs: Sequence[str], output: str) -> None:
        """Add a part; its name is made one that a module may have, and unique."""
        base = re.sub(r"\W+", "_", name).strip("_") or "layer"
        key, count = base, 1
        while key in self._modules or hasattr(self, key):
            count += 1
            key = f"{base}_{count}"
        self.add_module(key, part)
        self._steps.append((key, tuple(inputs), output))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {self._source: x}
        for key, inputs, output in self._steps:
            values[output] = self.get_submodule(key)(*(values[name] for name in inputs))
        return values[self.result]
