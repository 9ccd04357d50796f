"""The activation buffer: feature maps on chip, a word of ``rows`` channels per pixel."""

from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class ActivationBuffer(wiring.Component):
    """Two-port memory with byte enables; read latency one cycle.

    A word read in the cycle in which it is written comes out as it was before.

    Members
    -------
    read: ``In(1)``, read_address: ``In(range(words))``, read_word: ``Out(8 * rows)``
        Read port; the word stays until the next read.
    write: ``In(1)``, write_address: ``In(range(words))``, write_mask: ``In(rows)``,
    write_word: ``In(8 * rows)``
        Write port: bytes whose mask bit is set.
    """

    def __init__(self, words: int, rows: int):
        self._words = words
        self._rows = rows
        super().__init__({
            "read": In(1), "read_address": In(range(words)), "read_word": Out(8 * rows),
            "write": In(1), "write_address": In(range(words)), "write_mask": In(rows),
            "write_word": In(8 * rows),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = words = memory.Memory(
            shape=8 * self._rows, depth=self._words, init=[])
        write, read = words.write_port(granularity=8), words.read_port()
        enable = self.write_mask & self.write.replicate(self._rows)
        m.d.comb += [
            read.en.eq(self.read), read.addr.eq(self.read_address), self.read_word.eq(read.data),
            write.addr.eq(self.write_address), write.data.eq(self.write_word),
            write.en.eq(enable),
        ]
        return m
