"""Command queues: what each unit will do, held back until what it waits for is done."""

from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import POSITION, Unit, wait_layout
from vqrom_hw.lib import HeadFifo


def entry_layout(body: data.Layout) -> data.StructLayout:
    """Layout of a queued command.

    Members
    -------
    position, layer:
        Position of the command in the program, which an error reports, and the layer for which its
        cycles are counted.
    wait:
        How many commands of each unit must be finished before it may begin.
    body:
        What the unit needs of the command's body, in the layout that was passed.
    """
    return data.StructLayout({"position": unsigned(POSITION), "layer": unsigned(12),
                              "wait": wait_layout, "body": body})


class CommandQueue(wiring.Component):
    """Commands for one unit, each held back until the commands that it depends on are finished.

    The queue lets units run apart from each other: the command processor goes on while a unit
    works, and the unit needs no knowledge of others. Commands leave in the order in which they
    came; one that is put in is offered in the next cycle at best. A unit takes a command when it
    has finished it, so that the one in progress stays at the head and counts in ``depth``.

    Parameters
    ----------
    body:
        Layout of the part of a command's body that the unit reads.
    depth:
        Commands that the queue holds, the one in progress included.
    waits:
        Whether commands are held back by their wait counts.

    Members
    -------
    i: ``In(stream.Signature(entry_layout(body)))``
        Commands from the command processor.
    o: ``Out(stream.Signature(entry_layout(body)))``
        The command in progress; valid only when each unit has finished as many commands as it
        waits for.
    completed: ``In(wait_layout)``
        Commands that each unit has finished since the program's start, modulo 2**16.
    empty: ``Out(1)``
        No command waits or is in progress.
    """

    i: stream.Interface
    o: stream.Interface
    completed: data.View
    empty: Signal

    def __init__(self, body: data.Layout, depth: int, waits: bool = True) -> None:
        self._depth = depth
        self._waits = waits
        self._layout = entry_layout(body)
        super().__init__({
            "i": In(stream.Signature(self._layout)), "o": Out(stream.Signature(self._layout)),
            "completed": In(wait_layout), "empty": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.entries = entries = HeadFifo(self._layout.size, self._depth)
        head = self.o.payload
        behind = Signal(len(Unit))
        if self._waits:
            for unit in Unit:
                name = unit.name.lower()
                distance = Signal(signed(16), name=f"distance_{name}")
                m.d.comb += [distance.eq(self.completed[name] - head.wait[name]),
                             behind[unit].eq(distance < 0)]
        m.d.comb += [
            entries.i.payload.eq(Cat(self.i.payload)), entries.i.valid.eq(self.i.valid),
            self.i.ready.eq(entries.i.ready), head.eq(entries.o.payload),
            self.o.valid.eq(entries.o.valid & ~behind.any()),
            entries.o.ready.eq(self.o.valid & self.o.ready),
            self.empty.eq(~entries.o.valid),
        ]
        return m
