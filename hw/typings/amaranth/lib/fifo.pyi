"""Types of ``amaranth.lib.fifo``."""

from amaranth.hdl import Elaboratable, Signal

class FIFOInterface:
    width: int
    depth: int
    w_data: Signal
    w_rdy: Signal
    w_en: Signal
    w_level: Signal
    r_data: Signal
    r_rdy: Signal
    r_en: Signal
    r_level: Signal
    def __init__(self, *, width: int, depth: int) -> None: ...

class SyncFIFO(Elaboratable, FIFOInterface):
    level: Signal

class SyncFIFOBuffered(Elaboratable, FIFOInterface):
    level: Signal
