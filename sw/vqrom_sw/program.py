"""A compiled network: commands, constants, and where feature maps lie."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vqrom_hw.commands import COMMAND_BYTES, Opcode, Stream, pack_command
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError

ALIGNMENT = 64
"""Bytes: every block in DRAM starts at a multiple, which is a beat at every bus width."""


def align(size: int, unit: int = ALIGNMENT) -> int:
    """Round up to a multiple of ``unit``."""
    return -(-size // unit) * unit


@dataclass(frozen=True)
class Placement:
    """A feature map ``[H, W, C]`` in words of ``rows`` channels, pixel by pixel.

    Members
    -------
    base:
        First word in the activation buffer.
    shape:
        ``(H, W, C)``.
    rows:
        Channels of a word.
    """

    base: int
    shape: tuple[int, int, int]
    rows: int

    @property
    def channel_words(self) -> int:
        """Words of one pixel."""
        return -(-self.shape[2] // self.rows)

    @property
    def words(self) -> int:
        """Words of the whole map."""
        return self.shape[0] * self.shape[1] * self.channel_words


@dataclass(frozen=True)
class Operation:
    """One command with the constants that it consumes.

    Members
    -------
    layer:
        Index into :attr:`Program.layers`.
    command:
        Fields for :func:`vqrom_hw.commands.pack_command`.
    weights, parameters:
        Contents of its packets, or None; ``weight_stream`` says what the weights are.
    """

    layer: int
    command: dict[str, object]
    weights: bytes | None = None
    weight_stream: Stream = Stream.INDEX
    parameters: bytes | None = None

    @property
    def steps(self) -> int:
        """Words that the command reads or writes, beats that it moves: a measure of its work."""
        command: dict[str, Any] = self.command
        nest = math.prod(level["count"] for level in command.get("nest", {}).get("levels", ()))
        post = command.get("post", {})
        return nest + post.get("pixels", 0) * post.get("passes", 0) + command.get("beats", 0)


@dataclass(frozen=True)
class Program:
    """What the accelerator needs to run one network.

    Members
    -------
    config:
        The accelerator it is compiled for.
    layers:
        Names of its layers in execution order, with ``"load"`` first and ``"store"`` last.
    commands:
        The command list, a multiple of a beat.
    constants:
        Weights and parameters: DRAM region ``CONSTANT``.
    input, output:
        Placement of input and output.
    fetched_bytes:
        Per layer and stream, what its commands move in DRAM, and the commands themselves: equal to
        the hardware's counters in sum.
    cycle_limit:
        Clock cycles that one run stays far below, so that a simulation of hardware that hangs ends.
    """

    config: AcceleratorConfig
    layers: tuple[str, ...]
    commands: bytes
    constants: bytes
    input: Placement
    output: Placement
    fetched_bytes: tuple[dict[str, int], ...] = field(repr=False)
    cycle_limit: int

    @property
    def program_beats(self) -> int:
        """Length of the command list in beats."""
        return len(self.commands) // self.config.beat_bytes

    @property
    def input_bytes(self) -> int:
        """Bytes of one input in DRAM."""
        return align(self.input.words * self.config.rows)

    @property
    def output_bytes(self) -> int:
        """Bytes of one output in DRAM."""
        return align(self.output.words * self.config.rows)

    def input_image(self, inputs: np.ndarray, zero_point: int) -> np.ndarray:
        """Lay out int8 ``[N, H, W, C]`` as uint8 ``[N, input_bytes]``.

        Lanes beyond the channels hold the zero point.
        """
        count, height, width, channels = inputs.shape
        place = self.input
        lanes = place.channel_words * place.rows
        words = np.full((count, height, width, lanes), zero_point, np.int8)
        words[..., :channels] = inputs
        image = np.zeros((count, self.input_bytes), np.uint8)
        image[:, :place.words * place.rows] = words.reshape(count, -1).view(np.uint8)
        return image

    def output_maps(self, image: np.ndarray) -> np.ndarray:
        """Inverse for outputs: uint8 ``[N, output_bytes]`` to int8 ``[N, H, W, C]``."""
        place = self.output
        height, width, channels = place.shape
        words = np.ascontiguousarray(image[:, :place.words * place.rows]).view(np.int8)
        return words.reshape(len(image), height, width, -1)[..., :channels].copy()


class Assembler:
    """Puts operations into commands and constants, fetching one operation ahead of use."""

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        self._constants = bytearray()
        self._offsets: dict[bytes, int] = {}

    def assemble(self, operations: list[Operation],
                 layers: int) -> tuple[bytes, bytes, list[dict[str, int]]]:
        """Commands, constants and bytes moved per layer and stream."""
        moved: list[dict[str, int]] = [{"command": 0} for _ in range(layers)]
        commands: list[bytes] = []
        for number, operation in enumerate(operations):
            for other in operations[number + (number > 0):number + 2]:
                commands += self._fetches(other, moved[other.layer])
            commands.append(pack_command(layer=operation.layer, **operation.command))
            moved[operation.layer]["command"] += COMMAND_BYTES
            self._count_transfer(operation, moved[operation.layer])
        commands.append(pack_command(opcode=Opcode.END, layer=layers - 1))
        moved[-1]["command"] += COMMAND_BYTES
        return b"".join(commands), bytes(self._constants), moved

    def _fetches(self, operation: Operation, moved: dict[str, int]) -> list[bytes]:
        commands = []
        for stream, content in ((operation.weight_stream, operation.weights),
                                (Stream.PARAMETER, operation.parameters)):
            if content is None:
                continue
            beats = -(-len(content) // self._config.beat_bytes)
            commands.append(pack_command(
                opcode=Opcode.FETCH, layer=operation.layer, stream=stream,
                offset=self._place(content), beats=beats))
            name = stream.name.lower()
            moved[name] = moved.get(name, 0) + beats * self._config.beat_bytes
            moved["command"] += COMMAND_BYTES
        return commands

    def _count_transfer(self, operation: Operation, moved: dict[str, int]) -> None:
        names = {Opcode.LOAD: "activation_read", Opcode.STORE: "activation_write"}
        name = names.get(operation.command["opcode"])  # type: ignore[arg-type]
        if name:
            beats = int(operation.command["beats"])  # type: ignore[call-overload]
            moved[name] = moved.get(name, 0) + beats * self._config.beat_bytes

    def _place(self, content: bytes) -> int:
        """Offset of a block; equal blocks are stored once."""
        if content not in self._offsets:
            self._offsets[content] = len(self._constants)
            self._constants += content + bytes(align(len(content)) - len(content))
            if len(self._constants) >= 1 << 32:
                raise VqromError(
                    f"constants must be below 2**32 bytes, not {len(self._constants)!r}")
        return self._offsets[content]
