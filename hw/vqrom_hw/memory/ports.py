"""The ports of the activation buffer: who has which, and what belongs to one."""

from dataclasses import dataclass
from enum import IntEnum

from amaranth.hdl import Signal


class BufferReader(IntEnum):
    """Read port of each unit. Where two want the same bank, the lower number is served."""

    ARRAY = 0
    VECTOR = 1
    STORE = 2


class BufferWriter(IntEnum):
    """Write port of each unit. Where two want the same bank, the lower number is served."""

    POST = 0
    VECTOR = 1
    LOAD = 2


@dataclass(frozen=True)
class ReadPort:
    """The signals of one read port of the activation buffer, as they stand in its interface.

    Members
    -------
    request: ``In(1)``
        The unit wants to read; port ``read_<n>``.
    address: ``In(20)``
        Which word; port ``read_address_<n>``.
    grant: ``Out(1)``
        The request is served in this cycle; low without one; port ``read_grant_<n>``.
    word: ``Out(8 * rows)``
        The word of a read served in the previous cycle; port ``read_word_<n>``.
    """

    request: Signal
    address: Signal
    grant: Signal
    word: Signal


@dataclass(frozen=True)
class WritePort:
    """The signals of one write port of the activation buffer, as they stand in its interface.

    Members
    -------
    request: ``In(1)``
        The unit wants to write; port ``write_<n>``.
    address: ``In(20)``
        Which word; port ``write_address_<n>``.
    mask: ``In(rows)``
        Which bytes of it; port ``write_mask_<n>``.
    word: ``In(8 * rows)``
        The bytes; port ``write_word_<n>``.
    grant: ``Out(1)``
        The request is served in this cycle; low without one; port ``write_grant_<n>``.
    """

    request: Signal
    address: Signal
    mask: Signal
    word: Signal
    grant: Signal
