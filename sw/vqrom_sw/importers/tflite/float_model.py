"""The reader of float TFLite models, which makes PyTorch modules of them.

The module is the file's graph as it is: tensors keep the file's own order of axes, images are
``[N, H, W, C]`` in it, and convolutions stand between permutations. It runs while it is read, so
that shapes are known, and is compared with LiteRT in the end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.check import check_inputs, check_module
from vqrom_sw.importers.imported_module import Call, Imported, ImportedModule

from .float_node import Data, FloatNode, Part
from .float_operators import OPERATORS
from .source import LiteRt, StaticValues, TfliteFile, TfliteOperator, content_for_litert, read_model

PROBES = 2
"""Number of images that run along while a file is read."""

SUFFIXES = {nn.Conv2d: "", nn.ConvTranspose2d: "", nn.Linear: ""}
"""What follows an operator's name in that of a module; others have their own class's name."""


def read_tflite(path: str | Path) -> Imported:
    """Read a TFLite model with one float32 input and float32 outputs, and compare it with LiteRT.

    An image ``(1, H, W, C)`` of the file is an input ``(1, C, H, W)``; sequences ``(1, S, C)`` and
    vectors ``(1, C)`` are as in the file, and so is an image that the file transposes at once.
    Weights stored in eight bits with scales (dynamic-range models), or in float16, become float32.

    Returns
    -------
    Imported
        The model as a PyTorch module, and the shape of its input.

    Raises
    ------
    VqromError
        If the file is no TFLite model, has an operator or an option that is not understood, or the
        module does not compute what LiteRT does; the message names the operator.
    """
    return read_model(Path(path), _imported)


def _imported(file: TfliteFile) -> Imported:
    reader = _Reader(file)
    module = reader.read()
    evaluator = LiteRt(content_for_litert(file, float_weights=True), reader.feed, reader.names)
    for x in check_inputs(reader.input_shape):
        check_module(module, evaluator, x)
    outputs = tuple(file.name(number) for number in file.results)
    return Imported(module, reader.input_shape, outputs, evaluator)


class _Reader:
    """Reads the graph of one model.

    Members
    -------
    input_shape:
        Shape of one input of the module.
    names:
        Names of the computed tensors, by number.
    """

    def __init__(self, file: TfliteFile):
        self._file, self._statics = file, StaticValues(file)
        self._data: dict[int, Data] = {}
        self.names: dict[int, str] = {}
        shape = file.shape(file.source)
        if file.type_of(file.source) != "FLOAT32":
            raise VqromError(f"its input must be FLOAT32, not {file.type_of(file.source)}")
        if not 2 <= len(shape) <= 4 or shape[0] != 1 or min(shape) < 1 \
                or not file.is_fixed(file.source):
            raise VqromError("its input must be (1, C), (1, S, C) or (1, H, W, C) of known sizes, "
                             f"not {shape!r}")
        self._turned = len(shape) == 4 and not self._transposes()
        self.input_shape = (1, shape[3], *shape[1:3]) if self._turned else shape
        self._module = ImportedModule("input")

    def _transposes(self) -> bool:
        """Whether all that reads the input brings its second axis to the end."""
        readers = self._file.readers(self._file.source)
        return bool(readers) and all(
            reader.kind == "TRANSPOSE" and self._statics.knows(reader.input(1))
            and self._statics.get(reader.input(1)).tolist() == [0, 2, 3, 1] for reader in readers)

    def feed(self, x: np.ndarray) -> np.ndarray:
        """Bring inputs of the module to the file's order of axes."""
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if self._turned else x

    def read(self) -> nn.Module:
        """Read all operators, and return the module in evaluation mode."""
        self._begin()
        for operator in self._file.operators:
            if not self._statics.fold(operator, self._shape):
                self._append(operator)
        for number in self._file.results:
            if number not in self._data:
                raise VqromError(f"output {number} must be computed from the input")
        self._module.results = tuple(self._data[number].name for number in self._file.results)
        return self._module.eval()

    def _begin(self) -> None:
        """Name the input; an image is permuted first, and a vector may have axes of 1 behind."""
        probe = torch.randn(PROBES, *self.input_shape[1:],
                            generator=torch.Generator().manual_seed(0))
        first = Call(lambda x: x.permute(0, 2, 3, 1)) if self._turned else \
            nn.Flatten() if len(self.input_shape) == 2 else None
        name = "input"
        if first is not None:
            name, probe = "image", first(probe)
            self._module.append(name, first, ["input"], name)
        self._data[self._file.source] = Data(name, probe, True)

    def _shape(self, number: int) -> tuple[int, ...] | None:
        return self._data[number].shape if number in self._data else None

    def _append(self, operator: TfliteOperator) -> None:
        make = OPERATORS.get(operator.kind)
        if make is None:
            raise operator.error("the operator is not read by the reader of float models")
        self._check_types(operator)
        part = make(FloatNode(self._file, operator, self._data, self._statics))
        operator.finish()
        values = self._run(operator, part)
        for number, (name, value) in zip(operator.outputs, values, strict=True):
            data = self._squeezed(operator, Data(name, value, part.leading))
            self._check_shape(operator, number, data)
            self._data[number], self.names[number] = data, name

    def _check_types(self, operator: TfliteOperator) -> None:
        for number in operator.outputs:
            if self._file.type_of(number) != "FLOAT32":
                raise operator.error(f"must make FLOAT32, not {self._file.type_of(number)}")

    def _run(self, operator: TfliteOperator, part: Part) -> list[tuple[str, torch.Tensor]]:
        """Append an operator's modules, run them, and return the names and values they make."""
        values = tuple(data.probe for data in part.operands)
        names = [data.name for data in part.operands]
        for place, module in enumerate(part.modules):
            result = self._call(operator, module, values)
            last = place == len(part.modules) - 1
            several = isinstance(result, tuple)
            made = [f"{operator.name}.{count}" for count in range(len(result))] if several else \
                [operator.name if last else f"{operator.name}/{place}"]
            self._module.append(_name(operator, module, last), module, names,
                                made if several else made[0])
            names, values = made, result if several else (result,)
        return list(zip(names, values, strict=True))

    @staticmethod
    def _call(operator: TfliteOperator, module: nn.Module,
              values: tuple[torch.Tensor, ...]) -> torch.Tensor | tuple[torch.Tensor, ...]:
        try:
            with torch.no_grad():
                return module.eval()(*values)
        except (RuntimeError, IndexError, ValueError) as error:
            raise operator.error("does not run on its inputs: "
                                 f"{' '.join(str(error).split())[:200]}") from None

    def _squeezed(self, operator: TfliteOperator, data: Data) -> Data:
        """Take the file's first axis for that of images where it is 1."""
        if data.leading or data.probe.dim() < 2 or data.probe.shape[1] != 1:
            return data
        name = f"{data.name}/squeezed"
        module = Call(lambda x: x.squeeze(1))
        self._module.append(f"{operator.name}_squeeze", module, [data.name], name)
        return Data(name, module(data.probe), True)

    def _check_shape(self, operator: TfliteOperator, number: int, data: Data) -> None:
        """Compare a shape with what the file says, where it does; axes of 1 may differ."""
        said = self._file.shape(number)
        if said and self._file.is_fixed(number) and \
                [size for size in said if size != 1] != [size for size in data.shape if size != 1]:
            raise operator.error(f"output must be {said!r}, not {data.shape!r}")


def _name(operator: TfliteOperator, module: nn.Module, last: bool) -> str:
    own = type(module) in SUFFIXES or (last and isinstance(module, Call))
    return operator.name if own else f"{operator.name}_{type(module).__name__.lower()}"
