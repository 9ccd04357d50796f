"""The sequencer: walks the activations of COMPUTE commands."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import ADDRESS, LEVELS, nest_layout
from vqrom_hw.lib import LoopNest

from .accumulators import HALVES

PIXEL_LEVELS = slice(0, 2)
"""Innermost loops: the pixels of a tile."""
REDUCTION_LEVELS = slice(2, 5)
"""Loops over the tiles that are summed up in one column tile; the last loop is over those."""

array_command_layout = data.StructLayout({"nest": nest_layout, "pad_value": signed(8)})
"""What the array needs of a COMPUTE."""


def beat_layout(pixels: int) -> data.StructLayout:
    """What goes along with a word of activations.

    ``first``: first of a tile (swap the weights); ``set``: first tile of a sum; ``finish``: last
    word of a column tile; ``inside``: not padding, else ``pad_value``; ``half``, ``pixel``:
    accumulator.
    """
    return data.StructLayout({"valid": 1, "inside": 1, "first": 1, "set": 1, "finish": 1,
                              "half": 1, "pixel": range(pixels), "pad_value": signed(8)})


class Sequencer(wiring.Component):
    """One word of activations per cycle, held back only at tile boundaries.

    A tile begins when its weights are in the shadow registers; a column tile, moreover, when its
    half of the accumulators is free. The order of all other events follows from the command.
    Halves alternate from column tile to column tile, across commands.

    A command's first word is issued at best in the cycle after the one in which the command is
    seen, and a word that waits for nothing in each cycle after that.

    Members
    -------
    command: ``In(stream.Signature(array_command_layout))``
        Ready in the cycle in which the last word is issued.
    weights_full: ``In(1)``, take: ``Out(1)``
        Handshake with the weight loader.
    release: ``In(2)``
        Halves that post-processing has read; free from the next cycle on.
    read: ``Out(1)``, read_address: ``Out(20)``
        Activation buffer read.
    beat: ``Out(beat_layout)``
        Side band of the word that the buffer delivers in this cycle.
    active, issue: ``Out(1)``
        Words are still to come; one is issued in this cycle.
    wait_weights, wait_accumulators: ``Out(1)``
        Why an active sequencer issues no word in this cycle.
    """

    def __init__(self, pixels: int):
        self._pixels = pixels
        super().__init__({
            "command": In(stream.Signature(array_command_layout)),
            "weights_full": In(1), "take": Out(1), "release": In(HALVES),
            "read": Out(1), "read_address": Out(ADDRESS), "beat": Out(beat_layout(pixels)),
            "active": Out(1), "issue": Out(1), "wait_weights": Out(1), "wait_accumulators": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.loop_nest = nest = LoopNest(LEVELS)
        pixel, half = Signal(range(self._pixels)), Signal()
        claimed, claim = Signal(HALVES), Signal(HALVES)
        tile_first, tile_last = nest.first[PIXEL_LEVELS].all(), nest.last[PIXEL_LEVELS].all()
        sum_first, sum_last = nest.first[REDUCTION_LEVELS].all(), nest.last[REDUCTION_LEVELS].all()

        m.d.comb += [
            nest.nest.eq(self.command.payload.nest),
            nest.start.eq(self.command.valid & ~nest.active), nest.step.eq(self.issue),
            self.active.eq(nest.active),
            self.wait_accumulators.eq(
                nest.active & tile_first & sum_first & claimed.bit_select(half, 1)),
            self.wait_weights.eq(nest.active & tile_first & ~self.weights_full
                                 & ~self.wait_accumulators),
            self.issue.eq(nest.active & ~self.wait_accumulators & ~self.wait_weights),
            self.take.eq(self.issue & tile_first),
            claim.eq(Mux(self.take & sum_first, 1 << half, 0)),
            self.command.ready.eq(self.issue & nest.last.all()),
            self.read.eq(self.issue & nest.inside), self.read_address.eq(nest.address),
        ]
        m.d.sync += [
            claimed.eq((claimed | claim) & ~self.release),
            self.beat.valid.eq(self.issue), self.beat.inside.eq(nest.inside),
            self.beat.first.eq(tile_first), self.beat.set.eq(sum_first),
            self.beat.finish.eq(tile_last & sum_last), self.beat.half.eq(half),
            self.beat.pixel.eq(pixel), self.beat.pad_value.eq(self.command.payload.pad_value),
        ]
        with m.If(self.issue):
            m.d.sync += pixel.eq(Mux(tile_last, 0, pixel + 1))
            with m.If(tile_last & sum_last):
                m.d.sync += half.eq(~half)
        return m
