"""Accumulators: partial sums of one column tile while the previous tile is post-processed."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig

HALVES = 2


class AccumulatorMemory(wiring.Component):
    """One half of one bank: a memory with one read and one write port, read after write.

    Members
    -------
    read_address: ``In(range(depth))``
        Word that appears in ``read_data`` in the next cycle, as a write of this cycle leaves it.
    read_enable: ``In(1)``
        Read.
    read_data: ``Out(width)``
        Word read.
    write_address: ``In(range(depth))``, write_enable: ``In(1)``, write_data: ``In(width)``
        Write.
    """

    def __init__(self, width: int, depth: int):
        self._width = width
        self._depth = depth
        super().__init__({
            "read_address": In(range(depth)), "read_enable": In(1), "read_data": Out(width),
            "write_address": In(range(depth)), "write_enable": In(1), "write_data": In(width),
        })

    def elaborate(self, platform):
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
    """``lanes`` int32 accumulators for each of ``depth`` pixels, twice.

    Updates are one per cycle to any address, the same one again included. While one half is
    updated, the other may be read; a half that is updated and read at once is not served.

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
        Add ``partial`` to the accumulators at ``update_address``, or set them when ``first``.
    update_half: ``In(1)``, update_address: ``In(range(depth))``, first: ``In(1)``,
    partial: ``In(ArrayLayout(signed(width), lanes))``
        What, where.
    read: ``In(1)``, read_half: ``In(1)``, read_address: ``In(range(depth))``
        Read; ``total`` follows in the next cycle.
    total: ``Out(ArrayLayout(signed(32), lanes))``
        Accumulators read.
    """

    def __init__(self, lanes: int, depth: int, width: int):
        self._lanes = lanes
        self._depth = depth
        super().__init__({
            "update": In(1), "update_half": In(1), "update_address": In(range(depth)),
            "first": In(1), "partial": In(data.ArrayLayout(signed(width), lanes)),
            "read": In(1), "read_half": In(1), "read_address": In(range(depth)),
            "total": Out(data.ArrayLayout(signed(32), lanes)),
        })

    def elaborate(self, platform):
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
    """Accumulators of all columns: one bank for each lane group of post-processing.

    A word updates all banks; post-processing reads one. A half is full from the cycle after the
    update that finishes it until it is released.

    Parameters
    ----------
    width:
        Bits of a partial sum.

    Members
    -------
    update, half, address, first:
        As ``update``, ``update_half``, ``update_address`` and ``first`` of
        :class:`AccumulatorBank`.
    partial: ``In(ArrayLayout(signed(width), columns))``
        Of all columns.
    finish: ``In(1)``
        This update is the last one of its half.
    half_full, release: ``Out(2)``, ``In(2)``
        Halves that hold finished sums; one-hot pulse when one has been read.
    read: ``In(post_steps)``, read_half, read_address:
        Read one bank (one-hot).
    total: ``Out(ArrayLayout(signed(32), post_lanes))``
        What was read in the previous cycle.
    reads, writes: ``Out(range(post_steps + 2))``
        Banks read, written for this cycle's update and read; for counters.
    """

    def __init__(self, config: AcceleratorConfig, width: int):
        self._config = config
        self._width = width
        pixel, groups = range(config.accumulator_depth), config.post_steps
        super().__init__({
            "update": In(1), "half": In(1), "address": In(pixel), "first": In(1),
            "partial": In(data.ArrayLayout(signed(width), config.columns)), "finish": In(1),
            "half_full": Out(HALVES), "release": In(HALVES),
            "read": In(groups), "read_half": In(1), "read_address": In(pixel),
            "total": Out(data.ArrayLayout(signed(32), config.post_lanes)),
            "reads": Out(range(groups + 2)), "writes": Out(range(groups + 2)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self._config
        lanes, groups = config.post_lanes, config.post_steps
        finished, shown = Signal(HALVES), Signal(groups)
        m.d.comb += [
            finished.eq(Mux(self.update & self.finish, 1 << self.half, 0)),
            self.reads.eq(Mux(self.update & ~self.first, groups, 0) + self.read.any()),
            self.writes.eq(Mux(self.update, groups, 0)),
        ]
        m.d.sync += [self.half_full.eq((self.half_full | finished) & ~self.release),
                     shown.eq(self.read)]
        for group in range(groups):
            bank = AccumulatorBank(lanes, config.accumulator_depth, self._width)
            m.submodules[f"accumulator_bank_{group}"] = bank
            m.d.comb += [
                bank.update.eq(self.update), bank.update_half.eq(self.half),
                bank.update_address.eq(self.address), bank.first.eq(self.first),
                bank.read.eq(self.read[group]), bank.read_half.eq(self.read_half),
                bank.read_address.eq(self.read_address),
            ]
            with m.If(shown[group]):
                m.d.comb += self.total.eq(bank.total)
            for lane in range(lanes):
                m.d.comb += bank.partial[lane].eq(self.partial[group * lanes + lane])
        return m
