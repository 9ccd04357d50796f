"""How long a reset accelerator waits for answers to what it asked before the reset."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

SETTLE_CYCLES = 1024
"""The bus must not pause longer than this between answers to what was asked before a reset."""


class SettleTimer(wiring.Component):
    """Tell when nothing more can arrive that was asked for before a reset.

    A reset makes the DMA forget its requests, while the bus, if it is not reset with it, goes on to
    answer them. What arrives then is dropped, but it could be taken for the answer to a later
    request. So nothing may be asked until the bus has been silent for :data:`SETTLE_CYCLES`.

    Members
    -------
    stray: ``In(1)``
        Something has arrived in this cycle that nothing waits for.
    settled: ``Out(1)``
        The bus has been silent for long enough since the reset.
    """

    stray: Signal
    settled: Signal

    def __init__(self) -> None:
        super().__init__({"stray": In(1), "settled": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        silent = Signal(range(SETTLE_CYCLES + 1))
        m.d.comb += self.settled.eq(silent == SETTLE_CYCLES)
        m.d.sync += silent.eq(Mux(self.stray, 0, silent + ~self.settled))
        return m
