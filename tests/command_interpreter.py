"""A second implementation of the command set: programs carried out in numpy from their bytes.

It knows nothing of the compiler, so that what it computes is what the bytes say. It runs a program
in list order, or with the units running apart from each other as wildly as the order within each
unit and the wait counts allow: a missing wait then gives wrong bytes sooner or later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib import data

from tests.command_vector import LANE, finish, moved, requantize, results, slide
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import (
    BODIES,
    COMMAND_BYTES,
    PAIRS,
    Channel,
    Opcode,
    Region,
    Unit,
    VectorOp,
    header_layout,
)
from vqrom_sw.compiler import Program

UNITS_OF = {Opcode.LOAD: (Unit.LOAD,), Opcode.STORE: (Unit.STORE,), Opcode.VECTOR: (Unit.VECTOR,),
            Opcode.COMPUTE: (Unit.ARRAY, Unit.POST)}
"""Units that a command runs on; their counts of finished commands grow when it is done."""


def unpack_record(layout: data.Layout, bits: int) -> Any:
    """Read the fields of a record out of its bits, as nested dicts and lists."""
    values = {}
    for key, field in layout:  # pyright: ignore[reportGeneralTypeIssues]
        part = bits >> field.offset & ((1 << field.width) - 1)
        if isinstance(field.shape, data.Layout):
            values[key] = unpack_record(field.shape, part)
        elif Shape.cast(field.shape).signed and part >> (field.width - 1):
            values[key] = part - (1 << field.width)
        else:
            values[key] = part
    return list(values.values()) if isinstance(layout, data.ArrayLayout) else values


@dataclass
class Command:
    """A decoded command: header fields, and the body as nested dicts and lists."""

    opcode: Opcode
    layer: int
    wait: dict[str, int]
    body: dict[str, Any]


def decode_commands(content: bytes) -> list[Command]:
    """Decode a command list as the accelerator reads it."""
    commands = []
    for first in range(0, len(content), COMMAND_BYTES):
        bits = int.from_bytes(content[first:first + COMMAND_BYTES], "little")
        header = unpack_record(header_layout, bits)
        opcode = Opcode(header["opcode"])
        body = unpack_record(BODIES[opcode], bits >> header_layout.size) \
            if opcode in BODIES else {}
        commands.append(Command(opcode, header["layer"], header["wait"], body))
    return commands


def nest_words(nest: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The word addresses of a loop nest, and whether each lies inside its map.

    Both are arrays ``[level 5, .., level 0]``, one axis for each loop.
    """
    address, y, x = (np.full((), nest[name]) for name in ("base", "y0", "x0"))
    for level in nest["levels"]:
        steps = np.arange(level["count"])
        address, y, x = (np.add.outer(steps * level[name], value)
                         for name, value in (("stride", address), ("dy", y), ("dx", x)))
    return address, (y >= 0) & (y < nest["height"]) & (x >= 0) & (x < nest["width"])


def target_words(target: dict[str, int], count: int) -> np.ndarray:
    """The addresses that ``count`` results go to, in the order in which they are written."""
    row, column = np.divmod(np.arange(count), target["width"])
    return target["base"] + row * target["row_stride"] + column * target["stride"]


