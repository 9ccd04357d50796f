"""The sequencer: walks the activations of a COMPUTE or MAXPOOL command."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .accumulators import HALVES
from .commands import ADDRESS, LEVELS, nest_layout
from .loop_nest import LoopNest

PIXEL_LEVELS = slice(0, 2)
"""Innermost loops: the pixels of a tile, or the positions of a pooling window."""
REDUCTION_LEVELS = slice(2, 5)
"""Loops over the tiles that are summed up in one column tile."""


def beat_layout(pixels: int) -> data.StructLayout:
    """What goes along with a word of activations.

    ``first``: first of a tile (swap the weights) or of a window; ``last``: last of a window;
    ``set``: first tile of a sum; ``finish``: last word of a column tile; ``inside``: not padding;
    ``half``, ``pixel``: accumulator.
    """
    return data.StructLayout({"valid": 1, "inside": 1, "first": 1, "last": 1, "set": 1,
                              "finish": 1, "half": 1, "pixel": range(pixels)})


class Sequencer(wiring.Component):
    """One word of activations per cycle, held back only at tile boundaries.

    A tile begins when its weights are in the shadow registers; a column tile, moreover, when its
    half of the accumulators is free. The order of all other events follows from the command.

    Members
    -------
    nest: ``In(nest_layout)``, pooling: ``In(1)``
        The command's fields, steady until ``active`` falls.
    start: ``In(1)``, active: ``Out(1)``
        Begin; words are still to come.
    weights_full: ``In(1)``, take: ``Out(1)``
        Handshake with the weight loader.
    release: ``In(2)``
        Halves that post-processing has read.
    read: ``Out(1)``, read_address: ``Out(20)``
        Activation buffer read.
    beat: ``Out(beat_layout)``
        Side band of the word that the buffer delivers in this cycle.
    wait_weights, wait_accumulators: ``Out(1)``
        Why no word is issued in this cycle.
    """

    def __init__(self, pixels: int):
        self._pixels = pixels
        super().__init__({
            "nest": In(nest_layout), "pooling": In(1), "start": In(1), "active": Out(1),
            "weights_full": In(1), "take": Out(1), "release": In(HALVES),
            "read": Out(1), "read_address": Out(ADDRESS), "beat": Out(beat_layout(pixels)),
            "wait_weights": Out(1), "wait_accumulators": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.loop_nest = nest = LoopNest(LEVELS)
        pixel, half = Signal(range(self._pixels)), Signal()
        claimed = Signal(HALVES)
        tile_first, tile_last = nest.first[PIXEL_LEVELS].all(), nest.last[PIXEL_LEVELS].all()
        sum_first, sum_last = nest.first[REDUCTION_LEVELS].all(), nest.last[REDUCTION_LEVELS].all()
        step, blocked = Signal(), Signal()

        m.d.comb += [
            nest.nest.eq(self.nest), nest.start.eq(self.start), self.active.eq(nest.active),
            self.wait_accumulators.eq(nest.active & ~self.pooling & tile_first & sum_first
                                      & claimed.bit_select(half, 1)),
            self.wait_weights.eq(nest.active & ~self.pooling & tile_first & ~self.weights_full
                                 & ~self.wait_accumulators),
            blocked.eq(self.wait_accumulators | self.wait_weights),
            step.eq(nest.active & ~blocked), nest.step.eq(step),
            self.take.eq(step & tile_first & ~self.pooling),
            self.read.eq(step & nest.inside), self.read_address.eq(nest.address),
        ]
        m.d.sync += [
            self.beat.valid.eq(step), self.beat.inside.eq(nest.inside),
            self.beat.first.eq(tile_first), self.beat.last.eq(tile_last),
            self.beat.set.eq(sum_first), self.beat.finish.eq(tile_last & sum_last),
            self.beat.half.eq(half), self.beat.pixel.eq(pixel),
        ]
        claim = Signal(HALVES)
        with m.If(step & ~self.pooling):
            m.d.sync += pixel.eq(Mux(tile_last, 0, pixel + 1))
            m.d.comb += claim.eq(Mux(tile_first & sum_first, 1 << half, 0))
            with m.If(tile_last & sum_last):
                m.d.sync += half.eq(~half)
        m.d.sync += claimed.eq((claimed | claim) & ~self.release)
        with m.If(self.start):
            m.d.sync += [pixel.eq(0), half.eq(0), claimed.eq(0)]
        return m
