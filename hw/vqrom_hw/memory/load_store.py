"""LOAD and STORE: feature maps between the bus and the activation buffer."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ADDRESS, transfer_layout
from vqrom_hw.lib import HeadFifo, Unpacker


class ActivationLoader(wiring.Component):
    """LOAD: cut packets of bytes into words of the activation buffer.

    In DRAM an input is packed, byte after byte; in the buffer each pixel begins at a new word of
    ``rows`` lanes. Each of ``packets`` packets begins at a beat and becomes ``words`` words (all of
    them at least 1). A word takes ``window`` bytes, its other lanes hold ``pad_value``, and the
    next word begins ``hop`` bytes later; both are in 1..rows. Windows that overlap (``hop`` below
    ``window``) lay a first layer's few channels out so that a word covers several pixels. What is
    left of a packet's last beat is dropped. All words go to ``base`` and on.

    One word per cycle when the beats suffice, without a gap between packets. A beat is taken when
    the next word lacks it, so never one of the next command's. A command whose words take fewer or
    more beats than it says is an error.

    Parameters
    ----------
    config:
        Width of the bus and of words.

    Members
    -------
    command: ``In(stream.Signature(transfer_layout))``
        What to load; ready in the cycle of the last write.
    busy: ``Out(1)``
        A command is under way.
    mismatch: ``Out(1)``
        Its words lack a beat beyond those that it says, or the last one is written and beats are
        left.
    i: ``In(stream.Signature(bus_width))``
        Beats of the packets.
    write: ``Out(1)``, write_address: ``Out(20)``, write_mask: ``Out(rows)``,
    write_word: ``Out(8 * rows)``, write_grant: ``In(1)``
        Write port of the activation buffer; the mask is all ones.
    """

    command: stream.Interface
    busy: Signal
    mismatch: Signal
    i: stream.Interface
    write: Signal
    write_address: Signal
    write_mask: Signal
    write_word: Signal
    write_grant: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__({
            "command": In(stream.Signature(transfer_layout)), "busy": Out(1),
            "mismatch": Out(1), "i": In(stream.Signature(config.bus_width)),
            "write": Out(1), "write_address": Out(ADDRESS), "write_mask": Out(config.rows),
            "write_word": Out(8 * config.rows), "write_grant": In(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rows, beat_bytes = self._config.rows, self._config.beat_bytes
        command = self.command.payload
        window, hop = (Signal(range(rows + 1), name=name) for name in ("window", "hop"))
        running, emit, last, final, lacking, accept = (
            Signal(name=name)
            for name in ("running", "emit", "last", "final", "lacking", "accept"))
        words, next_words = (Signal.like(command.words, name=name)
                             for name in ("words", "next_words"))
        packets, beats = Signal.like(command.packets), Signal.like(command.beats)
        address = Signal(ADDRESS)
        # Bytes in the buffer, now and when this cycle's word is gone.
        level, kept = (Signal(range(rows + beat_bytes), name=name) for name in ("level", "kept"))

        def lacks(count: Value, is_last: Value) -> Value:
            return (count < window) | (~is_last & (count < hop))

        m.d.comb += [
            window.eq(command.window), hop.eq(command.hop), self.busy.eq(self.command.valid),
            last.eq(words == 1), final.eq(last & (packets == 1)),
            self.write.eq(running & ~lacks(level, last)), emit.eq(self.write & self.write_grant),
            kept.eq(Mux(emit, Mux(last, 0, level - hop), level)),
            next_words.eq(Mux(emit, Mux(last, command.words, words - 1), words)),
            lacking.eq(running & ~(emit & final) & lacks(kept, next_words == 1)),
            self.i.ready.eq(lacking & (beats != 0)),
            self.mismatch.eq(Mux(beats == 0, lacking, emit & final)),
            accept.eq(self.i.ready & self.i.valid),
            self.command.ready.eq(emit & final),
            self.write_address.eq(address), self.write_mask.eq(~0),
        ]
        m.d.sync += [level.eq(Mux(accept, kept + beat_bytes, kept)), words.eq(next_words),
                     packets.eq(packets - (emit & last)), address.eq(address + emit),
                     beats.eq(beats - accept)]
        with m.If(~running):
            m.d.sync += [
                running.eq(self.command.valid), level.eq(0), words.eq(command.words),
                packets.eq(command.packets), address.eq(command.base), beats.eq(command.beats),
            ]
        with m.Elif(self.command.ready):
            m.d.sync += running.eq(0)
        buffer = self._align(m, emit, last, accept, kept)
        for lane in range(rows):
            byte = buffer.word_select(lane, 8)
            m.d.comb += self.write_word.word_select(lane, 8).eq(
                Mux(lane < window, byte, command.pad_value))
        return m

    def _align(self, m: Module, emit: Value, last: Value, accept: Value, kept: Value) -> Signal:
        """Bytes of words to come, the next one lowest, zeros above; beats go above those kept."""
        rows, beat_bytes = self._config.rows, self._config.beat_bytes
        buffer = Signal(8 * (rows - 1 + beat_bytes), name="waiting_bytes")
        rest, beat = (Signal.like(buffer, name=name) for name in ("rest", "beat"))
        place = kept[:(rows - 1).bit_length()]
        with m.If(~emit):
            m.d.comb += rest.eq(buffer)
        with m.Elif(~last):
            m.d.comb += rest.eq(buffer >> bits_of(self.command.payload.hop))
        with m.If(accept):
            m.d.comb += beat.eq(self.i.payload << bits_of(place))
        m.d.sync += buffer.eq(rest | beat)
        return buffer


def bits_of(count: Value) -> Value:
    """Bits of a number of bytes: eight times as many, by wiring alone."""
    return Cat(Const(0, 3), count)


class ActivationStorer(wiring.Component):
    """STORE: pack consecutive words of the activation buffer into beats.

    ``beats`` is ``words * rows / beat_bytes``, rounded up; what lies in the last beat beyond the
    last word is arbitrary. Words are read ahead into a short queue, since the buffer answers a
    cycle later and may refuse, and the write DMA may stall.

    A word a cycle, or a beat a cycle where words are the larger.

    Parameters
    ----------
    config:
        Width of the bus and of words.

    Members
    -------
    command: ``In(stream.Signature(transfer_layout))``
        What to store; ready once all beats are out and ``written``.
    busy: ``Out(1)``
        A command is under way.
    done_reading: ``Out(1)``
        Pulse in the cycle of the last granted read.
    written: ``In(1)``
        No beat that went out is unacknowledged.
    read: ``Out(1)``, read_address: ``Out(20)``, read_grant: ``In(1)``,
    read_word: ``In(8 * rows)``
        Read port of the activation buffer.
    o: ``Out(stream.Signature(bus_width))``
        Beats for the write DMA.
    """

    QUEUE = 3
    """Words between buffer and beats: two are under way at full speed, one takes up a stall."""

    command: stream.Interface
    busy: Signal
    done_reading: Signal
    written: Signal
    read: Signal
    read_address: Signal
    read_grant: Signal
    read_word: Signal
    o: stream.Interface

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__({
            "command": In(stream.Signature(transfer_layout)), "busy": Out(1),
            "done_reading": Out(1), "written": In(1),
            "read": Out(1), "read_address": Out(ADDRESS), "read_grant": In(1),
            "read_word": In(8 * config.rows),
            "o": Out(stream.Signature(config.bus_width)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        command, width = self.command.payload, 8 * self._config.rows
        m.submodules.unpacker = unpacker = Unpacker(width, self._config.bus_width)
        m.submodules.queue = queue = HeadFifo(width, self.QUEUE)
        words = Signal.like(command.words)
        beats = Signal.like(command.beats)
        address = Signal(ADDRESS)
        running, granted, arriving, sent = (
            Signal(name=name) for name in ("running", "granted", "arriving", "sent"))
        wiring.connect(m, unpacker.o, wiring.flipped(self.o))
        m.d.comb += [
            self.busy.eq(self.command.valid),
            unpacker.length.valid.eq(self.command.valid & ~running),
            unpacker.length.payload.eq(command.beats),
            self.read.eq((words != 0) & (queue.level + arriving < self.QUEUE)),
            self.read_address.eq(address), granted.eq(self.read & self.read_grant),
            self.done_reading.eq(granted & (words == 1)),
            queue.i.payload.eq(self.read_word), queue.i.valid.eq(arriving),
            # A last beat that the words do not fill is filled with whatever is there.
            unpacker.i.valid.eq(queue.o.valid | (running & (words == 0) & ~arriving)),
            unpacker.i.payload.eq(queue.o.payload), queue.o.ready.eq(unpacker.i.ready),
            sent.eq(self.o.valid & self.o.ready),
            self.command.ready.eq(running & (beats == 0) & self.written),
        ]
        m.d.sync += [arriving.eq(granted), words.eq(words - granted),
                     address.eq(address + granted), beats.eq(beats - sent)]
        with m.If(self.command.ready):
            m.d.sync += running.eq(0)
        with m.Elif(unpacker.length.valid & unpacker.length.ready):
            m.d.sync += [running.eq(1), words.eq(command.words), beats.eq(command.beats),
                         address.eq(command.base)]
        return m
