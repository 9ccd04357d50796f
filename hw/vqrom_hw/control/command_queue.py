"""Command queues: what a unit will do, held back until what it waits for is done."""

from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import POSITION, Unit, wait_layout


def entry_layout(body: data.Layout) -> data.StructLayout:
    """A queued command: position in the program, layer, what it waits for, and what a unit needs
    of its body."""
    return data.StructLayout({"position": unsigned(POSITION), "layer": unsigned(12),
                              "wait": wait_layout, "body": body})


class CommandQueue(wiring.Component):
    """Commands for one unit, in order. One that is put in is offered in the next cycle at best.

    Parameters
    ----------
    body:
        Layout of the part of a command's body that the unit reads.
    depth:
        Commands that it holds, the one in progress included.
    waits:
        Whether commands are held back by their wait counts.

    Members
    -------
    i: ``In(stream.Signature(entry_layout(body)))``
        From the command processor.
    o: ``Out(stream.Signature(entry_layout(body)))``
        To the unit; valid only when each unit has finished as many commands as the head waits for.
    completed: ``In(wait_layout)``
        Commands that each unit has finished, modulo 2**16.
    empty: ``Out(1)``
        No command waits or is in progress.
    """

    def __init__(self, body: data.Layout, depth: int, waits: bool = True):
        self._depth = depth
        self._waits = waits
        self._layout = entry_layout(body)
        super().__init__({
            "i": In(stream.Signature(self._layout)), "o": Out(stream.Signature(self._layout)),
            "completed": In(wait_layout), "empty": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.entries = entries = fifo.SyncFIFO(width=self._layout.size, depth=self._depth)
        head = self.o.payload
        behind = Signal(len(Unit))
        if self._waits:
            for unit in Unit:
                name = unit.name.lower()
                distance = Signal(signed(16), name=f"distance_{name}")
                m.d.comb += [distance.eq(self.completed[name] - head.wait[name]),
                             behind[unit].eq(distance < 0)]
        m.d.comb += [
            entries.w_data.eq(Cat(self.i.payload)), entries.w_en.eq(self.i.valid),
            self.i.ready.eq(entries.w_rdy), head.eq(entries.r_data),
            self.o.valid.eq(entries.r_rdy & ~behind.any()),
            entries.r_en.eq(self.o.valid & self.o.ready),
            self.empty.eq(~entries.r_rdy),
        ]
        return m
