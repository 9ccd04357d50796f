"""Types of ``amaranth.lib.memory``."""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import ShapeLike, Signal
from amaranth.lib import wiring

class ReadPort:
    # A signal, or a view if the memory's shape is a layout.
    data: Any
    addr: Signal
    en: Signal

class WritePort:
    data: Any
    addr: Signal
    en: Signal

class Memory(wiring.Component):
    def __init__(self, *, shape: ShapeLike, depth: int, init: Iterable[Any]) -> None: ...
    def read_port(self, *, domain: str = ...) -> ReadPort: ...
    def write_port(self, *, domain: str = ..., granularity: int | None = ...) -> WritePort: ...
