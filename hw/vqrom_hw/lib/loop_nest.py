"""The address generator: an affine loop nest over a feature map, without multipliers."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.errors import VqromError
from vqrom_hw.isa import ADDRESS, LEVELS, nest_layout

COORDINATE = 16


class LoopNest(wiring.Component):
    """Walk ``levels`` nested loops, one iteration of the innermost a cycle.

    Each level adds its ``stride`` to the word address and ``dy``, ``dx`` to the coordinates per
    iteration; the im2col order of a convolution and the windows of a pooling layer are choices of
    these numbers. Addresses may leave the feature map; ``inside`` says whether they do.

    Parameters
    ----------
    levels:
        Loops, innermost first.

    Members
    -------
    nest: ``In(nest_layout)``
        Loop counts (at least 1), strides, start and feature map size; steady while ``active``.
    start: ``In(1)``
        Begin at the first iteration in the next cycle.
    active: ``Out(1)``
        An iteration is presented.
    step: ``In(1)``
        Go on to the next iteration; after the last one ``active`` falls.
    address: ``Out(20)``
        Word of this iteration; meaningful when ``inside``.
    inside: ``Out(1)``
        The coordinates lie in the feature map.
    first, last: ``Out(levels)``
        Bit ``l``: level ``l`` is at its first, last iteration.
    """

    def __init__(self, levels: int = LEVELS):
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

    def elaborate(self, platform):
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

    def _advance(self, m, counts, addresses, rows, columns):
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