class Interpreter:
    """Runs a program on one input. Each object runs it once.

    Parameters
    ----------
    program:
        The program, compiled with contents.
    codewords:
        The codebook in the ROM, int8 ``[k, d]``.
    inputs:
        The INPUT region, uint8 ``[input_bytes]``.
    seed:
        Seed of the random bytes that memories hold at first: no result may depend on them.
    """

    def __init__(self, program: Program, codewords: np.ndarray, inputs: np.ndarray,
                 seed: int = 0):
        rng = np.random.default_rng(seed)
        self.config: AcceleratorConfig = program.config
        self.commands = decode_commands(program.commands)
        self._codewords = codewords
        self._buffer = rng.integers(-128, 128, (self.config.activation_words, self.config.rows)
                                    ).astype(np.int8)
        self.regions = {region: rng.integers(0, 256, size).astype(np.uint8)
                        for region, size in program.region_bytes.items()}
        self.regions[Region.CONSTANT] = np.frombuffer(program.constants, np.uint8)
        self.regions[Region.INPUT] = inputs
        self._fifos: dict[Channel, list[np.ndarray]] = {channel: [] for channel in Channel}
        self._done = dict.fromkeys(Unit, 0)

    @property
    def output(self) -> np.ndarray:
        """The OUTPUT region, uint8 ``[output_bytes]``."""
        return self.regions[Region.OUTPUT]

    def run_in_order(self) -> None:
        """Carry out one command after the other; whatever a command waits for must be done."""
        for command in self.commands:
            self._dispatch(command)
            units = UNITS_OF.get(command.opcode, ())
            if command.opcode == Opcode.CODEBOOK:
                self._load_codebook(command)
            elif units:
                assert self._may_begin(command), command
                read, write = self._phases(command)
                write(read())
            for unit in units:
                self._done[unit] += 1
        self._check_end()

    def run_apart(self, rng: np.random.Generator) -> None:
        """Run each unit at a random speed, which changes now and then.

        A command reads and writes at its beginning or at its end, also at random.
        """
        for command in self.commands:
            self._dispatch(command)
        queues = {unit: [command for command in self.commands
                         if unit in UNITS_OF.get(command.opcode, ())] for unit in Unit}
        queues[Unit.ARRAY] = [command for command in self.commands
                              if command.opcode in (Opcode.COMPUTE, Opcode.CODEBOOK)]
        results: list[tuple[Callable, Any]] = []
        running: dict[Unit, Iterator[None]] = {}
        speed = rng.random(len(Unit)) ** 4 + 1e-3
        while any(queues.values()):
            ready = [unit for unit in Unit if unit in running or (
                queues[unit] and self._may_begin(queues[unit][0])
                and (unit != Unit.POST or self._done[Unit.POST] < len(results)))]
            assert ready, "deadlock"
            weights = speed[[int(unit) for unit in ready]]
            unit = ready[rng.choice(len(ready), p=weights / weights.sum())]
            if rng.random() < 0.02:
                speed = rng.random(len(Unit)) ** 4 + 1e-3
            if queues[unit][0].opcode == Opcode.CODEBOOK:
                self._load_codebook(queues[unit].pop(0))
                continue
            if unit not in running:
                running[unit] = self._life(unit, queues[unit][0], results, rng)
            if next(running[unit], "end") == "end":
                del running[unit]
                queues[unit].pop(0)
                self._done[unit] += 1
        self._check_end()

    def _life(self, unit: Unit, command: Command, results: list,
              rng: np.random.Generator) -> Iterator[None]:
        """One command in steps: it reads and writes at one moment, or at two moments."""
        early, late = rng.random() < 0.5, rng.random() < 0.5
        if unit == Unit.POST:
            write, value = results[self._done[Unit.POST]]
            if early:
                write(value)
            yield
            if not early:
                write(value)
            return
        read, write = self._phases(command)
        if not early:
            yield
        value = read()
        if unit == Unit.ARRAY:
            if early:
                yield
            results.append((write, value))
            return
        if early and late:
            yield
        write(value)
        if early and not late:
            yield

    def _check_end(self) -> None:
        assert self.commands[-1].opcode == Opcode.END
        assert not any(self._fifos.values()), "packets are left"

    def _may_begin(self, command: Command) -> bool:
        """Whether all units have finished what the command waits for, modulo 2**16."""
        distances = [(self._done[unit] - command.wait[unit.name.lower()]) & 0xFFFF
                     for unit in Unit]
        return all(distance < 1 << 15 for distance in distances)

    def _dispatch(self, command: Command) -> None:
        if command.opcode == Opcode.FETCH:
            transfer = command.body
            self._fifos[Channel(transfer["channel"])].append(self._dram(transfer).copy())

    def _load_codebook(self, command: Command) -> None:
        assert command.body["codewords"] == len(self._codewords)
        codebook = self._take(Channel.WEIGHT, self._codewords.size)
        np.testing.assert_array_equal(codebook.view(np.int8), self._codewords.ravel())

    def _dram(self, transfer: dict[str, int]) -> np.ndarray:
        """The bytes of DRAM that a FETCH, LOAD or STORE moves, as a view."""
        region = self.regions[Region(transfer["region"])]
        size = transfer["beats"] * self.config.beat_bytes
        assert transfer["offset"] % self.config.beat_bytes == 0
        assert transfer["offset"] + size <= len(region), transfer
        return region[transfer["offset"]:transfer["offset"] + size]

    def _take(self, channel: Channel, size: int) -> np.ndarray:
        """Take the next packet from a FIFO; it must have as many beats as ``size`` bytes take."""
        packet = self._fifos[channel].pop(0)
        assert len(packet) == -(-size // self.config.beat_bytes) * self.config.beat_bytes
        return packet[:size]

    def _phases(self, command: Command) -> tuple[Callable[[], Any], Callable[[Any], None]]:
        """What a command does when it reads, and what when it writes."""
        body = command.body
        match command.opcode:
            case Opcode.LOAD:
                return lambda: self._cut(body), lambda words: self._write(
                    body["base"] + np.arange(len(words)), words)
            case Opcode.STORE:
                return lambda: self._read(body["base"] + np.arange(body["words"])), \
                    lambda words: self._store(body, words)
            case Opcode.COMPUTE:
                return lambda: self._array(body), lambda sums: self._post(body, sums)
            case _:
                return lambda: self._vector(body), lambda result: self._write(
                    target_words(body["target"], len(result[0])), *result)

    def _read(self, addresses: np.ndarray) -> np.ndarray:
        assert addresses.min() >= 0 and addresses.max() < len(self._buffer)
        return self._buffer[addresses]

    def _write(self, addresses: np.ndarray, words: np.ndarray,
               lanes: slice = slice(None)) -> None:
        assert addresses.min() >= 0 and addresses.max() < len(self._buffer)
        assert len(np.unique(addresses)) == len(addresses)
        self._buffer[addresses, lanes] = words

    def _cut(self, body: dict[str, int]) -> np.ndarray:
        words, window, hop, rows = (*(body[name] for name in ("words", "window", "hop")),
                                    self.config.rows)
        assert 1 <= window <= rows and 1 <= hop <= rows
        beats = -(-((words - 1) * hop + window) // self.config.beat_bytes)
        assert body["beats"] == beats * body["packets"], body
        packets = self._dram(body).view(np.int8).reshape(body["packets"], -1)
        result = np.full((body["packets"], words, rows), body["pad_value"], np.int8)
        places = np.arange(words)[:, None] * hop + np.arange(window)
        result[:, :, :window] = packets[:, places]
        return result.reshape(-1, rows)

    def _store(self, body: dict[str, int], words: np.ndarray) -> None:
        place = self._dram(body)
        assert words.size == len(place)
        place[:] = words.ravel().view(np.uint8)

    def _activations(self, body: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        address, inside = nest_words(body["nest"])
        words = self._read(np.where(inside, address, 0)).astype(np.int64)
        words[~inside] = body["pad_value"]
        return words, inside

    def _array(self, body: dict[str, Any]) -> np.ndarray:
        """The sums of a COMPUTE, int64 ``[column tile, pixel, column]``."""
        config = self.config
        words, _ = self._activations(body)
        words = words.reshape(words.shape[0], -1, words.shape[4] * words.shape[5], config.rows)
        tiles, reduced, pixels, _ = words.shape
        assert pixels <= config.accumulator_depth
        assert body["fills"] == tiles * reduced * config.fill_steps
        units = self._weights(body["raw"], tiles * reduced * config.processing_elements)
        weights = units.reshape(tiles, reduced, config.pe_rows, config.columns, config.subvector)
        weights = weights.transpose(0, 1, 2, 4, 3).reshape(tiles, -1, config.columns)
        lanes = words.transpose(0, 2, 1, 3).reshape(tiles, pixels, -1)
        return (lanes.astype(np.float64) @ weights.astype(np.float64)).astype(np.int64)

    def _weights(self, raw: int, count: int) -> np.ndarray:
        config = self.config
        if raw:
            return self._take(Channel.WEIGHT, count * config.subvector).view(np.int8)
        packet = self._take(Channel.WEIGHT, (count * config.index_width + 7) // 8)
        bits = np.unpackbits(packet, bitorder="little")[:count * config.index_width]
        fields = bits.reshape(count, -1).astype(np.int64)
        return self._codewords[(fields << np.arange(config.index_width)).sum(1)]

    def _post(self, body: dict[str, Any], sums: np.ndarray) -> None:
        config, post = self.config, body["post"]
        passes, pixels, columns = sums.shape
        assert (post["passes"], post["pixels"]) == (passes, pixels)
        assert body["parameter_groups"] == passes * config.post_steps
        lanes = self._take(Channel.PARAMETER, LANE.itemsize * passes * columns).view(LANE)
        lanes = lanes.reshape(passes, columns)
        addresses = target_words(post["target"], pixels)
        for number in range(passes):
            biased = sums[number] + lanes[number]["bias"].astype(np.int64)
            assert np.abs(biased).max() < 1 << 31
            scaled = requantize(biased, lanes[number]["multiplier"], lanes[number]["shift"])
            word, section = divmod(post["section"] + number, config.rows // columns)
            self._write(addresses + word, finish(scaled, post["range"]),
                        slice(section * columns, (section + 1) * columns))

    def _vector(self, body: dict[str, Any]) -> tuple[np.ndarray, slice]:
        """The bytes that a VECTOR writes, ``[result, lane]``, and the lanes."""
        words, inside = self._activations(body)
        if body["operation"] == VectorOp.SLIDING:
            words = slide(self.config, body, words)
            inside = np.ones(words.shape[:-1], bool)
        windows = words.reshape(-1, words.shape[4] * words.shape[5], self.config.rows)
        inside = inside.reshape(windows.shape[:2])
        if body["broadcast"]:
            assert self.config.vector_elementwise and body["operation"] in PAIRS
            operand = self._read(np.full((len(windows), 1), body["operand_base"]))
            windows = np.concatenate((windows, operand), 1)
        return moved(self.config, body, results(
            self.config, body, windows, inside, lambda size: self._take(Channel.VECTOR, size)))
