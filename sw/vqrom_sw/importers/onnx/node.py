"""A node of an ONNX graph as the operators' functions see it: nothing of it may be overlooked.

Each attribute and each input is asked for by name or place. What nobody asked for is refused in the
end, so that a new attribute of the standard, or one that was forgotten, is never ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import onnx
import onnx.helper
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.imported_module import Call, WithConstants

from .values import Data, Static, Value, as_tensor, repeated

T = TypeVar("T")
"""What an attribute holds."""


class Surroundings(Protocol):
    """What a node needs to know of the graph that it stands in.

    Members
    -------
    batch:
        Number of images that the file fixes, or None.
    """

    batch: int | None

    def spread(self, value: Static) -> Data | None:
        """Make a tensor of a value that grows with the images and is the same for each, or None."""
        ...

    def is_read(self, name: str) -> bool:
        """Whether a node, or the user, reads the tensor."""
        ...


class OnnxNode:
    """One node with what is known of its inputs.

    Parameters
    ----------
    proto:
        The node.
    values:
        What is known of each input; None for one that is left out.
    version:
        Operator set of the model.
    around:
        The graph.

    Members
    -------
    kind:
        Name of the operator.
    version:
        Operator set of the model.
    operands:
        The computed tensors that the node's part gets, in the order in which they were asked for.
    """

    def __init__(self, proto: onnx.NodeProto, values: Sequence[Value | None], version: int,
                 around: Surroundings):
        self.kind, self.version = proto.op_type, version
        self.operands: list[Data] = []
        self._proto, self._values, self._around = proto, list(values), around
        self._attributes = {attribute.name: attribute for attribute in proto.attribute}
        self._seen: set[int] = set()

    @property
    def batch(self) -> int | None:
        """Number of images that the file fixes, or None."""
        return self._around.batch

    @property
    def inputs(self) -> int:
        """Number of inputs, those that are left out among them."""
        return len(self._values)

    @property
    def results(self) -> int:
        """How many results the node lists, those without a name among them."""
        return len(self._proto.output)

    @property
    def name(self) -> str:
        """The node's own name, or that of its first result."""
        return self._proto.name or next(iter(self._proto.output), self.kind)

    def error(self, reason: str) -> VqromError:
        """Make an error that names the node and its operator."""
        return VqromError(f"node {self.name!r} ({self.kind}): {reason}")

    def attribute(self, name: str, default: T) -> T | Any:
        """Take an attribute's value, as text where it is text, or the default."""
        found = self._attributes.pop(name, None)
        if found is None:
            return default
        value: Any = onnx.helper.get_attribute_value(found)
        return value.decode() if isinstance(value, bytes) else value

    def required(self, name: str) -> Any:
        """Take the value of an attribute that must be there.

        Raises
        ------
        VqromError
            If it is not.
        """
        if name not in self._attributes:
            raise self.error(f"attribute {name} must be given")
        return self.attribute(name, None)

    def expect(self, name: str, default: T, allowed: Sequence[T]) -> T | Any:
        """Take an attribute of which only some values are understood.

        Raises
        ------
        VqromError
            If it has another value.
        """
        value = self.attribute(name, default)
        if value not in allowed:
            raise self.error(f"{name} must be {' or '.join(map(str, allowed))}, not {value!r}")
        return value

    def ignore(self, *names: str) -> None:
        """Take attributes that do not change the result."""
        for name in names:
            self._attributes.pop(name, None)

    def value(self, place: int) -> Value | None:
        """Take what is known of an input; None if it is left out."""
        self._seen.add(place)
        return self._values[place] if place < len(self._values) else None

    def has(self, place: int) -> bool:
        """Whether an input is there; it still must be taken."""
        return place < len(self._values) and self._values[place] is not None

    def data(self, place: int = 0) -> Data:
        """Take an input that is computed, as an operand of the node's part.

        Raises
        ------
        VqromError
            If it is constant, absent, or grows with the images in a way that is not understood.
        """
        found = self.operand(place)
        if not isinstance(found, Data):
            raise self.error(f"input {place} must be computed, not constant")
        return found

    def operand(self, place: int) -> Data | torch.Tensor:
        """Take an input: a computed tensor becomes an operand, a constant is returned.

        Raises
        ------
        VqromError
            If it is absent, or grows with the images in a way that is not understood.
        """
        value = self.value(place)
        if value is None:
            raise self.error(f"input {place} must be given")
        if isinstance(value, Static):
            if value.constant:
                return as_tensor(self._for_one_image(value.at[0]))
            value = self._around.spread(value)
            if value is None:
                raise self.error(f"input {place} depends on the number of images")
        self.operands.append(value)
        return value

    def _for_one_image(self, value: np.ndarray) -> np.ndarray:
        """A constant that holds the same for each image of a fixed batch, for one of them."""
        for data in self._values:
            if isinstance(data, Data) and data.images is not None and self.batch not in (None, 1):
                axis = data.images[0] - data.rank + value.ndim
                if 0 <= axis < value.ndim and value.shape[axis] == self.batch * data.images[1]:
                    single = repeated(value, axis)
                    return value if single is None else single
        return value

    def static(self, place: int) -> Static:
        """Take an input that depends on shapes at most.

        Raises
        ------
        VqromError
            If it depends on the network's input, or is absent.
        """
        value = self.value(place)
        if not isinstance(value, Static):
            raise self.error(f"input {place} must be constant")
        return value

    def constant(self, place: int) -> np.ndarray:
        """Take a constant input.

        Raises
        ------
        VqromError
            If it is not constant, or absent.
        """
        value = self.static(place)
        if not value.constant:
            raise self.error(f"input {place} must not depend on the number of images")
        return value.at[0]

    def optional(self, place: int) -> np.ndarray | None:
        """Take a constant input, or None if it is left out."""
        return self.constant(place) if self.has(place) else None

    def weight(self, place: int) -> torch.Tensor:
        """Take a constant input as float32."""
        return as_tensor(self.constant(place)).float()

    def integers(self, place: int) -> list[int] | None:
        """Take a constant input of integers, or None if it is left out."""
        value = self.optional(place)
        return None if value is None else [int(item) for item in np.asarray(value).reshape(-1)]

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front.

        Raises
        ------
        VqromError
            If there is no such axis.
        """
        if not -rank <= axis < max(rank, 1):
            raise self.error(f"axis must be {-rank} to {rank - 1}, not {axis}")
        return axis % rank if rank else 0

    def size(self, data: Data, axis: int) -> int:
        """Size of an axis, which must not be that of the images.

        Raises
        ------
        VqromError
            If it is.
        """
        size = data.size(axis)
        if size is None:
            raise self.error(f"axis {axis} must not be that of the images")
        return size

    def apply(self, function: Callable[..., Any], places: Sequence[int] | None = None
              ) -> nn.Module:
        """Make a part that calls a function with inputs, computed and constant ones alike.

        Parameters
        ----------
        function:
            What gets the inputs' tensors.
        places:
            Which inputs; by default all.
        """
        operands = [self.operand(place) for place
                    in (range(self.inputs) if places is None else places)]
        if all(isinstance(operand, Data) for operand in operands):
            return Call(function)
        return WithConstants(function, [None if isinstance(operand, Data) else operand
                                        for operand in operands])

    def unread(self, place: int, what: str) -> None:
        """Refuse a further result that somebody reads.

        Raises
        ------
        VqromError
            If the node has that result, and it is read.
        """
        names = self._proto.output
        if place < len(names) and names[place] and self._around.is_read(names[place]):
            raise self.error(f"result {place} ({what}) must not be read")

    def finish(self) -> None:
        """Refuse attributes and inputs that nobody took.

        Raises
        ------
        VqromError
            If there are any; the message names the first.
        """
        if self._attributes:
            raise self.error(f"attribute {min(self._attributes)!r} is not understood")
        for place, value in enumerate(self._values):
            if value is not None and place not in self._seen:
                raise self.error(f"input {place} is not understood")
