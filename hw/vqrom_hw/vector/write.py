"""Results of the vector unit on their way to the activation buffer."""

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ADDRESS, vector_layout
from vqrom_hw.lib import TargetWalk

from .place import lane_mask, rotated


class ResultWriter(wiring.Component):
    """Hold a result until the buffer takes it; stop everything if the next one comes before.

    Parameters
    ----------
    config:
        Number of lanes, and whether results can move to other lanes.

    Members
    -------
    command: ``In(vector_layout)``
        Where results go, and how they move; steady while results are under way.
    start: ``In(1)``
        Begin at the first word of the target.
    complete: ``In(1)``, word: ``In(8 * rows)``
        A result, which is taken in this cycle if ``go``.
    go: ``Out(1)``
        The lanes may advance: there is no result, or room for it.
    write: ``Out(1)``, write_address: ``Out(20)``, write_mask: ``Out(rows)``,
    write_word: ``Out(8 * rows)``, write_grant: ``In(1)``
        Write port of the activation buffer.
    """

    command: data.View
    start: Signal
    complete: Signal
    word: Signal
    go: Signal
    write: Signal
    write_address: Signal
    write_mask: Signal
    write_word: Signal
    write_grant: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        word = 8 * config.rows
        super().__init__({
            "command": In(vector_layout), "start": In(1), "complete": In(1), "word": In(word),
            "go": Out(1), "write": Out(1), "write_address": Out(ADDRESS),
            "write_mask": Out(config.rows), "write_word": Out(word), "write_grant": In(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        target = self.command.target
        word, mask = self._placed()
        m.submodules.target_walk = walk = TargetWalk()
        m.d.comb += [
            self.go.eq(~(self.complete & self.write & ~self.write_grant)),
            walk.width.eq(target.width), walk.stride.eq(target.stride),
            walk.row_stride.eq(target.row_stride), walk.base.eq(target.base),
            walk.start.eq(self.start), walk.step.eq(self.write & self.write_grant),
            self.write_address.eq(walk.address), self.write_mask.eq(mask),
        ]
        with m.If(self.complete & self.go):
            m.d.sync += [self.write.eq(1), self.write_word.eq(word)]
        with m.Elif(self.write_grant):
            m.d.sync += self.write.eq(0)
        return m

    def _placed(self) -> tuple[Value, Value]:
        """The word with its bytes in their lanes, and the lanes that are written."""
        command, rows = self.command, self._config.rows
        if not self._config.vector_moves:
            return self.word, Const(-1, rows)
        return (rotated(self.word, command.rotation, rows),
                lane_mask(command.first_lane, command.lanes, rows))
