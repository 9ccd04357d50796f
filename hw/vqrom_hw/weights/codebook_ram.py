"""One port of a codebook that programs load: the traditional baseline."""

from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.codebook import index_width


class CodebookRam(wiring.Component):
    """A RAM of ``codewords`` words with one read and one write port; read latency one cycle.

    Each decode port is one instance; all are written together. A read in the cycle of a write to
    the same word may give either: lookups wait for the whole codebook.

    Parameters
    ----------
    codewords:
        ``k >= 2``: depth.
    width:
        Bits of a codeword.

    Members
    -------
    index, enable, codeword:
        As in :class:`vqrom_hw.weights.codebook_rom.CodebookRom`.
    write: ``In(1)``, write_index: ``In(ceil_log2(k))``, write_codeword: ``In(width)``
        Store a codeword.
    """

    def __init__(self, codewords: int, width: int):
        self._codewords = codewords
        self._width = width
        index = index_width(codewords)
        super().__init__({
            "index": In(index), "enable": In(1), "codeword": Out(width),
            "write": In(1), "write_index": In(index), "write_codeword": In(width),
        })

    def elaborate(self, platform):
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
