"""The activation buffer: feature maps on chip, interleaved over banks that many units share."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ADDRESS


def bank_of(address: int, banks: int) -> int:
    """Bank that holds a word: XOR of all ``log2(banks)``-bit digits of its address.

    Any ``banks`` consecutive words from a multiple of ``banks`` on lie in different banks, and so
    do, as a rule, words a power of two apart.
    """
    bank = 0
    while banks > 1 and address:
        bank ^= address % banks
        address //= banks
    return bank


class ActivationBank(wiring.Component):
    """One memory of the buffer, in a module of its own so that a macro can take its place.

    Members
    -------
    read: ``In(1)``, read_address: ``In(range(depth))``, read_word: ``Out(8 * rows)``
        Read port, latency one cycle; a word read while it is written comes out as it was before.
    write_address: ``In(range(depth))``, write_mask: ``In(rows)``, write_word: ``In(8 * rows)``
        Write port: bytes whose mask bit is set.
    """

    def __init__(self, depth: int, rows: int):
        self._depth = depth
        self._rows = rows
        super().__init__({
            "read": In(1), "read_address": In(range(depth)), "read_word": Out(8 * rows),
            "write_address": In(range(depth)), "write_mask": In(rows), "write_word": In(8 * rows),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = words = memory.Memory(
            shape=8 * self._rows, depth=self._depth, init=[])
        read, write = words.read_port(), words.write_port(granularity=8)
        m.d.comb += [
            read.en.eq(self.read), read.addr.eq(self.read_address), self.read_word.eq(read.data),
            write.addr.eq(self.write_address), write.en.eq(self.write_mask),
            write.data.eq(self.write_word),
        ]
        return m


class ActivationBuffer(wiring.Component):
    """``activation_banks`` memories with a read and a write port each; read latency one cycle.

    Word ``a`` is word ``a >> log2(banks)`` of bank :func:`bank_of`. In each cycle every bank
    serves the lowest-numbered reader and the lowest-numbered writer that ask for it; port 0 is
    always served. A word read in the cycle in which it is written comes out as it was before. An
    access beyond ``activation_words`` is granted, reported and not performed.

    Parameters
    ----------
    config:
        Dimensions.
    readers, writers:
        Ports, numbered from 0.

    Members
    -------
    read_<n>: ``In(1)``, read_address_<n>: ``In(20)``, read_grant_<n>: ``Out(1)``
        Request, and whether it is served in this cycle (low without a request).
    read_word_<n>: ``Out(8 * rows)``
        Word of a read served in the previous cycle.
    write_<n>: ``In(1)``, write_address_<n>: ``In(20)``, write_mask_<n>: ``In(rows)``,
    write_word_<n>: ``In(8 * rows)``, write_grant_<n>: ``Out(1)``
        Request to write the bytes whose mask bit is set, and whether it is served in this cycle.
    range_error: ``Out(readers + writers)``
        Readers, then writers: the port asks for a word that does not exist.
    reads, writes: ``Out(range(readers + 1))``, ``Out(range(writers + 1))``
        Accesses performed in this cycle.
    """

    def __init__(self, config: AcceleratorConfig, readers: int = 3, writers: int = 3):
        self._config = config
        self._readers = readers
        self._writers = writers
        word = 8 * config.rows
        members = {
            "range_error": Out(readers + writers),
            "reads": Out(range(readers + 1)), "writes": Out(range(writers + 1)),
        }
        for port in range(readers):
            members |= {f"read_{port}": In(1), f"read_address_{port}": In(ADDRESS),
                        f"read_grant_{port}": Out(1), f"read_word_{port}": Out(word)}
        for port in range(writers):
            members |= {f"write_{port}": In(1), f"write_address_{port}": In(ADDRESS),
                        f"write_mask_{port}": In(config.rows), f"write_word_{port}": In(word),
                        f"write_grant_{port}": Out(1)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        reads, read_errors, served_reads = self._arbitrate(m, "read", self._readers)
        writes, write_errors, served_writes = self._arbitrate(m, "write", self._writers)
        m.d.comb += [self.range_error.eq(Cat(read_errors, write_errors)),
                     self.reads.eq(sum(served_reads)), self.writes.eq(sum(served_writes))]
        words = []
        for bank, (asked_read, asked_write) in enumerate(zip(reads, writes, strict=True)):
            storage = ActivationBank(
                self._config.activation_words // self._config.activation_banks, self._config.rows)
            m.submodules[f"activation_bank_{bank}"] = storage
            m.d.comb += storage.read.eq(Cat(asked_read).any())
            words.append(storage.read_word)
            self._connect(m, storage, asked_read, asked_write)
        for port in range(self._readers):
            select = Signal(len(reads), name=f"select_{port}")
            m.d.sync += select.eq(Cat(asked[port] for asked in reads))
            with m.Switch(select):
                for bank, word in enumerate(words):
                    with m.Case("-" * (len(words) - 1 - bank) + "1" + "-" * bank):
                        m.d.comb += getattr(self, f"read_word_{port}").eq(word)
        return m

    def _arbitrate(self, m, kind, ports):
        """Served requests by bank and port, errors and served requests by port."""
        banks = self._config.activation_banks
        digit = exact_log2(banks)
        served = [[Signal(name=f"{kind}_{bank}_{port}") for port in range(ports)]
                  for bank in range(banks)]
        errors, performed = [], []
        for port in range(ports):
            request = getattr(self, f"{kind}_{port}")
            address = getattr(self, f"{kind}_address_{port}")
            number = Const(0, digit)
            for place in range(0, ADDRESS if digit else 0, digit or 1):
                number = number ^ address[place:place + digit]
            error = Signal(name=f"{kind}_error_{port}")
            done = Cat(served[bank][port] for bank in range(banks)).any()
            m.d.comb += [
                error.eq(request & (address >= self._config.activation_words)),
                getattr(self, f"{kind}_grant_{port}").eq(error | done),
            ]
            for bank in range(banks):
                taken = Cat(served[bank][:port]).any()
                m.d.comb += served[bank][port].eq(request & ~error & (number == bank) & ~taken)
            errors.append(error)
            performed.append(done)
        return served, errors, performed

    def _connect(self, m, storage, asked_read, asked_write):
        for port in range(self._readers):
            with m.If(asked_read[port]):
                m.d.comb += storage.read_address.eq(self._inner(f"read_address_{port}"))
        for port in range(self._writers):
            with m.If(asked_write[port]):
                m.d.comb += [storage.write_address.eq(self._inner(f"write_address_{port}")),
                             storage.write_word.eq(getattr(self, f"write_word_{port}")),
                             storage.write_mask.eq(getattr(self, f"write_mask_{port}"))]

    def _inner(self, name):
        return getattr(self, name) >> exact_log2(self._config.activation_banks)
