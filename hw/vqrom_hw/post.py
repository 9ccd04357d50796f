"""Post-processing: passes of the requantisation lanes over accumulators or activations."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .accumulators import HALVES
from .commands import ADDRESS, Destination, Source, post_layout
from .config import AcceleratorConfig
from .requantize import Requantizer, parameter_layout


class PostProcessor(wiring.Component):
    """Requantise ``pixels`` words, lane group by lane group, ``passes`` times.

    A pass covers ``columns`` channels: for each group of ``post_lanes`` it takes their parameters
    from the stream, then one pixel a cycle. With the accumulators as source, pass ``n`` waits for
    half ``n % 2`` and releases it, and each pass moves on to the next ``columns`` channels of the
    output. A group costs ``pixels + LATENCY + 2`` cycles.

    Members
    -------
    post: ``In(post_layout)``, source_base: ``In(20)``
        The command's fields, steady until ``done``.
    start: ``In(1)``, done: ``Out(1)``
        Begin; pulse after the last write.
    half_full: ``In(2)``, release: ``Out(2)``
        Halves that hold finished sums; one-hot pulse when one has been read.
    parameters: ``In(stream.Signature(72 * post_lanes))``
        Bias, multiplier and shift of each lane.
    read: ``Out(1)``, read_group, read_half, read_address; total: ``In``
        Accumulator port of bank ``read_group``, latency one cycle.
    act_read: ``Out(1)``, act_read_address: ``Out(20)``, act_word: ``In(8 * rows)``
        Activation buffer read port, latency one cycle.
    write: ``Out(1)``, write_address: ``Out(20)``, write_mask: ``Out(rows)``, write_bytes
        Activation buffer write port: ``write_bytes`` hold the lanes, repeated over the word.
    update: ``Out(post_groups)``, update_first, update_address, update_values
        Accumulator update port (half 0) for the vector operations.
    """

    LATENCY = Requantizer.LATENCY

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        lanes, groups = config.post_lanes, config.post_groups
        self._pixel = range(config.accumulator_depth)
        values = data.ArrayLayout(signed(32), lanes)
        super().__init__({
            "post": In(post_layout), "source_base": In(ADDRESS),
            "start": In(1), "done": Out(1),
            "half_full": In(HALVES), "release": Out(HALVES),
            "parameters": In(stream.Signature(data.ArrayLayout(parameter_layout, lanes))),
            "read": Out(1), "read_group": Out(range(max(2, groups))), "read_half": Out(1),
            "read_address": Out(self._pixel), "total": In(values),
            "act_read": Out(1), "act_read_address": Out(ADDRESS), "act_word": In(8 * config.rows),
            "write": Out(1), "write_address": Out(ADDRESS), "write_mask": Out(config.rows),
            "write_bytes": Out(8 * lanes),
            "update": Out(groups), "update_first": Out(1),
            "update_address": Out(self._pixel), "update_values": Out(values),
        })

    def elaborate(self, platform):
        m = Module()
        config, post = self._config, self.post
        lanes, groups = config.post_lanes, config.post_groups
        sections = config.rows // config.columns
        from_act = post.source == Source.ACTIVATION
        to_act = post.destination == Destination.ACTIVATION

        passes, pixel, group = Signal(16), Signal(16), Signal(range(max(2, groups)))
        section, drain = Signal(range(max(2, sections))), Signal(range(self.LATENCY + 2))
        source, target, out_base = Signal(ADDRESS), Signal(ADDRESS), Signal(ADDRESS)
        accumulator = Signal(self._pixel)
        parameters = Signal(data.ArrayLayout(parameter_layout, lanes))
        issue, half = Signal(), passes[0]
        m.d.comb += [
            self.read.eq(issue & ~from_act), self.read_group.eq(group), self.read_half.eq(half),
            self.read_address.eq(accumulator),
            self.act_read.eq(issue & from_act), self.act_read_address.eq(source),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [passes.eq(0), group.eq(0), section.eq(post.section),
                             out_base.eq(post.out_base)]
                with m.If(self.start):
                    m.next = "PARAMETER"
            with m.State("PARAMETER"):
                ready = from_act | self.half_full.bit_select(half, 1)
                m.d.comb += self.parameters.ready.eq(ready)
                m.d.sync += [pixel.eq(0), accumulator.eq(0), source.eq(self.source_base),
                             target.eq(out_base), parameters.eq(self.parameters.payload)]
                with m.If(self.parameters.valid & ready):
                    m.next = "RUN"
            with m.State("RUN"):
                m.d.comb += issue.eq(1)
                m.d.sync += [
                    pixel.eq(pixel + 1), drain.eq(0),
                    accumulator.eq(accumulator + post.accumulator_stride),
                    source.eq(source + post.source_stride), target.eq(target + post.out_stride),
                ]
                with m.If(pixel == post.pixels - 1):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                # The lanes' parameters may change only when nothing is under way.
                m.d.sync += drain.eq(drain + 1)
                with m.If(drain == self.LATENCY):
                    m.next = "PARAMETER"
                    with m.If(group == groups - 1):
                        m.d.sync += [group.eq(0), passes.eq(passes + 1), section.eq(section + 1)]
                        m.d.comb += self.release.eq(Mux(from_act, 0, 1 << half))
                        with m.If(section == sections - 1):
                            m.d.sync += [section.eq(0), out_base.eq(out_base + 1)]
                        with m.If(passes == post.passes - 1):
                            m.d.comb += self.done.eq(1)
                            m.next = "IDLE"
                    with m.Else():
                        m.d.sync += group.eq(group + 1)

        word_group = section * groups + group
        self._lanes(m, parameters, word_group, from_act)
        issued = self._delay(m, issue, "issued")
        write_target = self._delay(m, target, "target")
        update_target = self._delay(m, accumulator, "accumulator")
        first = self._delay(
            m, (post.destination == Destination.ACCUMULATOR_SET)
            | ((pixel == 0) & ~post.accumulator_stride), "first")
        m.d.comb += [
            self.write.eq(issued & to_act), self.write_address.eq(write_target),
            self.write_mask.eq(((1 << lanes) - 1) << (word_group * lanes)),
            self.update.eq(Mux(issued & ~to_act, 1 << group, 0)),
            self.update_first.eq(first), self.update_address.eq(update_target),
        ]
        return m

    def _lanes(self, m, parameters, word_group, from_act):
        lanes = self._config.post_lanes
        for lane in range(lanes):
            m.submodules[f"requantizer_{lane}"] = requantizer = Requantizer()
            byte = self.act_word.word_select(word_group * lanes + lane, 8)
            m.d.comb += [
                requantizer.i.eq(Mux(from_act, byte.as_signed(), self.total[lane])),
                requantizer.pre_shift.eq(self.post.pre_shift),
                requantizer.parameter.eq(parameters[lane]),
                requantizer.zero_point.eq(self.post.zero_point),
                requantizer.low.eq(self.post.low), requantizer.high.eq(self.post.high),
                self.update_values[lane].eq(requantizer.value),
                self.write_bytes.word_select(lane, 8).eq(requantizer.byte),
            ]

    def _delay(self, m, value, name):
        """Side band of the lanes: one cycle for the memory, then their latency."""
        for stage in range(self.LATENCY + 1):
            delayed = Signal(value.shape(), name=f"{name}_{stage}")
            m.d.sync += delayed.eq(value)
            value = delayed
        return value
