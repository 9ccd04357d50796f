"""One request to the DMA for each LOAD or STORE, made when the command may begin."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class TransferRequest(wiring.Component):
    """Ask the DMA for a command's transfer exactly once.

    The command at the head of a queue stands there for many cycles, from when it may begin until
    the unit has carried it out, but the DMA must be asked once. This little state machine
    remembers that it was.

    Members
    -------
    begin: ``In(1)``
        A command may begin; it stays so until the command is finished.
    finish: ``In(1)``
        The last cycle of that command.
    request: ``Out(1)``
        Ask the DMA, from the cycle of ``begin`` on until it accepts.
    accepted: ``In(1)``
        The DMA takes the request in this cycle.
    requested: ``Out(1)``
        The DMA has taken the request in an earlier cycle of this command.
    """

    begin: Signal
    finish: Signal
    request: Signal
    accepted: Signal
    requested: Signal

    def __init__(self) -> None:
        super().__init__({"begin": In(1), "finish": In(1), "request": Out(1), "accepted": In(1),
                          "requested": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.request.eq(self.begin & ~self.requested)
        with m.If(self.finish):
            m.d.sync += self.requested.eq(0)
        with m.Elif(self.request & self.accepted):
            m.d.sync += self.requested.eq(1)
        return m
