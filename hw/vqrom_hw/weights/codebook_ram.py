"""One port of a codebook that programs load: the traditional baseline."""

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.codebook_shape import index_width


class CodebookRam(wiring.Component):
    """A codebook in memory, with one read and one write port; read latency one cycle.

    It stands where :class:`~vqrom_hw.weights.codebook_rom.CodebookRom` stands if the configuration
    says ``codebook_storage = sram``, so that both can be compared in area and traffic. Each decode
    port is one instance, since a lookup port needs a copy of its own; all are written together. A
    read in the cycle of a write to the same codeword may give the old one or the new one: lookups
    wait for the whole codebook.

    Parameters
    ----------
    codewords:
        ``k >= 2``: number of codewords.
    width:
        Bits of a codeword.

    Members
    -------
    index: ``In(ceil_log2(k))``
        Number of the codeword to read, 0 to ``k - 1``.
    enable: ``In(1)``
        Read; without it ``codeword`` keeps its value.
    codeword: ``Out(width)``
        The codeword that ``index`` named in the previous enabled cycle.
    write: ``In(1)``
        Store ``write_codeword`` at ``write_index``.
    write_index: ``In(ceil_log2(k))``, write_codeword: ``In(width)``
        The codeword to store, and its place.
    """

    index: Signal
    enable: Signal
    codeword: Signal
    write: Signal
    write_index: Signal
    write_codeword: Signal

    def __init__(self, codewords: int, width: int) -> None:
        self._codewords = codewords
        self._width = width
        index = index_width(codewords)
        super().__init__({
            "index": In(index), "enable": In(1), "codeword": Out(width),
            "write": In(1), "write_index": In(index), "write_codeword": In(width),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.codewords = words = memory.Memory(
            shape=self._width, depth=self._codewords, init=[])
        write, read = words.write_port(), words.read_port()
        m.d.comb += [
            write.addr.eq(self.write_index), write.en.eq(self.write),
            write.data.eq(self.write_codeword),
            read.addr.eq(self.index), read.en.eq(self.enable), self.codeword.eq(read.data),
        ]
        return m
