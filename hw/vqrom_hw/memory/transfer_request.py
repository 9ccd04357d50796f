"""One DMA request per LOAD or STORE, when the command may begin."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class TransferRequest(wiring.Component):
    """Asks for the transfer of a command exactly once.

    Members
    -------
    begin: ``In(1)``, finish: ``In(1)``
        A command may begin, and stays until it is finished; its last cycle.
    request: ``Out(1)``, accepted: ``In(1)``
        Request of the DMA, and its answer in the same cycle.
    requested: ``Out(1)``
        The DMA has taken the request in an earlier cycle of this command.
    """

    def __init__(self):
        super().__init__({"begin": In(1), "finish": In(1), "request": Out(1), "accepted": In(1),
                          "requested": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.request.eq(self.begin & ~self.requested)
        with m.If(self.finish):
            m.d.sync += self.requested.eq(0)
        with m.Elif(self.request & self.accepted):
            m.d.sync += self.requested.eq(1)
        return m
