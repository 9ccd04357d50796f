"""From one result of each lane to a word of bytes, a few lanes a cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import VectorOp, vector_layout
from vqrom_hw.lib import OperandRescaler, Requantizer, parameter_layout


def finish_latency(config: AcceleratorConfig, operation: VectorOp) -> int:
    """Cycles from ``load`` of the :class:`Finisher` to the word that it came to.

    Parameters
    ----------
    config:
        Number of lanes, and how many of them are requantised a cycle.
    operation:
        MAX needs no requantisation, ADD rescales its operands before it.
    """
    if operation == VectorOp.MAX:
        return 1
    steps = config.rows // config.vector_lanes
    adder = OperandRescaler.LATENCY + 1 if operation == VectorOp.ADD else 0
    return steps + adder + Requantizer.LATENCY


class Finisher(wiring.Component):
    """Turn the int32 results of a window into a word of bytes, a few lanes a cycle.

    A window takes several words to read and gives one word, so requantisation lanes for all
    channels would mostly idle. The finisher has ``vector_lanes`` of them: it shifts the results of
    ``rows`` lanes past in ``rows / vector_lanes`` steps and collects the bytes. MAX passes as it
    is, in one cycle.

    Parameters
    ----------
    config:
        Number of lanes, and how many of them are requantised a cycle.

    Members
    -------
    command: ``In(vector_layout)``
        The operation and its numbers; steady while results are under way.
    parameters: ``In(ArrayLayout(parameter_layout, rows))``
        Bias, multiplier and shift of each lane, for DEPTHWISE and SLIDING; the other operations
        have those of the command.
    load: ``In(1)``
        Take ``totals``; at least ``rows / vector_lanes`` cycles after the one before, for MAX one.
    totals: ``In(ArrayLayout(signed(32), rows))``
        Results of a window, as :class:`~vqrom_hw.vector.reduce.WindowReducer` leaves them.
    word: ``Out(8 * rows)``
        The bytes, complete :func:`finish_latency` cycles after ``load``, for one cycle.
    """

    command: data.View
    parameters: data.View
    load: Signal
    totals: data.View
    word: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__({
            "command": In(vector_layout),
            "parameters": In(data.ArrayLayout(parameter_layout, config.rows)),
            "load": In(1), "totals": In(data.ArrayLayout(signed(32), config.rows)),
            "word": Out(8 * config.rows),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, lanes = self._config.rows, self._config.vector_lanes
        steps = rows // lanes
        results = Signal(self.totals.shape())
        step = Signal(range(steps))
        with m.If(self.load):
            m.d.sync += [results.eq(self.totals), step.eq(0)]
        with m.Else():
            m.d.sync += [results.eq(results.as_value()[32 * lanes:]), step.eq(step + 1)]

        group = Signal(data.ArrayLayout(parameter_layout, lanes))
        with m.Switch(step):
            for number in range(steps):
                with m.Case(number):
                    m.d.comb += group.eq(Cat(
                        self.parameters[number * lanes + lane] for lane in range(lanes)))
        done = Cat(self._lane(m, lane, results[lane], group[lane]) for lane in range(lanes))
        finished = Signal(8 * rows)
        earlier = Signal(8 * (rows - lanes))
        m.d.comb += finished.eq(Cat(earlier, done))
        m.d.sync += earlier.eq(finished[8 * lanes:])

        maximum = Cat(results[lane][:8] for lane in range(rows))
        m.d.comb += self.word.eq(
            Mux(self.command.operation == VectorOp.MAX, maximum, finished))
        return m

    def _lane(self, m: Module, lane: int, result: Value, parameter: data.View) -> Signal:
        """One requantisation lane; its byte."""
        command = self.command
        rescaled: list[Signal] = []
        for number in range(2):
            m.submodules[f"rescaler_{lane}_{number}"] = rescaler = OperandRescaler()
            m.d.comb += [rescaler.i.eq(result[8 * number:8 * number + 8].as_signed()),
                         rescaler.operand.eq(command.operands[number])]
            rescaled.append(rescaler.value)
        total = Signal(signed(32), name=f"total_{lane}")
        m.d.sync += total.eq(rescaled[0] + rescaled[1])
        m.submodules[f"requantizer_{lane}"] = requantizer = Requantizer(pre_shift=True)
        own = requantizer.parameter
        m.d.comb += [
            requantizer.i.eq(Mux(command.operation == VectorOp.ADD, total, result)),
            requantizer.pre_shift.eq(command.pre_shift),
            own.bias.eq(command.bias), own.multiplier.eq(command.multiplier),
            own.shift.eq(command.shift),
            requantizer.zero_point.eq(command.range.zero_point),
            requantizer.low.eq(command.range.low), requantizer.high.eq(command.range.high),
        ]
        with m.If((command.operation == VectorOp.DEPTHWISE)
                  | (command.operation == VectorOp.SLIDING)):
            m.d.comb += own.eq(parameter)
        return requantizer.byte
