"""A queue whose head stands in registers."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out


class HeadFifo(wiring.Component):
    """A first-in, first-out queue: what is put in can be taken out in the next cycle.

    The head is a register and not the output of a memory, so that what reads it begins a new path
    of logic, without a memory's access before it. Otherwise it behaves as Amaranth's ``SyncFIFO``
    of the same depth, in the same cycles.

    Parameters
    ----------
    width:
        Bits of an entry.
    depth:
        Entries that it holds, at least 1.

    Members
    -------
    i: ``In(stream.Signature(width))``
        Entries to put in; ready while there is room, whether one leaves in the cycle or not.
    o: ``Out(stream.Signature(width))``
        The entry that came first.
    level: ``Out(range(depth + 1))``
        Entries in it.
    """

    i: stream.Interface
    o: stream.Interface
    level: Signal

    def __init__(self, width: int, depth: int) -> None:
        self._width = width
        self._depth = depth
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(width)),
                          "level": Out(range(depth + 1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        head, full = Signal(self._width, reset_less=True), Signal()
        put, free = Signal(), Signal()
        m.d.comb += [
            put.eq(self.i.valid & self.i.ready), free.eq(~full | self.o.ready),
            self.o.valid.eq(full), self.o.payload.eq(head),
        ]
        if self._depth == 1:
            m.d.comb += [self.i.ready.eq(~full), self.level.eq(full)]
            with m.If(free):
                m.d.sync += [head.eq(self.i.payload), full.eq(put)]
            return m
        # There is a tail only behind a head.
        m.submodules.tail = tail = fifo.SyncFIFO(width=self._width, depth=self._depth - 1)
        m.d.comb += [
            self.i.ready.eq(tail.w_rdy), self.level.eq(tail.level + full),
            tail.w_data.eq(self.i.payload), tail.w_en.eq(put & (tail.r_rdy | ~free)),
            tail.r_en.eq(free),
        ]
        with m.If(free):
            m.d.sync += [head.eq(Mux(tail.r_rdy, tail.r_data, self.i.payload)),
                         full.eq(tail.r_rdy | put)]
        return m
