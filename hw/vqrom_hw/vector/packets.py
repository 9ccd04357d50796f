"""Packets of the vector unit's read channel, as words: one unpacker for all who keep what comes."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Member, Out

from vqrom_hw.lib import LENGTH_BITS, Unpacker


def packet_members(rows: int) -> dict[str, Member]:
    """Ports of a component that takes packets of words.

    Parameters
    ----------
    rows:
        Bytes of a word.

    Members
    -------
    length: ``Out(stream.Signature(32))``
        Words of the next packet; it is taken at once, since nobody else has a packet under way.
    words: ``In(stream.Signature(8 * rows))``
        The words of the packet.
    last: ``In(1)``
        The word on offer is the packet's last.
    """
    return {"length": Out(stream.Signature(LENGTH_BITS)), "words": In(stream.Signature(8 * rows)),
            "last": In(1)}


class PacketPorts:
    """The ports of :func:`packet_members`, as attributes of a component that has them."""

    length: stream.Interface
    words: stream.Interface
    last: Signal


def share_unpacker(m: Module, unpacker: Unpacker, takers: Sequence[PacketPorts]) -> None:
    """Give an unpacker's words to whoever has told it the length of a packet.

    Parameters
    ----------
    takers:
        Only one of them at a time has a packet under way, and the others take no word.
    """
    m.d.comb += [
        unpacker.length.valid.eq(Cat(taker.length.valid for taker in takers).any()),
        unpacker.o.ready.eq(Cat(taker.words.ready for taker in takers).any()),
    ]
    for taker in takers:
        m.d.comb += [taker.length.ready.eq(unpacker.length.ready),
                     taker.words.valid.eq(unpacker.o.valid),
                     taker.words.payload.eq(unpacker.o.payload), taker.last.eq(unpacker.last)]
        with m.If(taker.length.valid):
            m.d.comb += unpacker.length.payload.eq(taker.length.payload)
