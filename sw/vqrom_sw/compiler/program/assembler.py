"""Assembly: scheduled operations as table lines, and their packets as constants in DRAM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COMMAND_BYTES, Opcode, Region

from ..feature_map import align
from ..operations import Operation, Packet
from ..order import Schedule
from .command_table import WAITS, new_row

TRANSFER_STREAMS = {Opcode.LOAD: "activation_read", Opcode.STORE: "activation_write"}
"""The traffic streams under which the bytes of a LOAD and a STORE are counted."""


@dataclass(frozen=True)
class Assembly:
    """The command list and the constants that it fetches.

    Members
    -------
    table:
        The command list, int64 ``[n, len(COLUMNS)]``.
    constants:
        Contents of the CONSTANT region; empty if assembled without contents.
    constant_bytes:
        Size of that region.
    fetched_bytes:
        For each layer, the bytes that its commands move in DRAM by traffic stream.
    """

    table: np.ndarray = field(repr=False)
    constants: bytes = field(repr=False)
    constant_bytes: int
    fetched_bytes: tuple[dict[str, int], ...] = field(repr=False)


def assemble(scheduled: Schedule, config: AcceleratorConfig, layers: int, *, check: bool,
             contents: bool) -> Assembly:
    """Make the command list: CHECK first if asked for, END last, FETCH commands in between.

    A packet is fetched one operation ahead of its use, for the array and the vector unit each: the
    bytes of the next operation arrive while this one runs, and the FIFOs hold no more than that.

    Parameters
    ----------
    scheduled:
        The operations and their waits.
    config:
        Parameters of the accelerator that the program is for.
    layers:
        Number of layers that operations count for.
    check:
        Begin with a CHECK, which stops unless the ROM holds the right codebook.
    contents:
        Make the contents of constants, not only their sizes.

    Raises
    ------
    VqromError
        If the constants take more bytes than an offset can address.
    """
    assembler = _Assembler(config, layers, contents)
    table = assembler.assemble(scheduled, check)
    return Assembly(table, b"".join(assembler.constants), assembler.constant_bytes,
                    tuple(assembler.moved))


class _Assembler:
    """Appends table lines, places constants, and counts what both move."""

    def __init__(self, config: AcceleratorConfig, layers: int, contents: bool):
        self._config = config
        self._contents = contents
        self._offsets: dict[tuple[object, ...], int] = {}
        self.constants: list[bytes] = []
        self.constant_bytes = 0
        self.moved: list[dict[str, int]] = [{"command": 0} for _ in range(layers)]

    def assemble(self, scheduled: Schedule, check: bool) -> np.ndarray:
        """Turn scheduled operations into lines of the command table, a FETCH for each packet among
        them, as an int array ``[lines, columns]``."""
        operations = scheduled.operations
        ahead = _fetch_positions(operations)
        lines: list[list[int]] = []
        if check:
            lines.append(self._line(Opcode.CHECK, 0, {}))
        for position, (operation, counts) in enumerate(
                zip(operations, scheduled.waits, strict=True)):
            for number in ahead.get(position, ()):
                lines += [self._fetch(operations[number].layer, packet)
                          for packet in operations[number].packets]
            lines.append(self._line(operation.opcode, operation.layer,
                                    operation.fields | dict(zip(WAITS, counts, strict=True))))
            self._count_transfer(operation)
        lines.append(self._line(Opcode.END, len(self.moved) - 1, {}))
        return np.array(lines, np.int64)

    def _line(self, opcode: Opcode, layer: int, fields: Mapping[str, int]) -> list[int]:
        """A table line, whose own bytes count for its layer."""
        self._count(layer, "command", COMMAND_BYTES)
        return new_row({"opcode": opcode, "layer": layer, **fields})

    def _fetch(self, layer: int, packet: Packet) -> list[int]:
        """The FETCH that brings a packet."""
        beats = -(-packet.size // self._config.beat_bytes)
        self._count(layer, packet.stream.name.lower(), beats * self._config.beat_bytes)
        return self._line(Opcode.FETCH, layer, {
            "channel": packet.channel, "stream": packet.stream, "region": Region.CONSTANT,
            "offset": self._place(packet), "beats": beats})

    def _count_transfer(self, operation: Operation) -> None:
        if operation.opcode in TRANSFER_STREAMS:
            self._count(operation.layer, TRANSFER_STREAMS[operation.opcode],
                        operation.fields["beats"] * self._config.beat_bytes)

    def _count(self, layer: int, stream: str, size: int) -> None:
        moved = self.moved[layer]
        moved[stream] = moved.get(stream, 0) + size

    def _place(self, packet: Packet) -> int:
        """The packet's offset in the CONSTANT region; equal packets are stored once."""
        offset = self._offsets.get(packet.key)
        if offset is None:
            self._offsets[packet.key] = offset = self.constant_bytes
            size = align(packet.size)
            self.constant_bytes += size
            if self.constant_bytes >= 1 << 32:
                raise VqromError(
                    f"constants must be below 2**32 bytes, not {self.constant_bytes!r}")
            if self._contents:
                content = packet.content()
                assert len(content) == packet.size, packet.key
                self.constants.append(content + bytes(size - packet.size))
        return offset


def _fetch_positions(operations: list[Operation]) -> dict[int, list[int]]:
    """For each operation, those whose packets are fetched right before it.

    They are the next ones with packets: at the array's, the array's next; at the vector unit's, the
    vector unit's next.
    """
    ahead: dict[int, list[int]] = {}
    before: dict[bool, int] = {}
    for number, operation in enumerate(operations):
        if operation.packets:
            on_array = operation.opcode != Opcode.VECTOR
            ahead.setdefault(before.get(on_array, 0), []).append(number)
            before[on_array] = number
    return ahead
