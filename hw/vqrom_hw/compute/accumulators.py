"""Accumulators: they sum one column tile up while the previous one is post-processed."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig

HALVES = 2
"""Halves of the accumulators: one is summed up while the other is post-processed."""


class AccumulatorMemory(wiring.Component):
    """One half of one bank: a memory with one read and one write port, where a read sees the write
    of the same cycle.

    An accumulator is read, added to and written back one cycle later. If the next word updates the
    same pixel, the sum that is being written is the one to read, hence the bypass. Latency of a
    read is one cycle.

    Parameters
    ----------
    width:
        Bits of a word.
    depth:
        Number of words.

    Members
    -------
    read_address: ``In(range(depth))``, read_enable: ``In(1)``
        Read this word.
    read_data: ``Out(width)``
        The word read in the previous enabled cycle, as a write of that cycle left it.
    write_address: ``In(range(depth))``, write_enable: ``In(1)``, write_data: ``In(width)``
        Write this word.
    """

    read_address: Signal
    read_enable: Signal
    read_data: Signal
    write_address: Signal
    write_enable: Signal
    write_data: Signal

    def __init__(self, width: int, depth: int) -> None:
        self._width = width
        self._depth = depth
        super().__init__({
            "read_address": In(range(depth)), "read_enable": In(1), "read_data": Out(width),
            "write_address": In(range(depth)), "write_enable": In(1), "write_data": In(width),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = words = memory.Memory(shape=self._width, depth=self._depth, init=[])
        write = words.write_port()
        read = words.read_port()
        # The bypass stands outside the memory, so that a plain two-port macro can replace it.
        bypass = Signal()
        written = Signal(self._width)
        m.d.comb += [
            write.addr.eq(self.write_address), write.en.eq(self.write_enable),
            write.data.eq(self.write_data),
            read.addr.eq(self.read_address), read.en.eq(self.read_enable),
            self.read_data.eq(Mux(bypass, written, read.data)),
        ]
        with m.If(self.read_enable):
            m.d.sync += [
                bypass.eq(self.write_enable & (self.write_address == self.read_address)),
                written.eq(self.write_data),
            ]
        return m


class AccumulatorBank(wiring.Component):
    """``lanes`` int32 accumulators for each of ``depth`` pixels, in two halves.

    The array delivers partial sums, one pixel after the other, tile after tile of the reduction;
    the bank adds each to what it has of that pixel. When a column tile is summed up, its half is
    read by post-processing while the other half takes the next column tile.

    An update is accepted in every cycle, at any address, the same one again included. A half that
    is updated and read at once is not served.

    Parameters
    ----------
    lanes:
        Output channels of this bank.
    depth:
        Pixels of each half.
    width:
        Bits of a partial sum.

    Members
    -------
    update: ``In(1)``
        Add ``partial`` to the accumulators at ``update_address``, or set them to it if ``first``.
    update_half: ``In(1)``, update_address: ``In(range(depth))``
        Half and pixel of the update.
    first: ``In(1)``
        The update begins a sum.
    partial: ``In(ArrayLayout(signed(width), lanes))``
        Partial sums of the update.
    read: ``In(1)``, read_half: ``In(1)``, read_address: ``In(range(depth))``
        Read this half's pixel; ``total`` follows in the next cycle.
    total: ``Out(ArrayLayout(signed(32), lanes))``
        The accumulators read.
    """

    update: Signal
    update_half: Signal
    update_address: Signal
    first: Signal
    partial: data.View
    read: Signal
    read_half: Signal
    read_address: Signal
    total: data.View

    def __init__(self, lanes: int, depth: int, width: int) -> None:
        self._lanes = lanes
        self._depth = depth
        super().__init__({
            "update": In(1), "update_half": In(1), "update_address": In(range(depth)),
            "first": In(1), "partial": In(data.ArrayLayout(signed(width), lanes)),
            "read": In(1), "read_half": In(1), "read_address": In(range(depth)),
            "total": Out(data.ArrayLayout(signed(32), lanes)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = data.ArrayLayout(signed(32), self._lanes)
        halves = [AccumulatorMemory(32 * self._lanes, self._depth) for _ in range(HALVES)]
        pending, first, half = Signal(), Signal(name="pending_first"), Signal(name="pending_half")
        address = Signal.like(self.update_address, name="pending_address")
        partial = Signal.like(self.partial, name="pending_partial")
        total, previous = Signal(layout, name="sum"), Signal(layout)
        read_half = Signal(name="shown_half")

        m.d.sync += [pending.eq(self.update), first.eq(self.first), half.eq(self.update_half),
                     address.eq(self.update_address), partial.eq(self.partial)]
        with m.If(self.read):
            m.d.sync += read_half.eq(self.read_half)
        m.d.comb += [
            previous.as_value().eq(Mux(half, halves[1].read_data, halves[0].read_data)),
            self.total.as_value().eq(Mux(read_half, halves[1].read_data, halves[0].read_data)),
        ]
        for lane in range(self._lanes):
            m.d.comb += total[lane].eq(Mux(first, 0, previous[lane]) + partial[lane])
        for number, words in enumerate(halves):
            m.submodules[f"half_{number}"] = words
            updated = self.update & (self.update_half == number)
            m.d.comb += [
                words.read_address.eq(Mux(updated, self.update_address, self.read_address)),
                words.read_enable.eq((updated & ~self.first)
                                     | (self.read & (self.read_half == number))),
                words.write_address.eq(address),
                words.write_enable.eq(pending & (half == number)),
                words.write_data.eq(total),
            ]
        return m


class AccumulatorBanks(wiring.Component):
    """The accumulators of all columns: one bank for each step of post-processing.

    Post-processing has ``post_lanes`` lanes and takes ``post_steps`` steps over the columns, so it
    reads one bank at a time; a word of the array updates all banks. A half is full from the cycle
    after the update that finishes it until the cycle after its release.

    Parameters
    ----------
    config:
        Parameters of the accelerator, from which all widths and depths follow.
    width:
        Bits of a partial sum.

    Members
    -------
    update: ``In(1)``, half: ``In(1)``, address: ``In(range(accumulator_depth))``, first: ``In(1)``
        An update of all banks: see :class:`AccumulatorBank`.
    partial: ``In(ArrayLayout(signed(width), columns))``
        Partial sums of all columns.
    finish: ``In(1)``
        This update is the last one of its half.
    half_full: ``Out(2)``
        Halves that hold finished sums.
    release: ``In(2)``
        One-hot pulse: this half has been read.
    read: ``In(post_steps)``
        One-hot: read this bank.
    read_half: ``In(1)``, read_address: ``In(range(accumulator_depth))``
        Half and pixel to read.
    total: ``Out(ArrayLayout(signed(32), post_lanes))``
        What was read in the previous cycle.
    reads, writes: ``Out(range(post_steps + 2))``
        Banks read and written in this cycle, or to be written for its update; for the counters.
    """

    update: Signal
    half: Signal
    address: Signal
    first: Signal
    partial: data.View
    finish: Signal
    half_full: Signal
    release: Signal
    read: Signal
    read_half: Signal
    read_address: Signal
    total: data.View
    reads: Signal
    writes: Signal

    def __init__(self, config: AcceleratorConfig, width: int) -> None:
        self._config = config
        self._width = width
        pixel, steps = range(config.accumulator_depth), config.post_steps
        super().__init__({
            "update": In(1), "half": In(1), "address": In(pixel), "first": In(1),
            "partial": In(data.ArrayLayout(signed(width), config.columns)), "finish": In(1),
            "half_full": Out(HALVES), "release": In(HALVES),
            "read": In(steps), "read_half": In(1), "read_address": In(pixel),
            "total": Out(data.ArrayLayout(signed(32), config.post_lanes)),
            "reads": Out(range(steps + 2)), "writes": Out(range(steps + 2)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        lanes, steps = config.post_lanes, config.post_steps
        finished, shown = Signal(HALVES), Signal(steps)
        m.d.comb += [
            finished.eq(Mux(self.update & self.finish, 1 << self.half, 0)),
            self.reads.eq(Mux(self.update & ~self.first, steps, 0) + self.read.any()),
            self.writes.eq(Mux(self.update, steps, 0)),
        ]
        m.d.sync += [self.half_full.eq((self.half_full | finished) & ~self.release),
                     shown.eq(self.read)]
        for step in range(steps):
            bank = AccumulatorBank(lanes, config.accumulator_depth, self._width)
            m.submodules[f"accumulator_bank_{step}"] = bank
            m.d.comb += [
                bank.update.eq(self.update), bank.update_half.eq(self.half),
                bank.update_address.eq(self.address), bank.first.eq(self.first),
                bank.read.eq(self.read[step]), bank.read_half.eq(self.read_half),
                bank.read_address.eq(self.read_address),
            ]
            with m.If(shown[step]):
                m.d.comb += self.total.eq(bank.total)
            for lane in range(lanes):
                m.d.comb += bank.partial[lane].eq(self.partial[step * lanes + lane])
        return m
