"""One port of the codebook that is built in."""

from collections.abc import Sequence

from amaranth.hdl import ClockSignal, Instance, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.errors import VqromError

MACRO = "vqrom_codebook_rom"
"""Module name of the black box in the form ``macro``: inputs ``clk``, ``enable`` and ``index``,
output ``codeword``."""

MEMORIES = {"readmemh": "codebook", "logic": "codebook_logic"}
"""Name of the memory in each form. :mod:`vqrom_hw.export.verilog` knows by it how to write the
memory's contents."""


class CodebookRom(wiring.Component):
    """The universal codebook as a ROM with one synchronous read port; latency one cycle.

    A ROM of codewords is what the accelerator holds instead of weight memories: an index goes in,
    ``d`` weights come out. Each decode port is one instance: a ROM is constant logic, so copies
    share nothing anyway, and synthesis meets one module however many ports there are.

    Parameters
    ----------
    codewords:
        ``k >= 2`` unsigned integers: the bytes of a codeword, first weight lowest.
    width:
        Bits of a codeword.
    form:
        ``readmemh``, ``logic`` or ``macro``: how the Verilog holds the codewords, as in
        :class:`vqrom_hw.config.AcceleratorConfig`. Simulations of Amaranth have no macro.

    Members
    -------
    index: ``In(ceil_log2(k))``
        Number of the codeword to read, 0 to ``k - 1``.
    enable: ``In(1)``
        Read; without it ``codeword`` keeps its value.
    codeword: ``Out(width)``
        The codeword that ``index`` named in the previous enabled cycle.

    Raises
    ------
    VqromError
        If there are fewer than two codewords or one does not fit ``width``.
    """

    index: Signal
    enable: Signal
    codeword: Signal

    def __init__(self, codewords: Sequence[int], width: int, form: str = "readmemh") -> None:
        if len(codewords) < 2:
            raise VqromError(f"codewords must be at least 2, not {len(codewords)!r}")
        for codeword in codewords:
            if not 0 <= codeword < 1 << width:
                raise VqromError(f"codeword must fit in {width} bits, not {codeword!r}")
        self._codewords = list(codewords)
        self._width = width
        self._form = form
        super().__init__({
            "index": In(index_width(len(codewords))),
            "enable": In(1),
            "codeword": Out(width),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self._form == "macro":
            m.submodules.macro = Instance(
                MACRO, i_clk=ClockSignal(), i_enable=self.enable, i_index=self.index,
                o_codeword=self.codeword)
            return m
        words = memory.Memory(
            shape=self._width, depth=len(self._codewords), init=self._codewords)
        m.submodules[MEMORIES[self._form]] = words
        port = words.read_port()
        m.d.comb += [port.addr.eq(self.index), port.en.eq(self.enable),
                     self.codeword.eq(port.data)]
        return m
