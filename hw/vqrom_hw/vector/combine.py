"""From the two operands of a lane to one number."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import VectorOp, operand_layout
from vqrom_hw.lib import OperandRescaler


def combine_latency(operation: VectorOp) -> int:
    """Cycles from the operands of a :class:`PairCombiner` to its value.

    Parameters
    ----------
    operation:
        MULTIPLY takes its operands as they are, the others of
        :data:`~vqrom_hw.isa.PAIRS` rescale them.
    """
    return 2 if operation == VectorOp.MULTIPLY else OperandRescaler.LATENCY + 1


class PairCombiner(wiring.Component):
    """One lane of the operations on two words, before requantisation.

    Sums, differences, maxima and minima are taken in a scale that both operands are brought to
    first. A product has the product of both scales, so that its operands only lose their zero
    points: TFLite's MUL of int8 maps.

    A pipeline that takes operands in every cycle; ``value`` follows :func:`combine_latency` cycles
    later.

    Parameters
    ----------
    elementwise:
        Whether it can do more than ADD.

    Members
    -------
    operation: ``In(VectorOp)``, operands: ``In(ArrayLayout(operand_layout, 2))``
        One of :data:`~vqrom_hw.isa.PAIRS`, and how its operands are rescaled; steady while values
        are under way.
    x: ``In(ArrayLayout(signed(8), 2))``
        The operands.
    value: ``Out(signed(32))``
        What they come to.
    """

    operation: Signal
    operands: data.View
    x: data.View
    value: Signal

    def __init__(self, elementwise: bool) -> None:
        self._elementwise = elementwise
        super().__init__({
            "operation": In(VectorOp), "operands": In(data.ArrayLayout(operand_layout, 2)),
            "x": In(data.ArrayLayout(signed(8), 2)), "value": Out(signed(32)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rescalers = [OperandRescaler() for _ in range(2)]
        for number, rescaler in enumerate(rescalers):
            m.submodules[f"rescaler_{number}"] = rescaler
            m.d.comb += [rescaler.i.eq(self.x[number]),
                         rescaler.operand.eq(self.operands[number])]
        first, second = (rescaler.value for rescaler in rescalers)
        if not self._elementwise:
            m.d.sync += self.value.eq(first + second)
            return m
        product = Signal(signed(18))
        larger, smaller = Mux(first > second, first, second), Mux(first > second, second, first)
        m.d.sync += product.eq(rescalers[0].difference * rescalers[1].difference)
        with m.Switch(self.operation):
            for operation, result in ((VectorOp.SUBTRACT, first - second),
                                      (VectorOp.MAXIMUM, larger), (VectorOp.MINIMUM, smaller),
                                      (VectorOp.MULTIPLY, product)):
                with m.Case(operation):
                    m.d.sync += self.value.eq(result)
            with m.Default():
                m.d.sync += self.value.eq(first + second)
        return m
