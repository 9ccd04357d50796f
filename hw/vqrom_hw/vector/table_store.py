"""Tables of unary functions, kept while the vector unit looks bytes up in them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig

from .packets import PacketPorts, packet_members

ENTRIES = 256
"""Entries of a table: one for each value of an int8."""


class TableStore(PacketPorts, wiring.Component):
    """Keep the tables of a command, and look bytes up in them.

    An int8 has 256 values only, so that any function of one number is a table: sigmoid, GELU, or
    another scale. Entry ``n`` holds the result for ``n - 128``. Several channels with functions of
    their own, as a PReLU has them, need a table for each lane of a word.

    Each of the finisher's ``vector_lanes`` lanes has a memory of its own. It stands for
    ``rows / vector_lanes`` lanes of the word, one in each step. With a table for each lane, a word
    of the memory holds the bytes of all of them side by side, so that a word of the packet, which
    has entry ``n`` of all tables, is stored in one cycle. With one table for all lanes, a word of
    the memory holds ``table_step`` entries that follow each other.

    Loading takes a cycle for each word of the memories when the beats suffice, and one beside;
    bytes of one table wait for the beats of each word after its first one, since a word is kept
    until its last byte is stored. Read latency is one cycle.

    Parameters
    ----------
    config:
        Number of lanes, how many of them are finished a cycle, and the kind of tables.

    Members
    -------
    start: ``In(1)``
        Take a packet of tables.
    lane_tables: ``In(1)``
        The packet has a table for each lane: 256 words, word ``n`` with entry ``n`` of each table.
        Otherwise it has the 256 bytes of one table, filled up to whole words. Steady until
        ``done``; low where ``vector_tables`` is not ``lane``.
    done: ``Out(1)``
        Pulse in the cycle in which the last entry is stored.
    length, words, last:
        Words of the packet: :func:`~vqrom_hw.vector.packets.packet_members`.
    enable: ``In(1)``, step: ``In(range(rows // vector_lanes))``
        Look up the lanes of this step; without ``enable`` the results read last stay.
    x: ``In(ArrayLayout(8, vector_lanes))``
        The bytes to look up.
    y: ``Out(ArrayLayout(8, vector_lanes))``
        What their tables say.
    """

    start: Signal
    lane_tables: Signal
    done: Signal
    enable: Signal
    step: Signal
    x: data.View
    y: data.View

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        steps = config.rows // config.vector_lanes
        # Bytes of a word of a lane's memory.
        self._kept = steps if config.vector_tables == "lane" else config.table_step
        lanes = data.ArrayLayout(8, config.vector_lanes)
        super().__init__({
            "start": In(1), "lane_tables": In(1), "done": Out(1),
            "enable": In(1), "step": In(range(steps)), "x": In(lanes), "y": Out(lanes),
        } | packet_members(config.rows))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, words, together = self._config.rows, self.words, self._config.table_step
        entry, place = Signal(range(ENTRIES)), Signal(range(max(2, rows // together)))
        store, last, filled = Signal(), Signal(), Signal()
        lane_tables = (self.lane_tables if self._config.vector_tables == "lane"
                       else Const(0, 1))
        # A word has the bytes of several entries if there is one table, else of one.
        m.d.comb += [
            self.length.payload.eq(Mux(lane_tables, ENTRIES, -(-ENTRIES // rows))),
            last.eq(entry == Mux(lane_tables, ENTRIES - 1, ENTRIES - together)),
            filled.eq(place == rows // together - 1),
            words.ready.eq(store & (lane_tables | filled | last)),
            self.done.eq(store & words.valid & last),
        ]
        shared = words.payload.word_select(place, 8 * together)
        for lane in range(self._config.vector_lanes):
            own = Cat(words.payload.word_select(number * self._config.vector_lanes + lane, 8)
                      for number in range(self._kept))
            self._lane(m, lane, lane_tables, store & words.valid, entry,
                       Mux(lane_tables, own, shared))
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.length.valid.eq(self.start)
                m.d.sync += [entry.eq(0), place.eq(0)]
                with m.If(self.start):
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += store.eq(1)
                with m.If(words.valid):
                    m.d.sync += [entry.eq(entry + Mux(lane_tables, 1, together)),
                                 place.eq(Mux(filled, 0, place + 1))]
                    with m.If(last):
                        m.next = "IDLE"
        return m

    def _lane(self, m: Module, lane: int, lane_tables: Value, store: Value, entry: Value,
              content: Value) -> None:
        """Memory of a lane of the finisher."""
        together = self._config.table_step
        bits = together.bit_length() - 1
        depth = ENTRIES if self._config.vector_tables == "lane" else ENTRIES // together
        table = memory.Memory(shape=8 * self._kept, depth=depth, init=[])
        m.submodules[f"memory_{lane}"] = table
        read, write = table.read_port(), table.write_port()
        # The lowest int8, -128, is entry 0.
        looked_up = self.x[lane] ^ (ENTRIES // 2)
        byte = Signal(range(max(2, self._kept)), name=f"byte_{lane}")
        with m.If(self.enable):
            m.d.sync += byte.eq(Mux(lane_tables, self.step, looked_up[:bits]))
        m.d.comb += [
            write.en.eq(store), write.data.eq(content),
            write.addr.eq(Mux(lane_tables, entry, entry >> bits)),
            read.en.eq(self.enable),
            read.addr.eq(Mux(lane_tables, looked_up, looked_up >> bits)),
            self.y[lane].eq(read.data.word_select(byte, 8)),
        ]
