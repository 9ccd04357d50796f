"""Networks read from files of other tools, as PyTorch modules.

A reader of ONNX or TFLite files puts a module together part by part, and
:func:`vqrom_sw.importers.capture` turns it into a float network like any other module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from .check import Evaluator

MAX_BYTES = 1 << 30
"""Greatest size of a file that is read."""


@dataclass(frozen=True)
class Imported:
    """A network read from a file.

    Members
    -------
    module:
        The network in evaluation mode; it takes float32 of the input's shape with any number of
        images, and returns a tensor, or a tuple of them if there are several outputs.
    input_shape:
        Shape of one input, ``(1, C, H, W)``, ``(1, C, L)`` or ``(1, C)``, as in the file.
    outputs:
        Names of the outputs in the file, in the order of the module's results.
    evaluator:
        What runs the file itself, for comparisons; None where there is none.
    """

    module: nn.Module
    input_shape: tuple[int, ...]
    outputs: tuple[str, ...] = ()
    evaluator: Evaluator | None = None


class Call(nn.Module):
    """A module that calls a function, so that the function has a name in the traced graph."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__()
        self._function = function

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self._function(*inputs)


class WithConstants(nn.Module):
    """A function some of whose operands are constants of the model.

    Parameters
    ----------
    function:
        What is called with all operands in order.
    operands:
        The constant operands; None stands for one that is given in each call.
    """

    def __init__(self, function: Callable[..., Any], operands: Sequence[torch.Tensor | None]):
        super().__init__()
        self._function = function
        self._operands = len(operands)
        for place, operand in enumerate(operands):
            self.register_buffer(f"operand{place}", operand)

    def forward(self, *inputs: torch.Tensor) -> Any:
        given = iter(inputs)
        operands = [getattr(self, f"operand{place}") for place in range(self._operands)]
        return self._function(*(next(given) if operand is None else operand
                                for operand in operands))


class ImportedModule(nn.Module):
    """A module made of parts that run one after the other on named tensors.

    Parameters
    ----------
    source:
        Name of the tensor that is the module's input.

    Members
    -------
    results:
        Names of the tensors that are the module's outputs.
    jumps:
        Whether a part rounds or compares, so that close operands may have results far apart.
    """

    def __init__(self, source: str):
        super().__init__()
        self._source = source
        self._steps: list[tuple[str, tuple[str, ...], tuple[str, ...] | str]] = []
        self.results: tuple[str, ...] = (source,)
        self.jumps = False

    @property
    def result(self) -> str:
        """Name of the tensor that is the module's only output."""
        (name,) = self.results
        return name

    @result.setter
    def result(self, name: str) -> None:
        self.results = (name,)

    def append(self, name: str, part: nn.Module, inputs: Sequence[str],
               output: str | Sequence[str]) -> None:
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
            Name under which its result is kept, or a name for each of its results.
        """
        base = re.sub(r"\W+", "_", name).strip("_") or "layer"
        key, count = base, 1
        while key in self._modules or hasattr(self, key):
            count += 1
            key = f"{base}_{count}"
        self.add_module(key, part)
        self._steps.append((key, tuple(inputs), output if isinstance(output, str)
                            else tuple(output)))

    def values(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run the module, and return all tensors by name in the order in which they are made."""
        return self._run(x, [()] * len(self._steps))

    def replayed(self, known: Mapping[str, np.ndarray]) -> Iterator[tuple[str, torch.Tensor]]:
        """Run each part on given tensors, or on what was made where there is none.

        Parameters
        ----------
        known:
            Tensors by name, the module's input among them.

        Returns
        -------
        Iterator
            Name and tensor of each result, in the order in which they are made.
        """
        values = {name: torch.from_numpy(np.array(value)) for name, value in known.items()}
        for key, inputs, output in self._steps:
            result = self.get_submodule(key)(*(values[name] for name in inputs))
            made = [(output, result)] if isinstance(output, str) else list(
                zip(output, result, strict=True))
            for name, tensor in made:
                values.setdefault(name, tensor)
            yield from made

    def _run(self, x: torch.Tensor, done: Sequence[Sequence[str]]) -> dict[str, torch.Tensor]:
        """Run the module; after each step, forget what no later step reads."""
        values = {self._source: x}
        for (key, inputs, output), forgotten in zip(self._steps, done, strict=True):
            result = self.get_submodule(key)(*(values[name] for name in inputs))
            if isinstance(output, str):
                values[output] = result
            else:
                values.update(zip(output, result, strict=True))
            for name in forgotten:
                del values[name]
        return values

    def _last_reads(self) -> list[list[str]]:
        """Names of the tensors that nothing reads after each step."""
        last = {name: step for step, (_, inputs, output) in enumerate(self._steps)
                for name in (*inputs, *([output] if isinstance(output, str) else output))}
        done: list[list[str]] = [[] for _ in self._steps]
        for name, step in last.items():
            if name not in self.results:
                done[step].append(name)
        return done

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        values = self._run(x, self._last_reads())
        results = [values[name] for name in self.results]
        return tuple(results) if len(results) > 1 else results[0]
