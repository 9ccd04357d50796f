"""Which of several operations a command has."""

from collections.abc import Iterable

from amaranth.hdl import Cat, Value

from vqrom_hw.isa import VectorOp


def is_one_of(operation: Value, operations: Iterable[VectorOp]) -> Value:
    """Whether ``operation`` is among ``operations``; 1 bit."""
    return Cat(operation == each for each in operations).any()
