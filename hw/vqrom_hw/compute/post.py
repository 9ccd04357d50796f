"""Post-processing: requantisation of finished accumulators into the activation buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ADDRESS, post_layout
from vqrom_hw.lib import Requantizer, TargetWalk, parameter_layout

from .accumulators import HALVES


class PostProcessor(wiring.Component):
    """Requantise column tiles: pass by pass, lane group by lane group, pixel by pixel.

    A pass covers ``columns`` channels. It waits for its half of the accumulators (halves alternate
    from pass to pass, across commands) and releases it with the last word that it reads. A lane
    group's parameters are taken from the stream in the cycle in which its first pixel is issued; a
    pixel is issued every cycle that needs no waiting, and written ``LATENCY`` cycles later. Pass
    ``n + 1`` writes the next ``columns`` channels: the next part of the word, or the first part of
    the next word.

    Members
    -------
    command: ``In(stream.Signature(post_layout))``
        ``passes`` of ``pixels``. Ready in the cycle of the last write. The first pixel is issued
        at best in the cycle after the one in which the command is seen.
    half_full: ``In(2)``, release: ``Out(2)``
        Halves that hold finished sums; one-hot pulse when one has been read.
    parameters: ``In(stream.Signature(ArrayLayout(parameter_layout, post_lanes)))``
        Bias, multiplier and shift of each lane.
    read: ``Out(post_steps)``, read_half, read_address; total: ``In``
        Accumulator port, one-hot lane group, latency one cycle.
    write: ``Out(1)``, write_address: ``Out(20)``, write_mask: ``Out(rows)``, write_word
        Activation buffer write port: the lanes' bytes, repeated over the word.
    busy: ``Out(1)``, working: ``Out(1)``
        A command is under way; pixels are, or a half is full.
    """

    LATENCY = 1 + Requantizer.LATENCY

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        lanes, groups = config.post_lanes, config.post_steps
        super().__init__({
            "command": In(stream.Signature(post_layout)), "busy": Out(1),
            "working": Out(1), "half_full": In(HALVES), "release": Out(HALVES),
            "parameters": In(stream.Signature(data.ArrayLayout(parameter_layout, lanes))),
            "read": Out(groups), "read_half": Out(1),
            "read_address": Out(range(config.accumulator_depth)),
            "total": In(data.ArrayLayout(signed(32), lanes)),
            "write": Out(1), "write_address": Out(ADDRESS), "write_mask": Out(config.rows),
            "write_word": Out(8 * config.rows),
        })

    def elaborate(self, platform):
        m = Module()
        config, post = self._config, self.command.payload
        lanes, groups = config.post_lanes, config.post_steps
        sections = config.rows // config.columns
        m.submodules.target_walk = target = TargetWalk()
        passes, pixel = Signal(16), Signal(16)
        group, section = Signal(range(groups)), Signal(range(sections))
        base, half = Signal(ADDRESS), Signal()
        running, issue, take = Signal(), Signal(), Signal()
        last_pixel, last_group, last_pass, finish = Signal(), Signal(), Signal(), Signal()
        begin = Signal()

        m.d.comb += [
            begin.eq(self.command.valid & ~self.busy),
            last_pixel.eq(pixel == post.pixels - 1), last_group.eq(group == groups - 1),
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
        word_group = self._delay(m, section * groups + group, "word_group")
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

    def _lanes(self, m, take):
        lanes = self._config.post_lanes
        # Held until the group's last pixel: a total meets them one cycle after its issue.
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

    def _delay(self, m, value, name):
        """Side band of the lanes: one cycle for the memory, then their latency."""
        for stage in range(self.LATENCY):
            delayed = Signal(value.shape(), name=f"{name}_{stage}")
            m.d.sync += delayed.eq(value)
            value = delayed
        return value
