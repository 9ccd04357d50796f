"""From one result of each lane to a word of bytes, a few lanes a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import PAIRS, WEIGHTED, VectorOp, available_operations, vector_layout
from vqrom_hw.lib import Requantizer, parameter_layout

from .choose import is_one_of
from .combine import PairCombiner, combine_latency

TABLE_LATENCY = 1
"""Cycles from a byte to what its table says."""


def finish_latency(config: AcceleratorConfig, operation: VectorOp) -> int:
    """Cycles from ``load`` of the :class:`Finisher` to the word that it came to.

    Parameters
    ----------
    config:
        Number of lanes, and how many of them are requantised a cycle.
    operation:
        MAX needs no requantisation, TABLE a look-up in its place, and operations on two words
        combine their operands before it.
    """
    if operation == VectorOp.MAX:
        return 1
    steps = config.rows // config.vector_lanes
    if operation == VectorOp.TABLE:
        return steps + TABLE_LATENCY
    return steps + Requantizer.LATENCY + (combine_latency(operation) if operation in PAIRS else 0)


class Finisher(wiring.Component):
    """Turn the int32 results of a window into a word of bytes, a few lanes a cycle.

    A window takes several words to read and gives one word, so requantisation lanes for all
    channels would mostly idle. The finisher has ``vector_lanes`` of them: it shifts the results of
    ``rows`` lanes past in ``rows / vector_lanes`` steps and collects the bytes. TABLE looks the
    bytes of a step up instead. MAX passes as it is, in one cycle.

    Parameters
    ----------
    config:
        Number of lanes, how many of them are requantised a cycle, and the operations that there
        are.

    Members
    -------
    command: ``In(vector_layout)``
        The operation and its numbers; steady while results are under way.
    parameters: ``In(ArrayLayout(parameter_layout, rows))``
        Bias, multiplier and shift of each lane, for DEPTHWISE and SLIDING; the other operations
        have those of the command.
    operand: ``In(8 * rows)``
        The second operand of all windows, where the command broadcasts it.
    x: ``Out(ArrayLayout(8, vector_lanes))``, step: ``Out(range(rows // vector_lanes))``
        TABLE: bytes to look up, and the step that they belong to.
    y: ``In(ArrayLayout(8, vector_lanes))``
        What their tables say, :data:`TABLE_LATENCY` cycles later.
    load: ``In(1)``
        Take ``totals``; at least ``rows / vector_lanes`` cycles after the one before, for MAX one.
    totals: ``In(ArrayLayout(signed(32), rows))``
        Results of a window, as :class:`~vqrom_hw.vector.reduce.WindowReducer` leaves them.
    word: ``Out(8 * rows)``
        The bytes, complete :func:`finish_latency` cycles after ``load``, for one cycle.
    """

    command: data.View
    parameters: data.View
    operand: Signal
    x: data.View
    step: Signal
    y: data.View
    load: Signal
    totals: data.View
    word: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        lanes = data.ArrayLayout(8, config.vector_lanes)
        super().__init__({
            "command": In(vector_layout),
            "parameters": In(data.ArrayLayout(parameter_layout, config.rows)),
            "operand": In(8 * config.rows),
            "x": Out(lanes), "step": Out(range(config.rows // config.vector_lanes)),
            "y": In(lanes),
            "load": In(1), "totals": In(data.ArrayLayout(signed(32), config.rows)),
            "word": Out(8 * config.rows),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, lanes = self._config.rows, self._config.vector_lanes
        steps, available = rows // lanes, available_operations(self._config)
        results = Signal(self.totals.shape())
        step = self.step
        with m.If(self.load):
            m.d.sync += [results.eq(self.totals), step.eq(0)]
        with m.Else():
            m.d.sync += [results.eq(results.as_value()[32 * lanes:]), step.eq(step + 1)]

        group = Signal(data.ArrayLayout(parameter_layout, lanes))
        operand = Signal(8 * lanes)
        with m.Switch(step):
            for number in range(steps):
                with m.Case(number):
                    m.d.comb += [
                        group.eq(Cat(self.parameters[number * lanes + lane]
                                     for lane in range(lanes))),
                        operand.eq(self.operand.word_select(number, 8 * lanes)),
                    ]
        done = Cat(self._lane(m, lane, results[lane], group[lane], operand.word_select(lane, 8))
                   for lane in range(lanes))
        if VectorOp.TABLE in available:
            m.d.comb += self.x.eq(Cat(results[lane][:8] for lane in range(lanes)))
            done = Mux(self.command.operation == VectorOp.TABLE, self.y.as_value(), done)
        finished = Signal(8 * rows)
        earlier = Signal(8 * (rows - lanes))
        m.d.comb += finished.eq(Cat(earlier, done))
        m.d.sync += earlier.eq(finished[8 * lanes:])

        maximum = Cat(results[lane][:8] for lane in range(rows))
        m.d.comb += self.word.eq(
            Mux(self.command.operation == VectorOp.MAX, maximum, finished))
        return m

    def _lane(self, m: Module, lane: int, result: Value, parameter: data.View,
              operand: Value) -> Signal:
        """One requantisation lane; its byte."""
        command, elementwise = self.command, self._config.vector_elementwise
        pairs = [each for each in available_operations(self._config) if each in PAIRS]
        m.submodules[f"combiner_{lane}"] = combiner = PairCombiner(elementwise)
        second = Mux(command.broadcast, operand, result[8:16]) if elementwise else result[8:16]
        m.submodules[f"requantizer_{lane}"] = requantizer = Requantizer(pre_shift=True)
        own = requantizer.parameter
        m.d.comb += [
            combiner.operation.eq(command.operation), combiner.operands.eq(command.operands),
            combiner.x[0].eq(result[:8]), combiner.x[1].eq(second),
            requantizer.i.eq(Mux(is_one_of(command.operation, pairs), combiner.value, result)),
            requantizer.pre_shift.eq(command.pre_shift),
            own.bias.eq(command.bias), own.multiplier.eq(command.multiplier),
            own.shift.eq(command.shift),
            requantizer.zero_point.eq(command.range.zero_point),
            requantizer.low.eq(command.range.low), requantizer.high.eq(command.range.high),
        ]
        with m.If(is_one_of(command.operation, WEIGHTED)):
            m.d.comb += own.eq(parameter)
        return requantizer.byte
