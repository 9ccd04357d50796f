"""An operator of a float TFLite model as the functions that read it see it.

A network runs on any number of images, a file on as many as it says, which is mostly one. So what
the file says of one image is meant for each: a tensor of the file with the shape ``(1, ...)`` is
``[N, ...]`` here, and one with another shape ``(S, ...)`` is ``[N, S, ...]``. An operator that
reads across the file's first axis thus stays within an image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call

from .source import StaticValues, TfliteFile, TfliteOperator

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "RELU": nn.ReLU, "RELU6": nn.ReLU6, "RELU_N1_TO_1": nn.Hardtanh}
"""The module of each fused activation, by its name. LiteRT's kernels ignore a fused ``TANH``."""


@dataclass(frozen=True)
class Data:
    """A computed tensor.

    Members
    -------
    name:
        Name of the tensor in the module.
    probe:
        Its value for the images that run along while a file is read, float32 ``[N, ...]``.
    leading:
        Whether the file has an axis of images in front; else all its axes are within an image.
    """

    name: str
    probe: torch.Tensor
    leading: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the file's tensor with one image."""
        sizes = tuple(self.probe.shape[1:])
        return (1, *sizes) if self.leading else sizes


@dataclass(frozen=True)
class Part:
    """What an operator becomes: modules one after the other, the first of which gets operands.

    Members
    -------
    modules:
        The modules; none passes the first operand on.
    operands:
        Computed tensors that the first module gets.
    leading:
        Whether each result has the axis of images in front in the file, too.
    """

    modules: tuple[nn.Module, ...]
    operands: tuple[Data, ...]
    leading: bool


class FloatNode:
    """One operator with what is known of its inputs.

    Parameters
    ----------
    file:
        The model.
    operator:
        The operator.
    data:
        The computed tensors by number.
    statics:
        The known values.
    """

    def __init__(self, file: TfliteFile, operator: TfliteOperator, data: dict[int, Data],
                 statics: StaticValues):
        self.file, self.operator = file, operator
        self._data, self._statics = data, statics
        self.error, self.option = operator.error, operator.option

    @property
    def kind(self) -> str:
        """The operator's name."""
        return self.operator.kind

    def has(self, place: int) -> bool:
        """Whether there is an input at a place."""
        return self.operator.input(place) >= 0

    def is_data(self, place: int) -> bool:
        """Whether the input at a place is computed."""
        return self.operator.input(place) in self._data

    def data(self, place: int = 0) -> Data:
        """The computed tensor at a place of the inputs.

        Raises
        ------
        VqromError
            If it is a constant, or not known.
        """
        found = self._data.get(self.operator.input(place))
        if found is None:
            raise self.error(f"input {place} must be computed from the network's input")
        return found

    def static(self, place: int) -> np.ndarray:
        """The constant at a place of the inputs, in the file's type.

        Raises
        ------
        VqromError
            If it is computed from the network's input.
        """
        number = self.operator.input(place)
        if not self._statics.knows(number):
            raise self.error(f"input {place} must be a constant")
        return self._statics.get(number)

    def integers(self, place: int) -> list[int]:
        """A constant's numbers in a row, as integers."""
        return [int(value) for value in self.static(place).reshape(-1)]

    def real(self, place: int) -> torch.Tensor:
        """The constant at a place of the inputs as float32, dequantised where it has scales."""
        self.static(place)
        return torch.from_numpy(self._statics.real(self.operator.input(place)).copy())

    def bias(self, place: int, channels: int) -> torch.Tensor | None:
        """The bias of a layer, float32 ``[channels]``, or None if it has none."""
        if not self.has(place):
            return None
        bias = self.real(place)
        if bias.numel() != channels:
            raise self.error(f"bias must have {channels} values, not {bias.numel()}")
        return bias.reshape(-1)

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front.

        Raises
        ------
        VqromError
            If there is no such axis.
        """
        if not -rank <= axis < rank:
            raise self.error(f"axis {axis} must be one of {rank} axes")
        return axis % rank

    def fused(self, group: str) -> tuple[nn.Module, ...]:
        """The module of the fused activation, if there is one."""
        name = self.operator.activation(group)
        if name == "NONE":
            return ()
        if name not in ACTIVATIONS:
            raise self.error(f"fused activation {name} is not known to LiteRT's kernels; known "
                             f"are {', '.join(ACTIVATIONS)}")
        return (ACTIVATIONS[name](),)

    def part(self, *modules: nn.Module, leading: bool | None = None) -> Part:
        """A part whose first module gets the first input."""
        data = self.data()
        return Part(modules, (data,), data.leading if leading is None else leading)

    def call(self, function: Callable[..., Any], leading: bool | None = None) -> Part:
        """A part that calls a function with the first input."""
        return self.part(Call(function), leading=leading)

    def within(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Part:
        """A part of a function on tensors all of whose file's axes come after the images'."""
        if self.data().leading:
            return self.call(lambda x: function(x.unsqueeze(1)), leading=False)
        return self.call(function)


def widened(data: Data, rank: int, leading: bool) -> Callable[[torch.Tensor], torch.Tensor]:
    """What brings a tensor to a number of axes of the file, by axes of 1 in front.

    Parameters
    ----------
    data:
        The tensor.
    rank:
        Number of axes that the file's tensor shall have.
    leading:
        Whether the axis of images shall be the first of these.
    """
    missing = rank + (not leading) - data.probe.dim()

    def widen(x: torch.Tensor) -> torch.Tensor:
        for _ in range(missing):
            x = x.unsqueeze(1)
        return x
    return widen


def is_leading(shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether tensors of the file, combined number by number, have one image's axis in front."""
    rank = max(map(len, shapes))
    return rank > 0 and all(len(shape) < rank or shape[0] == 1 for shape in shapes)


