"""The address generator: an affine loop nest over a feature map, without multipliers."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.errors import VqromError
from vqrom_hw.isa import ADDRESS, LEVELS, nest_layout


class LoopNest(wiring.Component):
    """Walk nested loops over a feature map, one iteration of the innermost loop a cycle.

    The order in which a convolution reads its input (im2col), or a pooling layer its windows, is a
    nest of loops over kernel rows, kernel columns, channels and output pixels. The compiler
    flattens it: each loop, here called a level, has a count, and says what one iteration adds to
    the word address (``stride``) and to the coordinates in the map (``dy``, ``dx``). So the
    hardware only adds, whatever the layer. Each level keeps the address at which its present
    iteration began; when a level goes on, all levels below restart from there.

    Windows reach over the edge of a map where a layer pads. Addresses may then lie outside;
    ``inside`` tells from the coordinates whether they do.

    Parameters
    ----------
    levels:
        Number of loops, innermost first.

    Members
    -------
    nest: ``In(nest_layout)``
        Loop counts (at least 1), strides, start and size of the map; steady while ``active``.
    start: ``In(1)``
        Present the first iteration from the next cycle on.
    active: ``Out(1)``
        An iteration is presented.
    step: ``In(1)``
        Present the next iteration from the next cycle on; after the last one ``active`` falls.
    address: ``Out(20)``
        Word address of this iteration; meaningful when ``inside``.
    inside: ``Out(1)``
        The coordinates of this iteration lie in the map.
    first: ``Out(levels)``
        Bit ``l``: level ``l`` is at its first iteration.
    last: ``Out(levels)``
        Bit ``l``: level ``l`` is at its last iteration.

    Raises
    ------
    VqromError
        If ``levels`` is not in 1..``LEVELS``.
    """

    nest: data.View
    start: Signal
    active: Signal
    step: Signal
    address: Signal
    inside: Signal
    first: Signal
    last: Signal

    def __init__(self, levels: int = LEVELS) -> None:
        if not 1 <= levels <= LEVELS:
            raise VqromError(f"levels must be in 1..{LEVELS}, not {levels!r}")
        self._levels = levels
        super().__init__({
            "nest": In(nest_layout),
            "start": In(1),
            "active": Out(1),
            "step": In(1),
            "address": Out(ADDRESS),
            "inside": Out(1),
            "first": Out(levels),
            "last": Out(levels),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        nest = self.nest
        counts = [Signal(16, name=f"count_{level}") for level in range(self._levels)]
        addresses = [Signal.like(nest.base, name=f"address_{level}")
                     for level in range(self._levels)]
        rows = [Signal.like(nest.y0, name=f"y_{level}") for level in range(self._levels)]
        columns = [Signal.like(nest.x0, name=f"x_{level}") for level in range(self._levels)]
        for level in range(self._levels):
            m.d.comb += [
                self.first[level].eq(counts[level] == 0),
                self.last[level].eq(counts[level] == nest.levels[level].count - 1),
            ]
        m.d.comb += [
            self.address.eq(addresses[0]),
            self.inside.eq((rows[0] >= 0) & (rows[0] < nest.height)
                           & (columns[0] >= 0) & (columns[0] < nest.width)),
        ]
        with m.If(self.start):
            m.d.sync += self.active.eq(1)
            for level in range(self._levels):
                m.d.sync += [counts[level].eq(0), addresses[level].eq(nest.base),
                             rows[level].eq(nest.y0), columns[level].eq(nest.x0)]
        with m.Elif(self.step):
            self._advance(m, counts, addresses, rows, columns)
        return m

    def _advance(self, m: Module, counts: list[Signal], addresses: list[Signal],
                 rows: list[Signal], columns: list[Signal]) -> None:
        """The lowest unfinished level goes on; all levels below restart from where it now is."""
        for level in range(self._levels):
            loop = self.nest.levels[level]
            with (m.If if level == 0 else m.Elif)(~self.last[level]):
                m.d.sync += counts[level].eq(counts[level] + 1)
                for lower in range(level + 1):
                    m.d.sync += [
                        addresses[lower].eq(addresses[level] + loop.stride),
                        rows[lower].eq(rows[level] + loop.dy),
                        columns[lower].eq(columns[level] + loop.dx),
                    ]
                    if lower < level:
                        m.d.sync += counts[lower].eq(0)
        with m.Else():
            m.d.sync += self.active.eq(0)
