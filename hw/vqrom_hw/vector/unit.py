"""The vector unit: it reads windows, reduces them, and writes a word for each."""

from amaranth.hdl import EnableInserter, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import (
    ADDRESS,
    LEVELS,
    WEIGHTED,
    VectorOp,
    available_operations,
    vector_layout,
)
from vqrom_hw.lib import LoopNest, Unpacker

from .choose import is_one_of
from .depthwise_store import DepthwiseStore
from .finish import Finisher, finish_latency
from .packets import share_unpacker
from .reduce import WindowReducer
from .table_store import TableStore
from .write import ResultWriter

LOAD_LATENCY = WindowReducer.LATENCY + 1
"""Advances of the pipeline from the step that reads a window's last word to the ``load`` of its
totals into the finisher."""


def write_latency(config: AcceleratorConfig, operation: VectorOp) -> int:
    """Advances of the pipeline from the step that reads a window's last word to the first offer of
    its result to the activation buffer.

    Parameters
    ----------
    config:
        Number of lanes, and how many of them are requantised a cycle.
    operation:
        What the unit does with the window.
    """
    return LOAD_LATENCY + finish_latency(config, operation) + 1


class VectorUnit(wiring.Component):
    """Pooling, depthwise convolution, element-wise operations, tables and moves, beside the array.

    These layers multiply little or nothing and would leave most of the array idle, so they have a
    unit of their own that works lane by lane on whole words. It reads one word of a window per
    cycle and writes one word per window.

    Levels 0 and 1 of the nest are a window, levels 2 and up the outputs in the order in which they
    are written. Outside of the map MAX sees nothing, the others ``pad_value``. A lane's output is

    - MAX: the maximum, as it is;
    - SUM: ``clamp(MBQM((sum << pre_shift) + bias, multiplier, shift) + zero_point)``;
    - ADD, SUBTRACT, MAXIMUM, MINIMUM (a window of two words): the same with the sum, the
      difference, the larger or the smaller of both operands, each rescaled as
      :data:`~vqrom_hw.isa.commands.operand_layout` says;
    - MULTIPLY (a window of two words): the same with the product of both operands, each less its
      zero point;
    - TABLE (a window of one word): entry ``x + 128`` of the lane's table, as it is;
    - DEPTHWISE: the same with the sum of products with the weights of ``taps`` window positions;
      bias, multiplier and shift come from the parameter packet;
    - SLIDING: the same over ``kernel_columns`` columns of the map, each of which is read once for
      all outputs of its row: level 0 walks down the kernel's rows, level 1 along the map's
      columns; an output is complete with its last column, and after the first one of a row with
      each ``column_stride``-th column.

    With ``broadcast`` the second operand of the operations on two words is one word for all
    windows, read before the first one, and windows have one word. Whatever the operation, the
    result of lane ``i`` goes to lane ``(i + rotation) % rows`` of its word in the buffer, of which
    ``lanes`` lanes from ``first_lane`` on are written. A configuration may leave out the operations
    on two words but for ADD together with ``broadcast``, TABLE, and these moves; commands do not
    ask for what is left out.

    The words move through a pipeline without gaps: they all advance, or none does while a result
    is complete and the one before it still waits for its write. A window's last word is held back
    until the lanes have had ``rows / vector_lanes`` advances for the result before (MAX needs
    one). A result is offered to the buffer :func:`write_latency` advances after its window's last
    word was asked for.

    Parameters
    ----------
    config:
        Parameters of the accelerator, from which all widths and depths follow.

    Members
    -------
    command: ``In(stream.Signature(vector_layout))``
        What to do; ready after the last write, and the next one begins two cycles later.
    busy: ``Out(1)``
        A command is under way.
    i: ``In(stream.Signature(bus_width))``
        For DEPTHWISE and SLIDING a packet of ``rows`` parameters
        (:data:`~vqrom_hw.lib.requantizer.parameter_layout`), then one of ``taps`` times ``rows``
        weights; for TABLE one of tables (:class:`~vqrom_hw.vector.table_store.TableStore`);
        nothing for the others.
    read: ``Out(1)``, read_address: ``Out(20)``, read_grant: ``In(1)``,
    read_word: ``In(8 * rows)``
        Read port of the activation buffer.
    write: ``Out(1)``, write_address: ``Out(20)``, write_mask: ``Out(rows)``,
    write_word: ``Out(8 * rows)``, write_grant: ``In(1)``
        Write port of the activation buffer; the mask has a bit for each lane.
    """

    command: stream.Interface
    busy: Signal
    i: stream.Interface
    read: Signal
    read_address: Signal
    read_grant: Signal
    read_word: Signal
    write: Signal
    write_address: Signal
    write_mask: Signal
    write_word: Signal
    write_grant: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        word = 8 * config.rows
        super().__init__({
            "command": In(stream.Signature(vector_layout)), "busy": Out(1),
            "i": In(stream.Signature(config.bus_width)),
            "read": Out(1), "read_address": Out(ADDRESS), "read_grant": In(1),
            "read_word": In(word),
            "write": Out(1), "write_address": Out(ADDRESS), "write_mask": Out(config.rows),
            "write_word": Out(word), "write_grant": In(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, command = self._config, self.command.payload
        operation = Signal(VectorOp)
        start, go, complete = (Signal(name=name) for name in ("start", "go", "complete"))
        m.submodules.loop_nest = nest = LoopNest(LEVELS)
        m.submodules.depthwise_store = store = DepthwiseStore(config)
        m.submodules.window_reducer = reducer = EnableInserter(go)(
            WindowReducer(config.rows, config.vector_columns))
        m.submodules.finisher = finisher = EnableInserter(go)(Finisher(config))
        m.d.comb += [
            operation.eq(command.operation), self.busy.eq(self.command.valid),
            nest.nest.eq(command.nest), nest.start.eq(start), store.taps.eq(command.taps),
            store.columns.eq(Mux(operation == VectorOp.SLIDING, command.kernel_columns, 1)),
            reducer.kernel_columns.eq(command.kernel_columns),
            reducer.operation.eq(operation), reducer.pad_value.eq(command.pad_value),
            reducer.weights.eq(store.weights), store.enable.eq(go),
            finisher.command.eq(command), finisher.parameters.eq(store.parameters),
            finisher.totals.eq(reducer.totals),
        ]
        step, last = self._issue(m, operation, go, start, nest, reducer, store)

        # Bit n: the last word of a window was issued n + 1 advances ago.
        latencies = {each: LOAD_LATENCY + finish_latency(config, each)
                     for each in available_operations(config)}
        pending = Signal(max(latencies.values()))
        incomplete = Signal.like(pending)
        with m.If(go):
            m.d.sync += pending.eq(incomplete << 1 | (step & last))
        m.d.comb += finisher.load.eq(pending[LOAD_LATENCY - 1])
        with m.Switch(operation):
            for each, latency in latencies.items():
                with m.Case(each):
                    m.d.comb += [complete.eq(pending[latency - 1]),
                                 incomplete.eq(pending[:latency - 1])]
        m.submodules.result_writer = writer = ResultWriter(config)
        m.d.comb += [
            writer.command.eq(command), writer.start.eq(start), writer.complete.eq(complete),
            writer.word.eq(finisher.word), go.eq(writer.go), self.write.eq(writer.write),
            self.write_address.eq(writer.write_address), self.write_mask.eq(writer.write_mask),
            self.write_word.eq(writer.write_word), writer.write_grant.eq(self.write_grant),
        ]

        table = self._keep_tables(m, go, finisher) if config.vector_tables != "none" else None
        m.submodules.unpacker = unpacker = Unpacker(config.bus_width, 8 * config.rows)
        wiring.connect(m, unpacker.i, wiring.flipped(self.i))
        share_unpacker(m, unpacker, [store, *([table] if table else [])])
        broadcast = self._read_operand(m, finisher) if config.vector_elementwise else None
        self._control(m, operation, start, store, table, broadcast,
                      ~nest.active & ~pending.any() & ~self.write)
        return m

    def _control(self, m: Module, operation: Value, start: Signal, store: DepthwiseStore,
                 table: TableStore | None, broadcast: Signal | None, idle: Value) -> None:
        """Begin a command once it has its packets and its operand, and end it.

        Parameters
        ----------
        broadcast: 1 bit
            To drive: read the operand of a broadcast now.
        idle: 1 bit
            Nothing of the command is under way.
        """
        command = self.command
        loaded = store.done | (table.done if table else 0)
        with m.FSM():
            with m.State("IDLE"), m.If(command.valid):
                m.d.comb += start.eq(1)
                m.next = "RUN"
                if broadcast is not None:
                    with m.If(command.payload.broadcast):
                        m.d.comb += start.eq(0)
                        m.next = "OPERAND"
                takers = {WEIGHTED: store} | ({(VectorOp.TABLE,): table} if table else {})
                for operations, taker in takers.items():
                    with m.If(is_one_of(operation, operations)):
                        m.d.comb += [taker.start.eq(1), start.eq(0)]
                        m.next = "LOAD"
            with m.State("LOAD"), m.If(loaded):
                m.d.comb += start.eq(1)
                m.next = "RUN"
            if broadcast is not None:
                with m.State("OPERAND"):
                    m.d.comb += broadcast.eq(1)
                    with m.If(self.read_grant):
                        m.d.comb += start.eq(1)
                        m.next = "RUN"
            with m.State("RUN"), m.If(idle):
                m.d.comb += command.ready.eq(1)
                m.next = "IDLE"

    def _keep_tables(self, m: Module, go: Value, finisher: Finisher) -> TableStore:
        """A store of tables in which the finisher looks bytes up."""
        m.submodules.table_store = table = TableStore(self._config)
        m.d.comb += [table.lane_tables.eq(self.command.payload.lane_tables),
                     table.enable.eq(go), table.step.eq(finisher.step), table.x.eq(finisher.x),
                     finisher.y.eq(table.y)]
        return table

    def _read_operand(self, m: Module, finisher: Finisher) -> Signal:
        """A signal that reads the operand of a broadcast, which is kept from the next cycle on."""
        broadcast, arrives = Signal(name="broadcast"), Signal()
        operand = Signal.like(self.read_word, name="operand")
        m.d.sync += arrives.eq(broadcast)
        with m.If(arrives):
            m.d.sync += operand.eq(self.read_word)
        m.d.comb += finisher.operand.eq(operand)
        with m.If(broadcast):
            m.d.comb += [self.read.eq(1), self.read_address.eq(self.command.payload.operand_base)]
        return broadcast

    def _issue(self, m: Module, operation: Value, go: Value, start: Value, nest: LoopNest,
               reducer: WindowReducer, store: DepthwiseStore) -> tuple[Value, Value]:
        """Read a word, unless a result would be complete too early for the lanes.

        Returns whether a word is issued in this cycle, and whether it completes a result.
        """
        steps, command = self._config.rows // self._config.vector_lanes, self.command.payload
        gap = Signal(range(steps))
        allowed, step, first, end, last, sliding = (Signal(name=name) for name in (
            "allowed", "step", "first", "end", "last", "sliding"))
        tap, skip = Signal.like(store.tap), Signal.like(command.column_stride, name="skip")
        # SLIDING: a column of the map takes the place of a window. ``skip`` counts the columns that
        # complete no output: at a row's start all but the kernel's last, then those that the
        # stride passes over.
        m.d.comb += [
            sliding.eq(operation == VectorOp.SLIDING),
            first.eq(nest.first[0] & (sliding | nest.first[1])),
            end.eq(nest.last[0] & (sliding | nest.last[1])),
            last.eq(end & (~sliding | (skip == 0))),
            allowed.eq(nest.active & go & ~(last & (gap != 0))),
            self.read.eq(allowed & nest.inside), self.read_address.eq(nest.address),
            step.eq(allowed & (~nest.inside | self.read_grant)), nest.step.eq(step),
        ]
        with m.If(go):
            m.d.sync += [
                reducer.valid.eq(step), reducer.first.eq(first), reducer.last.eq(end),
                reducer.inside.eq(nest.inside),
                store.tap.eq(tap), gap.eq(Mux(gap == 0, 0, gap - 1)),
            ]
            with m.If(step & last & (operation != VectorOp.MAX)):
                m.d.sync += gap.eq(steps - 1)
        with m.If(start | (step & end & nest.last[1])):
            m.d.sync += skip.eq(command.kernel_columns - 1)
        with m.Elif(step & end):
            m.d.sync += skip.eq(Mux(skip == 0, command.column_stride - 1, skip - 1))
        with m.If(start | (step & end)):
            m.d.sync += tap.eq(0)
        with m.Elif(step):
            m.d.sync += tap.eq(tap + 1)

        # A word comes in the cycle after its read even if nothing advances in that cycle.
        fresh = Signal()
        held = Signal.like(self.read_word)
        m.d.sync += [fresh.eq(step), held.eq(reducer.word)]
        m.d.comb += reducer.word.eq(Mux(fresh, self.read_word, held))
        return step, last
