"""Types of ``amaranth.lib.stream``."""

from typing import Any

from amaranth.hdl import ShapeLike, Signal
from amaranth.lib import wiring

class Signature(wiring.Signature):
    def __init__(self, payload_shape: ShapeLike) -> None: ...

class Interface:
    # A signal, or a view if the payload's shape is a layout.
    payload: Any
    valid: Signal
    ready: Signal
