"""The data input of an ONNX model: which it is, and what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnx.helper
import torch

from vqrom_hw.errors import VqromError

RANKS = (2, 3, 4)
"""Numbers of axes that an input may have."""

UNUSUAL = 7919
"""A number of images that no other size is likely to be equal to."""

INTEGERS = (onnx.TensorProto.UINT8, onnx.TensorProto.INT8, onnx.TensorProto.INT32,
            onnx.TensorProto.INT64)
"""Integer types that an input may have if it becomes float32 at once."""


@dataclass(frozen=True)
class DataInput:
    """The input of a model that changes from run to run.

    Members
    -------
    name:
        Its name in the file.
    shape:
        Shape of one input, ``(1, ...)``.
    batch:
        Number of images that the file fixes, or None if it takes any. It is 1 where other inputs
        have fixed values, as those are for one image.
    kind:
        The file's numpy type of it; the module takes float32 in any case.
    fixed:
        Values of the model's other inputs, by name.
    """

    name: str
    shape: tuple[int, ...]
    batch: int | None
    kind: np.dtype
    fixed: Mapping[str, np.ndarray]

    @property
    def integers(self) -> bool:
        """Whether only integers may be in it."""
        return self.kind.kind in "iu"

    def probes(self, batches: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Random inputs of two numbers of images, always the same."""
        generator = torch.Generator().manual_seed(1)
        first, second = (torch.randn((batch, *self.shape[1:]), generator=generator)
                         for batch in batches)
        return (first.round(), second.round()) if self.integers else (first, second)

    def for_any_batch(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """A copy of the model that fixes neither the number of images nor what follows from it."""
        copy = self._copy(model)
        for entry in copy.graph.input:
            if entry.name == self.name:
                entry.type.tensor_type.shape.dim[0].dim_param = "images"
        return copy

    def for_conversion(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """A copy of the model with a number of images, which converters of old files need."""
        copy = self._copy(model)
        for entry in copy.graph.input:
            if entry.name == self.name:
                entry.type.tensor_type.shape.dim[0].dim_value = self.batch or UNUSUAL
        return copy

    def _copy(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """A copy with all sizes of the input but the first, and none of other tensors."""
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        for entry in copy.graph.input:
            if entry.name == self.name:
                # Converters may drop the shape of an input.
                del entry.type.tensor_type.shape.dim[:]
                for size in self.shape:
                    entry.type.tensor_type.shape.dim.add().dim_value = size
        del copy.graph.value_info[:]
        for entry in copy.graph.output:
            entry.type.tensor_type.ClearField("shape")
        return copy


def find_source(model: onnx.ModelProto, example_shape: Sequence[int],
                fixed: Mapping[str, np.ndarray]) -> DataInput:
    """Find the data input of a model.

    Parameters
    ----------
    model:
        The model as it is in the file.
    example_shape:
        Shape of one input; may be empty if the file has all sizes.
    fixed:
        Values of other inputs, by name.

    Raises
    ------
    VqromError
        If there is no such input, or several, or its type or shape is not known here.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    free = [entry for entry in model.graph.input if entry.name not in weights]
    unknown = sorted(set(fixed) - {entry.name for entry in free})
    if unknown:
        raise VqromError(f"values must be for inputs of the model, not for {unknown[0]!r}")
    free = [entry for entry in free if entry.name not in fixed]
    if len(free) != 1:
        names = ", ".join(repr(entry.name) for entry in free) or "none"
        raise VqromError(f"must have one data input, not {len(free)}: {names}")
    entry = free[0]
    kind = _kind(model, entry)
    if not entry.type.tensor_type.HasField("shape"):
        raise VqromError(f"input {entry.name!r} must have a shape")
    sizes = [size.dim_value if size.dim_value > 0 else 0
             for size in entry.type.tensor_type.shape.dim]
    if len(sizes) not in RANKS:
        raise VqromError(f"input {entry.name!r} must have 2, 3 or 4 axes, the first for images, "
                         f"not {len(sizes)}")
    shape = _shape(entry, sizes, example_shape)
    # Values of further inputs are those for one image.
    return DataInput(entry.name, shape, 1 if fixed else sizes[0] or None, kind, dict(fixed))


def _shape(entry: onnx.ValueInfoProto, sizes: Sequence[int], example: Sequence[int]
           ) -> tuple[int, ...]:
    """Shape of one input, from the file and the example."""
    if not example:
        if 0 in sizes[1:]:
            named = [size.dim_value if size.dim_value > 0 else size.dim_param or "?"
                     for size in entry.type.tensor_type.shape.dim]
            raise VqromError(
                f"input {entry.name!r} leaves sizes open: {', '.join(map(str, named))}; "
                "the shape of an example input must be given")
        return 1, *sizes[1:]
    fits = len(example) == len(sizes) and all(
        size in (0, given) for size, given in zip(sizes[1:], example[1:], strict=True))
    if not fits or min(example) < 1:
        raise VqromError(f"input {entry.name!r} must have the shape "
                         f"({', '.join(str(size or 'any') for size in sizes)}), "
                         f"not {tuple(example)!r}")
    return 1, *(int(size) for size in example[1:])


def _kind(model: onnx.ModelProto, entry: onnx.ValueInfoProto) -> np.dtype:
    """numpy type of the input, which must be float32, or become so at once."""
    kind = entry.type.tensor_type.elem_type
    readers = [node for node in model.graph.node if entry.name in node.input]
    becomes = all(node.op_type == "Cast" and any(
        attribute.name == "to" and attribute.i == onnx.TensorProto.FLOAT
        for attribute in node.attribute) for node in readers)
    if kind != onnx.TensorProto.FLOAT and not (kind in INTEGERS and becomes):
        name = onnx.TensorProto.DataType.Name(kind)
        raise VqromError(f"input {entry.name!r} must be FLOAT, or integers that Cast makes FLOAT "
                         f"at once, not {name}")
    return onnx.helper.tensor_dtype_to_np_dtype(kind)
