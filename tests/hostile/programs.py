"""Programs that nobody should write: right ones with some of their bits wrong, and random ones."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.hostile.bench import Start
from tests.placed_network import PlacedNetwork
from vqrom_hw.isa import COMMAND_BYTES, Opcode, header_layout

WATCHDOG = 4000
"""Cycles that a command of the small networks never takes."""
LIMIT = 400_000
"""Cycles after which a program has not ended."""
_HEADER_BYTES = -(-header_layout.size // 8)


def hostile_start(work: PlacedNetwork, rng: random.Random) -> Start:
    """A start that is wrong in a random way."""
    start = Start(work.csr | {"watchdog": WATCHDOG}, seed=rng.getrandbits(32),
                  wait=rng.choice([0, 10, 50, 90]), latency=rng.choice([1, 20, 200]), limit=LIMIT)
    kind = rng.choice([_random_bodies, _flipped_bits, _swapped, _other_numbers, _other_registers,
                       _noise, _repeated])
    return kind(start, work, rng)


def _commands(work: PlacedNetwork) -> list[bytes]:
    content = work.program.commands
    return [content[place:place + COMMAND_BYTES] for place in range(0, len(content),
                                                                    COMMAND_BYTES)]


def _with(start: Start, work: PlacedNetwork, commands: list[bytes]) -> Start:
    return replace(start, patches=((work.places["program"], b"".join(commands)),))


def _random_bodies(start: Start, work: PlacedNetwork, rng: random.Random) -> Start:
    """Some commands keep their headers, and have anything behind them."""
    commands = _commands(work)
    for number in rng.sample(range(len(commands) - 1), min(3, len(commands) - 1)):
        commands[number] = commands[number][:_HEADER_BYTES] + rng.randbytes(
            COMMAND_BYTES - _HEADER_BYTES)
    return _with(start, work, commands)


def _flipped_bits(start: Start, work: PlacedNetwork, rng: random.Random) -> Start:
    content = bytearray(work.program.commands)
    for _ in range(rng.choice([1, 2, 10])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return _with(start, work, [bytes(content)])


def _swapped(start: Start, work: PlacedNetwork, rng: random.Random) -> Start:
    commands = _commands(work)
    for _ in range(rng.choice([1, 3])):
        first, second = rng.sample(range(len(commands)), 2)
        commands[first], commands[second] = commands[second], commands[first]
    return _with(start, work, commands)


def _other_numbers(start: Start, work: PlacedNetwork, rng: random.Random) -> Start:
    """A few bytes of a command are extreme: sizes, counts, addresses and waits that are not met."""
    commands = [bytearray(command) for command in _commands(work)]
    for _ in range(rng.choice([1, 2])):
        command = rng.choice(commands)
        place = rng.randrange(1, 60)
        command[place:place + rng.choice([1, 2, 4])] = rng.choice([b"\0", b"\xff", b"\x80"])
    return _with(start, work, [bytes(command[:COMMAND_BYTES].ljust(COMMAND_BYTES, b"\0"))
                               for command in commands])


def _other_registers(start: Start, work: PlacedNetwork, rng: random.Random) -> Start:
    registers = dict(start.registers)
    names = [name for name in registers if name != "watchdog"]
    for name in rng.sample(names, rng.choice([1, 2])):
        registers[name] = rng.choice([
            0, registers[name] + rng.choice([-8, -1, 1, 4, 8]), rng.getrandbits(32),
            rng.getrandbits(14), 2**32 - 8])
        registers[name] &= 0xFFFFFF if name == "program_beats" else 0xFFFFFFFF
    return replace(start, registers=registers)


def _noise(start: Start, work: PlacedNetwork, rng: random.Random) -> Start:
    """Anything at all, but with opcodes that exist."""
    commands = [bytes([rng.choice(list(Opcode))]) + rng.randbytes(COMMAND_BYTES - 1)
                for _ in _commands(work)]
    return _with(start, work, commands)


def _repeated(start: Start, work: PlacedNetwork, rng: random.Random) -> Start:
    """One command again and again, in the place of others."""
    commands = _commands(work)
    first = rng.randrange(len(commands))
    again = rng.randrange(len(commands))
    commands[first:] = [commands[again]] * (len(commands) - first)
    return _with(start, work, commands)


def good_start(work: PlacedNetwork, rng: random.Random, *, abort: int = 0, reset: int = 0,
               with_bus: bool = False) -> Start:
    """The program as it should be, written again, with random waits of the memory."""
    content = {name: bytes(size) for name, size in work.sizes.items()} | work.blocks
    patches = tuple((work.places[name], block) for name, block in content.items() if block)
    return Start(work.csr | {"watchdog": 20_000}, patches,
                 seed=rng.getrandbits(32), wait=rng.choice([0, 10, 50, 90]),
                 latency=rng.choice([1, 20, 200]), limit=LIMIT, abort=abort, reset=reset,
                 with_bus=with_bus)
