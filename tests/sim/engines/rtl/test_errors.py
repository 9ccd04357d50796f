"""Programs and memories that are wrong: the accelerator stops, says why and where, and goes on."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.placed_network import PlacedNetwork
from tests.random_networks import NetworkBuilder
from tests.sim.engines.rtl.axi_bench import CODEBOOK, CONFIG, Run, placed, simulate
from vqrom_hw.isa import COMMAND_BYTES, ERROR, Channel, ErrorCode, Opcode, Region
from vqrom_sw.compiler import COLUMN
from vqrom_sw.compiler.program.command_table import pack_table

LIMIT = 20_000
SLVERR, DECERR = 2, 3
BEYOND = CONFIG.activation_words


@cache
def work() -> PlacedNetwork:
    """All kinds of transfers; the STORE takes so many bursts that some are always under way."""
    net = NetworkBuilder(CODEBOOK, (6, 4, 3), 5)
    net.conv(20, padding=(1, 1, 1, 1))
    net.conv(20, padding=(1, 1, 1, 1), groups=20, raw=True)
    return placed(net, 4096 - 192)


def position(opcode: Opcode, nth: int = 0, **fields: int) -> int:
    """Where in the program the n-th command of a kind is."""
    table = work().program.table
    chosen = table[:, COLUMN["opcode"]] == opcode
    for name, value in fields.items():
        chosen &= table[:, COLUMN[name]] == value
    return int(np.flatnonzero(chosen)[nth])


def place(command: int) -> int:
    """Byte address of a command."""
    return work().places["program"] + command * COMMAND_BYTES


def start_of(command: int) -> int:
    """Byte address of the first byte that a FETCH, LOAD or STORE moves."""
    row = work().program.table[command]
    region = Region(int(row[COLUMN["region"]]))
    return work().places[region.name.lower()] + int(row[COLUMN["offset"]])


def good() -> Run:
    """The program as it should be, its commands written again."""
    return Run(work().csr, [(place(0), work().program.commands.hex())])


def with_bytes(command: int, first: int, content: bytes) -> Run:
    """One command with other bytes."""
    return replace(good(), patches=[*good().patches, (place(command) + first, content.hex())])


def with_fields(command: int, **fields: int) -> Run:
    """One command with other values."""
    row = work().program.table[[command]].copy()
    for name, value in fields.items():
        row[0, COLUMN[name]] = value
    return with_bytes(command, 0, pack_table(row))


def with_registers(**values: int) -> Run:
    """Other register values."""
    return replace(good(), csr=work().csr | values)


def beyond_limit(region: Region) -> tuple[Run, ErrorCode, int]:
    """A region one byte too small for the transfer that reaches furthest."""
    table = work().program.table
    moves = np.isin(table[:, COLUMN["opcode"]], (Opcode.FETCH, Opcode.LOAD, Opcode.STORE))
    ends = np.where(moves & (table[:, COLUMN["region"]] == region), table[:, COLUMN["offset"]]
                    + table[:, COLUMN["beats"]] * CONFIG.beat_bytes, 0)
    run = with_registers(**{f"limit_{region.name.lower()}": int(ends.max()) - 1})
    return run, ErrorCode.DRAM_RANGE, int(ends.argmax())


def beyond_buffer(opcode: Opcode, field: str, value: int) -> tuple[Run, ErrorCode, int]:
    """The last command of a kind with an address beyond the activation buffer."""
    command = position(opcode, -1)
    return with_fields(command, **{field: value}), ErrorCode.BUFFER_RANGE, command


def bad_read(command: int, beat: int, response: int) -> tuple[Run, ErrorCode, int]:
    """An error response to a beat that a command reads."""
    address = start_of(command) + beat * CONFIG.beat_bytes
    return replace(good(), bad_reads=(address, response)), ErrorCode.READ_RESPONSE, command


def bad_write(beat: int, response: int) -> tuple[Run, ErrorCode, int]:
    """An error response to a beat that the last STORE writes."""
    command = position(Opcode.STORE, -1)
    beat %= int(work().program.table[command, COLUMN["beats"]])
    address = start_of(command) + beat * CONFIG.beat_bytes
    return replace(good(), bad_writes=(address, response)), ErrorCode.WRITE_RESPONSE, command


def other_beats(opcode: Opcode, change: int) -> tuple[Run, ErrorCode, int]:
    """The first LOAD or STORE with other beats than its words take, within its region."""
    command = position(opcode)
    beats = int(work().program.table[command, COLUMN["beats"]])
    return with_fields(command, beats=beats + change), ErrorCode.LENGTH, command


def work_count(opcode: Opcode) -> int:
    """Commands of a kind in the program."""
    return int((work().program.table[:, COLUMN["opcode"]] == opcode).sum())


def stuck(run: Run) -> tuple[Run, ErrorCode, int]:
    """Nothing goes on until the watchdog ends it: the last STOREs fill their queue, and the next
    one has no room."""
    return (replace(run, csr=run.csr | {"watchdog": 3000}), ErrorCode.WATCHDOG,
            end() - CONFIG.command_queue)


def end() -> int:
    """Position of END."""
    return len(work().program.table) - 1


CASES: dict[str, Callable[[], tuple[Run, ErrorCode, int]]] = {
    "opcode that does not exist": lambda: (
        with_bytes(position(Opcode.COMPUTE, 1), 0, b"\xff"), ErrorCode.OPCODE,
        position(Opcode.COMPUTE, 1)),
    "codebook load without an SRAM": lambda: (
        with_bytes(position(Opcode.LOAD), 0, bytes([Opcode.CODEBOOK])), ErrorCode.OPCODE,
        position(Opcode.LOAD)),
    "fetch to no channel": lambda: (
        with_fields(position(Opcode.FETCH, 1), channel=len(Channel)), ErrorCode.OPCODE,
        position(Opcode.FETCH, 1)),
    "vector operation that does not exist": lambda: (
        with_fields(position(Opcode.VECTOR), operation=15), ErrorCode.OPCODE,
        position(Opcode.VECTOR)),
    "program without END": lambda: (
        with_registers(program_beats=end() * COMMAND_BYTES // CONFIG.beat_bytes),
        ErrorCode.OPCODE, end()),
    "empty program": lambda: (with_registers(program_beats=0), ErrorCode.OPCODE, 0),
    "constants beyond their region": lambda: beyond_limit(Region.CONSTANT),
    "input beyond its region": lambda: beyond_limit(Region.INPUT),
    "output beyond its region": lambda: beyond_limit(Region.OUTPUT),
    "offset beyond 32 bits": lambda: (
        with_fields(position(Opcode.LOAD), offset=2**32 - CONFIG.beat_bytes),
        ErrorCode.DRAM_RANGE, position(Opcode.LOAD)),
    "array reads beyond the buffer": lambda: beyond_buffer(Opcode.COMPUTE, "nest_base", BEYOND),
    "array reads below the buffer": lambda: beyond_buffer(Opcode.COMPUTE, "nest_base", -100),
    "results beyond the buffer": lambda: beyond_buffer(Opcode.COMPUTE, "target_base", BEYOND - 1),
    "vector reads beyond the buffer": lambda: beyond_buffer(Opcode.VECTOR, "nest_base", BEYOND),
    "vector writes beyond the buffer": lambda: beyond_buffer(
        Opcode.VECTOR, "target_base", BEYOND - 1),
    "load beyond the buffer": lambda: beyond_buffer(Opcode.LOAD, "base", BEYOND - 1),
    "store beyond the buffer": lambda: beyond_buffer(Opcode.STORE, "base", BEYOND - 1),
    "weights unreadable": lambda: bad_read(
        position(Opcode.FETCH, channel=Channel.WEIGHT), 3, SLVERR),
    "parameters unreadable": lambda: bad_read(
        position(Opcode.FETCH, channel=Channel.PARAMETER), 0, DECERR),
    "depthwise weights unreadable": lambda: bad_read(
        position(Opcode.FETCH, channel=Channel.VECTOR), 8, SLVERR),
    "input unreadable": lambda: bad_read(position(Opcode.LOAD), 5, DECERR),
    "commands unreadable": lambda: (
        replace(good(), bad_reads=(place(3), DECERR)), ErrorCode.READ_RESPONSE, 3),
    "output unwritable": lambda: bad_write(0, SLVERR),
    "last beat of the output unwritable": lambda: bad_write(-1, DECERR),
    "program within a beat": lambda: (
        with_registers(program_address=place(0) + 4), ErrorCode.ALIGNMENT, 0),
    "region within a beat": lambda: (
        with_registers(base_input=work().places["input"] + 1), ErrorCode.ALIGNMENT,
        position(Opcode.LOAD)),
    "output within a beat": lambda: (
        with_registers(base_output=work().places["output"] + 4), ErrorCode.ALIGNMENT,
        position(Opcode.STORE, region=Region.OUTPUT)),
    "offset within a beat": lambda: (
        with_fields(position(Opcode.FETCH, 2), offset=4), ErrorCode.ALIGNMENT,
        position(Opcode.FETCH, 2)),
    "program longer than its limit": lambda: (
        with_registers(program_limit=work().sizes["program"] - 1), ErrorCode.DRAM_RANGE, 0),
    "program beyond all addresses": lambda: (
        with_registers(program_address=2**32 - CONFIG.beat_bytes), ErrorCode.DRAM_RANGE, 0),
    "region beyond all addresses": lambda: (
        with_registers(base_input=2**32 - CONFIG.beat_bytes), ErrorCode.DRAM_RANGE,
        position(Opcode.LOAD)),
    "load of too few beats": lambda: other_beats(Opcode.LOAD, -1),
    "load of too many beats": lambda: other_beats(Opcode.LOAD, 1),
    "store of too few beats": lambda: other_beats(Opcode.STORE, -1),
    "store of too many beats": lambda: other_beats(Opcode.STORE, 1),
    "waits for a command to come": lambda: (
        with_fields(position(Opcode.COMPUTE, 1), wait_store=work_count(Opcode.STORE)),
        ErrorCode.WAIT, position(Opcode.COMPUTE, 1)),
    "weights that nobody fetches": lambda: stuck(
        with_fields(position(Opcode.FETCH, -1, channel=Channel.WEIGHT), beats=0)),
    "another codebook": lambda: (
        with_bytes(position(Opcode.CHECK), 20, b"\x5a"), ErrorCode.CODEBOOK,
        position(Opcode.CHECK)),
}


@pytest.mark.parametrize("case", CASES)
def test_stops_and_goes_on(tmp_path: Path, case: str) -> None:
    """The faulty program, then the good one."""
    faulty, code, command = CASES[case]()
    seed = list(CASES).index(case)
    result = simulate(tmp_path, work().image, [faulty, good()], seed, (0.0, 0.4, 0.9), LIMIT)
    assert result["violations"] == []
    failed, done = result["runs"]
    assert failed["interrupt"], "no interrupt"
    assert (ErrorCode(failed["error_code"]), failed["error_command"]) == (code, command)
    assert failed["status"] == 1 << ERROR
    assert failed["quiet"], "memory changes after the interrupt"
    # A beat that is on offer must be held, so it may still go; no later one writes a byte.
    assert not any(enables for _, enables, offered in failed["written"]
                   if offered > failed["flush"])
    check_untouched(bytes.fromhex(failed["memory"]), faulty)
    assert (done["interrupt"], done["error_code"]) == (True, ErrorCode.NONE)
    np.testing.assert_array_equal(
        work().output(bytes.fromhex(done["memory"])), work().expected)


@pytest.mark.parametrize("seed", range(2))
def test_aborts_at_any_time(tmp_path: Path, seed: int) -> None:
    """An abort leaves the bus clean, and nothing of it is in the next program."""
    rng = random.Random(seed)
    runs = [replace(good(), abort_after=rng.randrange(1200)) for _ in range(12)]
    result = simulate(tmp_path, work().image, [*runs, good()], seed, (0.0, 0.5, 0.9), LIMIT)
    assert result["violations"] == []
    *aborted, done = result["runs"]
    for run in aborted:
        assert run["interrupt"] and run["quiet"]
        assert run["error_code"] in (ErrorCode.NONE, ErrorCode.ABORTED)
    assert sum(run["error_code"] == ErrorCode.ABORTED for run in aborted) > len(aborted) // 2
    np.testing.assert_array_equal(
        work().output(bytes.fromhex(done["memory"])), work().expected)


@pytest.mark.parametrize("seed", range(2))
def test_stops_at_any_time(tmp_path: Path, seed: int) -> None:
    """Bus errors at random beats, one run after the other, then the good program."""
    rng = random.Random(seed)
    table = work().program.table
    cases = []
    for _ in range(8):
        command = rng.choice(np.flatnonzero(table[:, COLUMN["beats"]]).tolist())
        beat = rng.randrange(int(table[command, COLUMN["beats"]]))
        if table[command, COLUMN["opcode"]] == Opcode.STORE:
            cases.append(bad_write(beat, SLVERR))
        else:
            cases.append(bad_read(command, beat, SLVERR))
    runs = [run for run, _, _ in cases]
    result = simulate(tmp_path, work().image, [*runs, good()], seed, (0.0, 0.5, 0.9), LIMIT)
    assert result["violations"] == []
    *failed, done = result["runs"]
    assert [run["error_code"] for run in failed] == [code for _, code, _ in cases]
    assert all(run["interrupt"] and run["quiet"] for run in failed)
    np.testing.assert_array_equal(
        work().output(bytes.fromhex(done["memory"])), work().expected)


def check_untouched(memory: bytes, run: Run) -> None:
    """Nothing but output and scratch may be written."""
    expected = bytearray(work().image.ljust(len(memory), b"\0"))
    for address, content in run.patches:
        expected[address:address + len(content) // 2] = bytes.fromhex(content)
    writable = work().places["output"]
    assert memory[:writable] == bytes(expected[:writable])
    assert not any(memory[len(work().image):])
