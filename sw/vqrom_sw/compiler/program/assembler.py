"""TODO."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COMMAND_BYTES, Channel, Opcode, Region, Stream
from vqrom_sw.compiler.operations import Operation, Packet

from .command_table import COLUMN, new_row
from .program import align

WAITS = ("wait_load", "wait_array", "wait_post", "wait_vector", "wait_store")


class Assembler:
    """Puts operations and their waits into commands and constants, fetching one operation ahead.

    Parameters
    ----------
    config:
        Accelerator.
    layers:
        Number of layers.
    contents:
        Make the contents of constants, not only their sizes.
    """

    def __init__(self, config: AcceleratorConfig, layers: int, contents: bool):
        self._config = config
        self._contents = contents
        self._constants: list[bytes] = []
        self._offsets: dict[tuple[object, ...], int] = {}
        self.constant_bytes = 0
        self.moved: list[dict[str, int]] = [{"command": 0} for _ in range(layers)]

    def assemble(self, operations: list[Operation], waits: list[list[int]],
                 check: bool) -> np.ndarray:
        """The table of commands, CHECK first if asked for, END last."""
        ahead = self._fetch_positions(operations)
        rows: list[list[int]] = []
        if check:
            rows.append(self._row(Opcode.CHECK, 0, {}))
        for position, (operation, counts) in enumerate(zip(operations, waits, strict=True)):
            for number in ahead.get(position, ()):
                rows += [self._fetch(operations[number].layer, packet)
                         for packet in operations[number].packets]
            rows.append(self._row(operation.opcode, operation.layer,
                                  operation.fields | dict(zip(WAITS, counts, strict=True))))
            self._count_transfer(operation)
        rows.append(self._row(Opcode.END, len(self.moved) - 1, {}))
        return np.array(rows, np.int64)

    @property
    def constants(self) -> bytes:
        """Contents of the CONSTANT region."""
        return b"".join(self._constants)

    @staticmethod
    def _fetch_positions(operations: list[Operation]) -> dict[int, list[int]]:
        """Operations whose packets are fetched before each one: a unit's next ones."""
        ahead: dict[int, list[int]] = {}
        before: dict[bool, int] = {}
        for number, operation in enumerate(operations):
            if operation.packets:
                on_array = operation.opcode != Opcode.VECTOR
                ahead.setdefault(before.get(on_array, 0), []).append(number)
                before[on_array] = number
        return ahead

    def _row(self, opcode: Opcode, layer: int, fields: Mapping[str, int]) -> list[int]:
        row = new_row(fields)
        row[COLUMN["opcode"]], row[COLUMN["layer"]] = opcode, layer
        self.moved[layer]["command"] += COMMAND_BYTES
        return row

    def _fetch(self, layer: int, packet: Packet) -> list[int]:
        beats = -(-packet.size // self._config.beat_bytes)
        self._count(layer, packet.stream, beats)
        return self._row(Opcode.FETCH, layer, {
            "channel": packet.channel, "stream": packet.stream, "region": Region.CONSTANT,
            "offset": self._place(packet), "beats": beats})

    def _count_transfer(self, operation: Operation) -> None:
        if operation.opcode in (Opcode.LOAD, Opcode.STORE):
            name = "activation_read" if operation.opcode == Opcode.LOAD else "activation_write"
            moved = self.moved[operation.layer]
            count = operation.fields["beats"] * self._config.beat_bytes
            moved[name] = moved.get(name, 0) + count

    def _count(self, layer: int, stream: Stream, beats: int) -> None:
        name = stream.name.lower()
        moved = self.moved[layer]
        moved[name] = moved.get(name, 0) + beats * self._config.beat_bytes

    def _place(self, packet: Packet) -> int:
        """Offset of a block; equal blocks are stored once."""
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
                self._constants.append(content + bytes(size - packet.size))
        return offset


def packet_of_codebook(codewords: np.ndarray) -> Packet:
    """The codebook for an SRAM."""
    content = np.ascontiguousarray(codewords).astype(np.int8).tobytes()
    return Packet(Channel.WEIGHT, Stream.CODEBOOK, ("codebook",), len(content), lambda: content)
