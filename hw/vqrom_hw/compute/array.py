"""The processing array: one codeword per PE, activations broadcast, columns summed."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig


class ProcessingElement(wiring.Component):
    """Multiply a sub-vector of activations with the codeword held here; latency one cycle.

    Parameters
    ----------
    subvector:
        ``d``: length of sub-vector and codeword.

    Members
    -------
    activations: ``In(ArrayLayout(signed(8), d))``
        Sub-vector of this cycle.
    codeword: ``In(8 * d)``
        Next weights, stored in the shadow register when ``load``.
    load, swap: ``In(1)``
        Store ``codeword``; take the shadow register over (``activations`` of the next cycle meet
        the new weights).
    product: ``Out(signed(16 + log2(d)))``
        Dot product of the previous cycle's activations with the weights held then.
    """

    def __init__(self, subvector: int):
        self._subvector = subvector
        super().__init__({
            "activations": In(data.ArrayLayout(signed(8), subvector)),
            "codeword": In(8 * subvector),
            "load": In(1),
            "swap": In(1),
            "product": Out(signed(product_width(subvector))),
        })

    def elaborate(self, platform):
        m = Module()
        shadow = Signal(8 * self._subvector)
        weights = Signal(data.ArrayLayout(signed(8), self._subvector))
        with m.If(self.load):
            m.d.sync += shadow.eq(self.codeword)
        with m.If(self.swap):
            m.d.sync += weights.as_value().eq(shadow)
        m.d.sync += self.product.eq(
            sum(self.activations[lane] * weights[lane] for lane in range(self._subvector)))
        return m


class ColumnAdder(wiring.Component):
    """Sum of one column's products; latency one cycle.

    Members
    -------
    products: ``In(ArrayLayout(signed(width), groups))``
        From the PEs of the column.
    total: ``Out(signed(width + ceil_log2(groups)))``
        Sum of the previous cycle's products.
    """

    def __init__(self, groups: int, width: int):
        self._groups = groups
        super().__init__({
            "products": In(data.ArrayLayout(signed(width), groups)),
            "total": Out(signed(width + (groups - 1).bit_length())),
        })

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.total.eq(sum(self.products[group] for group in range(self._groups)))
        return m


def product_width(subvector: int) -> int:
    """Bits of a dot product of ``subvector`` int8 pairs."""
    return 16 + (subvector - 1).bit_length()


class ProcessingArray(wiring.Component):
    """``groups x columns`` PEs; latency :attr:`LATENCY` cycles from activations to totals.

    Members
    -------
    activations: ``In(8 * rows)``
        One word: ``rows`` int8 channels, channel 0 lowest.
    swap: ``In(1)``
        This word is the first of a tile: take the shadow registers over for it.
    step: ``In(fill_steps)``, codewords: ``In(ArrayLayout(codeword_width, decode_ports))``
        From :class:`vqrom_hw.weights.loader.WeightLoader`.
    totals: ``Out(ArrayLayout(signed(...), columns))``
        Dot product of the word with each column's weights.
    """

    LATENCY = 3

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        self.total_width = product_width(config.subvector) + (config.pe_rows - 1).bit_length()
        super().__init__({
            "activations": In(8 * config.rows),
            "swap": In(1),
            "step": In(config.fill_steps),
            "codewords": In(data.ArrayLayout(config.codeword_width, config.decode_ports)),
            "totals": Out(data.ArrayLayout(signed(self.total_width), config.columns)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self._config
        word = Signal(8 * config.rows)
        m.d.sync += word.eq(self.activations)
        for column in range(config.columns):
            adder = ColumnAdder(config.pe_rows, product_width(config.subvector))
            m.submodules[f"column_adder_{column}"] = adder
            m.d.comb += self.totals[column].eq(adder.total)
            for group in range(config.pe_rows):
                number = group * config.columns + column
                element = ProcessingElement(config.subvector)
                m.submodules[f"processing_element_{group}_{column}"] = element
                m.d.comb += [
                    element.activations.as_value().eq(
                        word.word_select(group, config.codeword_width)),
                    element.codeword.eq(self.codewords[number % config.decode_ports]),
                    element.load.eq(self.step[number // config.decode_ports]),
                    element.swap.eq(self.swap),
                    adder.products[group].eq(element.product),
                ]
        return m
