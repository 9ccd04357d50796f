"""The sequencer: it feeds the array with the activations of COMPUTE commands."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import ADDRESS, LEVELS, nest_layout
from vqrom_hw.lib import LoopNest

from .accumulators import HALVES

PIXEL_LEVELS = slice(0, 2)
"""Innermost levels of a COMPUTE's loop nest: the pixels that meet one tile of weights."""
REDUCTION_LEVELS = slice(2, 5)
"""Levels over the tiles that are summed up in one column tile. The one level outside of them goes
over the column tiles."""

array_command_layout = data.StructLayout({"nest": nest_layout, "pad_value": signed(8)})
"""What the sequencer needs of a COMPUTE: the loops over the activations, and the padding's byte."""


def beat_layout(pixels: int) -> data.StructLayout:
    """What goes along with a word of activations through the array.

    Parameters
    ----------
    pixels:
        Pixels of a half of the accumulators.

    Returns
    -------
    Layout with the fields ``valid``: there is a word; ``inside``: the word is no padding, else each
    of its bytes is ``pad_value``; ``first``: it is the first of a tile, so the array swaps its
    weights; ``set``: its tile is the first of a sum; ``finish``: it is the last of a column tile;
    ``half`` and ``pixel``: the accumulator that its products go to.
    """
    return data.StructLayout({"valid": 1, "inside": 1, "first": 1, "set": 1, "finish": 1,
                              "half": 1, "pixel": range(pixels), "pad_value": signed(8)})


class Sequencer(wiring.Component):
    """Issue one word of activations per cycle, and hold back only where a tile begins.

    A COMPUTE is a loop nest: for each column tile, for each tile of the reduction, all pixels. The
    sequencer walks it, reads the activation buffer, and sends along what the array and the
    accumulators must know about each word. There are only two things to wait for: a tile begins
    when its weights are in the shadow registers, and a column tile, moreover, when its half of the
    accumulators is free. The order of all other events follows from the command. Halves alternate
    from column tile to column tile, across commands.

    A command's first word is issued at best in the cycle after the one in which the command is
    seen, and a word that waits for nothing in each cycle after that.

    Parameters
    ----------
    pixels:
        Pixels of a half of the accumulators.

    Members
    -------
    command: ``In(stream.Signature(array_command_layout))``
        What to walk; ready in the cycle in which the last word is issued.
    weights_full: ``In(1)``
        The shadow registers hold the next tile.
    take: ``Out(1)``
        A tile begins: the array takes the shadow registers over.
    release: ``In(2)``
        Halves of the accumulators that post-processing has read; free from the next cycle on.
    read: ``Out(1)``, read_address: ``Out(20)``
        Read this word of the activation buffer; not set for padding.
    beat: ``Out(beat_layout)``
        What goes along with the word that the buffer delivers in this cycle.
    active: ``Out(1)``
        Words of the command are still to come.
    issue: ``Out(1)``
        A word is issued in this cycle.
    wait_weights, wait_accumulators: ``Out(1)``
        What an active sequencer waits for in this cycle.
    """

    command: stream.Interface
    weights_full: Signal
    take: Signal
    release: Signal
    read: Signal
    read_address: Signal
    beat: data.View
    active: Signal
    issue: Signal
    wait_weights: Signal
    wait_accumulators: Signal

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        super().__init__({
            "command": In(stream.Signature(array_command_layout)),
            "weights_full": In(1), "take": Out(1), "release": In(HALVES),
            "read": Out(1), "read_address": Out(ADDRESS), "beat": Out(beat_layout(pixels)),
            "active": Out(1), "issue": Out(1), "wait_weights": Out(1), "wait_accumulators": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.loop_nest = nest = LoopNest(LEVELS)
        pixel, half = Signal(range(self._pixels)), Signal()
        # Halves whose sums are under way or not yet read.
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
