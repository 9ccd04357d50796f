"""The activation buffer: feature maps on chip, interleaved over banks that the units share."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Member, Out
from amaranth.utils import exact_log2

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ADDRESS

from .ports import ReadPort, WritePort


def bank_of(address: int, banks: int) -> int:
    """Which bank holds a word: the exclusive or of all ``log2(banks)``-bit digits of its address.

    Any ``banks`` consecutive words from a multiple of ``banks`` on lie in different banks, and so
    do, as a rule, words a power of two apart; plain interleaving would put the latter into one.

    Parameters
    ----------
    address:
        Word address in the buffer.
    banks:
        Number of banks, a power of two.
    """
    bank = 0
    while banks > 1 and address:
        bank ^= address % banks
        address //= banks
    return bank


class ActivationBank(wiring.Component):
    """One memory of the buffer, in a module of its own so that a macro can take its place.

    Parameters
    ----------
    depth:
        Number of words of this bank.
    rows:
        Bytes of a word.

    Members
    -------
    read: ``In(1)``, read_address: ``In(range(depth))``
        Read this word.
    read_word: ``Out(8 * rows)``
        The word read, one cycle later. A word that is written in the cycle of its read comes out as
        it was before.
    write_address: ``In(range(depth))``, write_mask: ``In(rows)``, write_word: ``In(8 * rows)``
        Write the bytes of this word whose mask bit is set.
    """

    read: Signal
    read_address: Signal
    read_word: Signal
    write_address: Signal
    write_mask: Signal
    write_word: Signal

    def __init__(self, depth: int, rows: int) -> None:
        self._depth = depth
        self._rows = rows
        super().__init__({
            "read": In(1), "read_address": In(range(depth)), "read_word": Out(8 * rows),
            "write_address": In(range(depth)), "write_mask": In(rows), "write_word": In(8 * rows),
        })

    def elaborate(self, platform: object) -> Module:
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
    """On-chip memory for feature maps, which several units read and write at the same time.

    The array, the vector unit, post-processing, LOAD and STORE all work at once. A memory with a
    port for each would be large, so the buffer is ``activation_banks`` plain memories with one read
    and one write port each, and word ``a`` is word ``a >> log2(banks)`` of bank :func:`bank_of`.
    Units that walk through different places rarely meet in a bank. Where they do, the lowest
    number is served and the others try again: in each cycle every bank serves the lowest-numbered
    reader and the lowest-numbered writer that ask for it. Port 0, which the array and
    post-processing have, is therefore always served.

    Read latency is one cycle. A word read in the cycle in which it is written comes out as it was
    before. An access beyond ``activation_words`` is granted, reported and not performed.

    Parameters
    ----------
    config:
        Size of the buffer and of its words, number of banks.
    readers, writers:
        Number of ports, which are numbered from 0.

    Members
    -------
    read_<n>: ``In(1)``, read_address_<n>: ``In(20)``, read_grant_<n>: ``Out(1)``,
    read_word_<n>: ``Out(8 * rows)``
        Read port ``n``, in Python :attr:`read_ports`: see
        :class:`~vqrom_hw.memory.ports.ReadPort`.
    write_<n>: ``In(1)``, write_address_<n>: ``In(20)``, write_mask_<n>: ``In(rows)``,
    write_word_<n>: ``In(8 * rows)``, write_grant_<n>: ``Out(1)``
        Write port ``n``, in Python :attr:`write_ports`: see
        :class:`~vqrom_hw.memory.ports.WritePort`.
    range_error: ``Out(readers + writers)``
        A bit for each reader, then for each writer: it asks for a word that does not exist.
    reads: ``Out(range(readers + 1))``, writes: ``Out(range(writers + 1))``
        Accesses performed in this cycle, for the counters.
    """

    range_error: Signal
    reads: Signal
    writes: Signal
    read_ports: tuple[ReadPort, ...]
    """The read ports by number."""
    write_ports: tuple[WritePort, ...]
    """The write ports by number."""

    def __init__(self, config: AcceleratorConfig, readers: int = 3,
                 writers: int = 3) -> None:
        self._config = config
        word = 8 * config.rows
        members: dict[str, Member] = {
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
        self.read_ports = tuple(
            ReadPort(*(getattr(self, f"read{part}_{port}")
                       for part in ("", "_address", "_grant", "_word")))
            for port in range(readers))
        self.write_ports = tuple(
            WritePort(*(getattr(self, f"write{part}_{port}")
                        for part in ("", "_address", "_mask", "_word", "_grant")))
            for port in range(writers))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        reads, read_errors, served_reads = self._arbitrate(m, "read", self.read_ports)
        writes, write_errors, served_writes = self._arbitrate(m, "write", self.write_ports)
        m.d.comb += [self.range_error.eq(Cat(read_errors, write_errors)),
                     self.reads.eq(sum(served_reads)), self.writes.eq(sum(served_writes))]
        words: list[Signal] = []
        for bank, (asked_read, asked_write) in enumerate(zip(reads, writes, strict=True)):
            storage = ActivationBank(
                self._config.activation_words // self._config.activation_banks, self._config.rows)
            m.submodules[f"activation_bank_{bank}"] = storage
            m.d.comb += storage.read.eq(Cat(asked_read).any())
            words.append(storage.read_word)
            self._connect(m, storage, asked_read, asked_write)
        for number, port in enumerate(self.read_ports):
            select = Signal(len(reads), name=f"select_{number}")
            m.d.sync += select.eq(Cat(asked[number] for asked in reads))
            with m.Switch(select):
                for bank, word in enumerate(words):
                    with m.Case("-" * (len(words) - 1 - bank) + "1" + "-" * bank):
                        m.d.comb += port.word.eq(word)
        return m

    def _arbitrate(self, m: Module, kind: str, ports: tuple[ReadPort, ...] | tuple[WritePort, ...],
                   ) -> tuple[list[list[Signal]], list[Signal], list[Value]]:
        """Served requests by bank and port, errors by port, and served requests by port."""
        banks = self._config.activation_banks
        served = [[Signal(name=f"{kind}_{bank}_{port}") for port in range(len(ports))]
                  for bank in range(banks)]
        errors: list[Signal] = []
        performed: list[Value] = []
        for number, port in enumerate(ports):
            own_bank = self._bank_of(port.address)
            error = Signal(name=f"{kind}_error_{number}")
            done = Cat(served[bank][number] for bank in range(banks)).any()
            m.d.comb += [
                error.eq(port.request & (port.address >= self._config.activation_words)),
                port.grant.eq(error | done),
            ]
            for bank in range(banks):
                taken = Cat(served[bank][:number]).any()
                m.d.comb += served[bank][number].eq(
                    port.request & ~error & (own_bank == bank) & ~taken)
            errors.append(error)
            performed.append(done)
        return served, errors, performed

    def _bank_of(self, address: Signal) -> Value:
        """:func:`bank_of`, as gates."""
        digit = exact_log2(self._config.activation_banks)
        bank: Value = Const(0, digit)
        for place in range(0, ADDRESS if digit else 0, digit or 1):
            bank = bank ^ address[place:place + digit]
        return bank

    def _connect(self, m: Module, storage: ActivationBank, asked_read: list[Signal],
                 asked_write: list[Signal]) -> None:
        """Address and data of the port that a bank serves; at most one port of a kind asks."""
        digit = exact_log2(self._config.activation_banks)
        for asked, reader in zip(asked_read, self.read_ports, strict=True):
            with m.If(asked):
                m.d.comb += storage.read_address.eq(reader.address >> digit)
        for asked, writer in zip(asked_write, self.write_ports, strict=True):
            with m.If(asked):
                m.d.comb += [storage.write_address.eq(writer.address >> digit),
                             storage.write_word.eq(writer.word),
                             storage.write_mask.eq(writer.mask)]
