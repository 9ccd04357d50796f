"""The processing array: one codeword per PE, activations broadcast, columns summed."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig


class ProcessingElement(wiring.Component):
    """Multiply a sub-vector of activations with the codeword held here; latency one cycle.

    A PE holds two codewords: the weights in use, and a shadow register that the weight loader
    fills meanwhile with the weights of the next tile. ``swap`` takes the shadow register over, so
    the array never stops for loading as long as the loader keeps up.

    Parameters
    ----------
    subvector:
        ``d``: length of sub-vector and codeword.

    Members
    -------
    activations: ``In(ArrayLayout(signed(8), d))``
        The sub-vector of this cycle.
    codeword: ``In(8 * d)``
        The next weights, first weight lowest; stored when ``load``.
    load: ``In(1)``
        Store ``codeword`` in the shadow register.
    swap: ``In(1)``
        Take the shadow register over; ``activations`` of the next cycle meet the new weights.
    product: ``Out(signed(16 + ceil_log2(d)))``
        Dot product of the previous cycle's activations with the weights held then.
    """

    activations: data.View
    codeword: Signal
    load: Signal
    swap: Signal
    product: Signal

    def __init__(self, subvector: int) -> None:
        self._subvector = subvector
        super().__init__({
            "activations": In(data.ArrayLayout(signed(8), subvector)),
            "codeword": In(8 * subvector),
            "load": In(1),
            "swap": In(1),
            "product": Out(signed(product_width(subvector))),
        })

    def elaborate(self, platform: object) -> Module:
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
    """Add up the products of one column's PEs; latency one cycle.

    The PEs of a column share an output channel and hold its sub-vectors side by side along the
    reduction, so their products belong to one sum.

    Parameters
    ----------
    pe_rows:
        PEs of the column.
    width:
        Bits of a product.

    Members
    -------
    products: ``In(ArrayLayout(signed(width), pe_rows))``
        What the PEs of the column deliver.
    total: ``Out(signed(width + ceil_log2(pe_rows)))``
        Sum of the previous cycle's products.
    """

    products: data.View
    total: Signal

    def __init__(self, pe_rows: int, width: int) -> None:
        self._pe_rows = pe_rows
        super().__init__({
            "products": In(data.ArrayLayout(signed(width), pe_rows)),
            "total": Out(signed(width + (pe_rows - 1).bit_length())),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.total.eq(sum(self.products[row] for row in range(self._pe_rows)))
        return m


def product_width(subvector: int) -> int:
    """Bits of a dot product of ``subvector`` pairs of int8."""
    return 16 + (subvector - 1).bit_length()


class ProcessingArray(wiring.Component):
    """``pe_rows x columns`` PEs that multiply a word of activations with a tile of weights.

    All columns see the same word: sub-vector ``r`` of it is broadcast to the PEs of row ``r``, and
    each column adds its PEs' products up to one number for its output channel. A word a cycle;
    totals follow :attr:`LATENCY` cycles after activations: input register, products, sums.

    Parameters
    ----------
    config:
        Parameters of the accelerator, from which all widths and depths follow.

    Members
    -------
    activations: ``In(8 * rows)``
        One word: ``rows`` int8 channels, channel 0 lowest.
    swap: ``In(1)``
        This word is the first of a tile: take the shadow registers over for it.
    step: ``In(fill_steps)``, codewords: ``In(ArrayLayout(codeword_width, decode_ports))``
        Codewords for the shadow registers, from :class:`vqrom_hw.weights.WeightLoader`.
    totals: ``Out(ArrayLayout(signed(total_width), columns))``
        Dot product of the word with each column's weights.
    """

    LATENCY = 3
    """Cycles from ``activations`` to ``totals``."""

    activations: Signal
    swap: Signal
    step: Signal
    codewords: data.View
    totals: data.View
    total_width: int
    """Bits of a total: no sum of products overflows it."""

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        self.total_width = product_width(config.subvector) + (config.pe_rows - 1).bit_length()
        super().__init__({
            "activations": In(8 * config.rows),
            "swap": In(1),
            "step": In(config.fill_steps),
            "codewords": In(data.ArrayLayout(config.codeword_width, config.decode_ports)),
            "totals": Out(data.ArrayLayout(signed(self.total_width), config.columns)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        word = Signal(8 * config.rows)
        m.d.sync += word.eq(self.activations)
        for column in range(config.columns):
            adder = ColumnAdder(config.pe_rows, product_width(config.subvector))
            m.submodules[f"column_adder_{column}"] = adder
            m.d.comb += self.totals[column].eq(adder.total)
            for row in range(config.pe_rows):
                number = row * config.columns + column
                element = ProcessingElement(config.subvector)
                m.submodules[f"processing_element_{row}_{column}"] = element
                m.d.comb += [
                    element.activations.as_value().eq(
                        word.word_select(row, config.codeword_width)),
                    element.codeword.eq(self.codewords[number % config.decode_ports]),
                    element.load.eq(self.step[number // config.decode_ports]),
                    element.swap.eq(self.swap),
                    adder.products[row].eq(element.product),
                ]
        return m
