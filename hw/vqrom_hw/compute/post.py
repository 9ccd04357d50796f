"""Post-processing: requantisation of finished accumulators into the activation buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ADDRESS, post_layout
from vqrom_hw.lib import Requantizer, TargetWalk, parameter_layout

from .accumulators import HALVES


class PostProcessor(wiring.Component):
    """Requantise finished sums and write them into the activation buffer.

    A column tile is ``columns`` output channels of up to ``accumulator_depth`` pixels. There are
    fewer requantisation lanes than columns, so the tile is visited in ``post_steps`` steps of
    ``post_lanes`` channels, and within a step pixel by pixel. That order lets the lanes keep a
    channel's parameters for all of its pixels.

    A pass covers one column tile. It waits for its half of the accumulators (halves alternate from
    pass to pass, across commands) and releases it with the last word that it reads. A step's
    parameters are taken in the cycle in which its first pixel is issued. A pixel is
    issued in every cycle that needs no waiting, and is written :attr:`LATENCY` cycles later. Pass
    ``n + 1`` writes the next ``columns`` channels: the next part of the word, or the first part of
    the next word.

    Parameters
    ----------
    config:
        Parameters of the accelerator, from which all widths and depths follow.

    Members
    -------
    command: ``In(stream.Signature(post_layout))``
        ``passes`` of ``pixels``, and where the results go. Ready in the cycle of the last write.
        The first pixel is issued at best in the cycle after the one in which the command is seen.
    busy: ``Out(1)``
        A command is under way.
    working: ``Out(1)``
        Pixels are under way, or a half is full.
    half_full: ``In(2)``
        Halves that hold finished sums.
    release: ``Out(2)``
        One-hot pulse: this half has been read; it may be overwritten from the next cycle on.
    parameters: ``In(stream.Signature(ArrayLayout(parameter_layout, post_lanes)))``
        Bias, multiplier and shift of each lane, an item for each step of each pass.
    read: ``Out(post_steps)``
        One-hot: read the accumulators of this step's channels.
    read_half: ``Out(1)``, read_address: ``Out(range(accumulator_depth))``
        Half and pixel to read.
    total: ``In(ArrayLayout(signed(32), post_lanes))``
        The sums that were read in the previous cycle.
    write: ``Out(1)``, write_address: ``Out(20)``
        Write into this word of the activation buffer; always granted.
    write_mask: ``Out(rows)``, write_word: ``Out(8 * rows)``
        Which bytes, and the lanes' bytes, repeated over the word.
    """

    LATENCY = 1 + Requantizer.LATENCY
    """Cycles from a pixel's issue to its write: one for the accumulators, then the lanes'."""

    command: stream.Interface
    busy: Signal
    working: Signal
    half_full: Signal
    release: Signal
    parameters: stream.Interface
    read: Signal
    read_half: Signal
    read_address: Signal
    total: data.View
    write: Signal
    write_address: Signal
    write_mask: Signal
    write_word: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        lanes, steps = config.post_lanes, config.post_steps
        super().__init__({
            "command": In(stream.Signature(post_layout)), "busy": Out(1),
            "working": Out(1), "half_full": In(HALVES), "release": Out(HALVES),
            "parameters": In(stream.Signature(data.ArrayLayout(parameter_layout, lanes))),
            "read": Out(steps), "read_half": Out(1),
            "read_address": Out(range(config.accumulator_depth)),
            "total": In(data.ArrayLayout(signed(32), lanes)),
            "write": Out(1), "write_address": Out(ADDRESS), "write_mask": Out(config.rows),
            "write_word": Out(8 * config.rows),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, post = self._config, self.command.payload
        lanes, steps = config.post_lanes, config.post_steps
        sections = config.rows // config.columns
        m.submodules.target_walk = target = TargetWalk()
        passes, pixel = Signal(16), Signal(16)
        # The step in turn, and the part of the word that the pass in turn writes.
        group, section = Signal(range(steps)), Signal(range(sections))
        base, half = Signal(ADDRESS), Signal()
        running, issue, take = Signal(), Signal(), Signal()
        last_pixel, last_group, last_pass, finish = Signal(), Signal(), Signal(), Signal()
        begin = Signal()

        m.d.comb += [
            begin.eq(self.command.valid & ~self.busy),
            last_pixel.eq(pixel == post.pixels - 1), last_group.eq(group == steps - 1),
            last_pass.eq(passes == post.passes - 1),
            self.parameters.ready.eq(
                running & (pixel == 0) & self.half_full.bit_select(half, 1)),
            take.eq(self.parameters.valid & self.parameters.ready),
            issue.eq(running & ((pixel != 0) | take)),
            finish.eq(issue & last_pixel & last_group),
            self.release.eq(Mux(finish, 1 << half, 0)),
            self.read.eq(Mux(issue, 1 << group, 0)), self.read_half.eq(half),
            self.read_address.eq(pixel),
            target.width.eq(post.target.width), target.stride.eq(post.target.stride),
            target.row_stride.eq(post.target.row_stride),
            target.base.eq(base), target.step.eq(issue),
        ]
        with m.If(begin):
            m.d.sync += [self.busy.eq(1), running.eq(1), passes.eq(0), pixel.eq(0), group.eq(0),
                         section.eq(post.section), base.eq(post.target.base)]
            m.d.comb += [target.start.eq(1), target.base.eq(post.target.base)]
        with m.If(issue):
            m.d.sync += pixel.eq(Mux(last_pixel, 0, pixel + 1))
        with m.If(issue & last_pixel):
            m.d.sync += group.eq(Mux(last_group, 0, group + 1))
            m.d.comb += target.start.eq(1)
        with m.If(finish):
            m.d.sync += [passes.eq(passes + 1), half.eq(~half), section.eq(section + 1),
                         running.eq(~last_pass)]
            with m.If(section == sections - 1):
                m.d.sync += [section.eq(0), base.eq(base + 1)]
                m.d.comb += target.base.eq(base + 1)

        self._lanes(m, take)
        word_group = self._delay(m, section * steps + group, "word_group")
        issued = Signal(self.LATENCY)
        m.d.sync += issued.eq(Cat(issue, issued))
        m.d.comb += [
            self.working.eq(self.half_full.any() | issued.any()), self.write.eq(issued[-1]),
            self.write_address.eq(self._delay(m, target.address, "target")),
            self.write_mask.eq(((1 << lanes) - 1) << (word_group * lanes)),
            self.command.ready.eq(self._delay(m, finish & last_pass, "finished")),
        ]
        with m.If(self.command.ready):
            m.d.sync += self.busy.eq(0)
        return m

    def _lanes(self, m: Module, take: Value) -> None:
        """The requantisation lanes, whose parameters change with ``take``."""
        lanes = self._config.post_lanes
        # Held until the step's last pixel: a total meets them one cycle after its issue.
        parameters = Signal(data.ArrayLayout(parameter_layout, lanes))
        result = Signal(8 * lanes)
        with m.If(take):
            m.d.sync += parameters.eq(self.parameters.payload)
        output = self.command.payload.range
        for lane in range(lanes):
            m.submodules[f"requantizer_{lane}"] = requantizer = Requantizer()
            m.d.comb += [
                requantizer.i.eq(self.total[lane]), requantizer.parameter.eq(parameters[lane]),
                requantizer.zero_point.eq(output.zero_point),
                requantizer.low.eq(output.low), requantizer.high.eq(output.high),
                result.word_select(lane, 8).eq(requantizer.byte),
            ]
        m.d.comb += self.write_word.eq(Cat(*[result] * (self._config.rows // lanes)))

    def _delay(self, m: Module, value: Value, name: str) -> Value:
        """``value`` as it was when the pixel that is now written was issued."""
        for stage in range(self.LATENCY):
            delayed = Signal(value.shape(), name=f"{name}_{stage}")
            m.d.sync += delayed.eq(value)
            value = delayed
        return value
