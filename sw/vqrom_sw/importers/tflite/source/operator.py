"""One operator of a TFLite file, of which nothing may be overlooked.

Options are asked for by name. In the end, one that nobody asked for must have the value that the
schema gives it where a file says nothing; so an option that was forgotten is never ignored.
"""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from vqrom_hw.errors import VqromError


def names_of(enumeration: type) -> dict[int, str]:
    """The names of the numbers of one of the schema's enumerations."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


KINDS = sorted(names_of(schema.BuiltinOperator).values())
"""The names of all operators of the schema."""

ACTIVATIONS = names_of(schema.ActivationFunctionType)
"""The names of fused activations."""

TYPES = names_of(schema.TensorType)
"""The names of tensors' types."""


class TfliteOperator:
    """An operator: its kind, its tensors and its options.

    Parameters
    ----------
    number:
        Its place in the order of execution, from 0.
    kind:
        Its name in the schema, e.g. ``CONV_2D``.
    entry:
        The schema's object.

    Members
    -------
    inputs, outputs:
        Numbers of the tensors that it reads and makes; -1 for an input that is left out.
    intermediates:
        Numbers of tensors that hold scales of values within the operator.
    name:
        Name for what it makes, e.g. ``conv_2d_7``.
    """

    def __init__(self, number: int, kind: str, entry: Any):
        self.number, self.kind = number, kind
        self.inputs, self.outputs, self.intermediates = (
            [] if tensors is None else [int(tensor) for tensor in tensors]
            for tensors in (entry.inputs, entry.outputs, entry.intermediates))
        self.name = f"{kind.lower().replace(' ', '_')}_{number}"
        self._options, self._others = entry.builtinOptions, entry.builtinOptions2
        self._asked: set[str] = set()

    def error(self, reason: str) -> VqromError:
        """Make an error that names the operator."""
        return VqromError(f"operator {self.number} ({self.kind}): {reason}")

    def input(self, place: int) -> int:
        """The number of the tensor at a place of the inputs; -1 if there is none."""
        return self.inputs[place] if place < len(self.inputs) else -1

    def option(self, group: str, name: str) -> Any:
        """Take an option.

        Parameters
        ----------
        group:
            The schema's name for the operator's options, e.g. ``Conv2DOptions``.
        name:
            The schema's name for the option, e.g. ``strideH``.

        Raises
        ------
        VqromError
            If the file has options of another kind.
        """
        own = getattr(schema, f"{group}T")
        if self._options is not None and not isinstance(self._options, own):
            raise self.error(f"must have {group}, not {type(self._options).__name__[:-1]}")
        self._asked.add(name)
        return getattr(own() if self._options is None else self._options, name)

    def activation(self, group: str) -> str:
        """The name of the fused activation, e.g. ``RELU``, or ``NONE``."""
        number = self.option(group, "fusedActivationFunction")
        if number not in ACTIVATIONS:
            raise self.error(f"fused activation {number!r} is not known")
        return ACTIVATIONS[number]

    def finish(self) -> None:
        """Refuse options that nobody asked for.

        Raises
        ------
        VqromError
            If such an option has another value than where the file says nothing.
        """
        if self._others is not None:
            raise self.error(f"options {type(self._others).__name__[:-1]} are not known")
        if self._options is None:
            return
        usual = vars(type(self._options)())
        for name, value in vars(self._options).items():
            empty = value is None or (hasattr(value, "__len__") and not len(value))
            if name not in self._asked and not empty and value != usual[name]:
                raise self.error(f"option {name} must not be {value!r}, which is not understood")
