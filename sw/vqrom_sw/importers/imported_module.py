"""Networks read from files of other tools, as PyTorch modules.

A reader of ONNX or TFLite files puts a module together part by part, and
:func:`vqrom_sw.importers.capture` turns it into a float network like any other module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

MAX_BYTES = 1 << 30
"""Greatest size of a file that is read."""


@dataclass(frozen=True)
class Imported:
    """A network read from a file.

    Members
    -------
    module:
        The network in evaluation mode; it takes float32 ``[N, C, H, W]``.
    input_shape:
        Shape of one input, ``(1, C, H, W)``.
    """

    module: nn.Module
    input_shape: tuple[int, int, int, int]


class Call(nn.Module):
    """A module that calls a function, so that the function has a name in the traced graph."""

    def __init__(self, function: Callable[..., torch.Tensor]):
        super().__init__()
        self._function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self._function(*inputs)


class ImportedModule(nn.Module):
    """A module made of parts that run one after the other on named tensors.

    Parameters
    ----------
    source:
        Name of the tensor that is the module's input.

    Members
    -------
    result:
        Name of the tensor that is the module's output.
    """

    def __init__(self, source: str):
        super().__init__()
        self._source = source
        self._steps: list[tuple[str, tuple[str, ...], str]] = []
        self.result = source

    def append(self, name: str, part: nn.Module, inputs: Sequence[str], output: str) -> None:
        """Add a part that runs after all parts added before.

        Parameters
        ----------
        name:
            Name for the part; it is changed where a module may not have it, or has it already.
        part:
            The part.
        inputs:
            Names of the tensors that the part gets.
        output:
            Name under which its result is kept.
        """
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
