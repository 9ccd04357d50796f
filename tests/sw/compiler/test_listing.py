"""Listings say of plan and program what the program's bytes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.command_interpreter import decode_commands
from tests.random_networks import NetworkBuilder, mixed_network, random_codebook, random_network
from tests.sw.compiler.program_checks import config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Opcode, Region
from vqrom_sw.compiler import (
    COLUMN,
    CommandLine,
    compile_network,
    disassemble,
    explain_network,
)
from vqrom_sw.compiler.program.command_table import new_row
from vqrom_sw.network import QuantizedNetwork

ROOMY, TIGHT = config_of("tiny"), config_of("tiny", activation_words=256)
SRAM = config_of("tiny", codebook_storage="sram")
CODEBOOK = random_codebook(ROOMY)
UNITS_OF = {"LOAD": {"load"}, "STORE": {"store"}, "VECTOR": {"vector"},
            "COMPUTE": {"array", "post"}}

NETWORKS = {"mixed": mixed_network(CODEBOOK), "depthwise": random_network(CODEBOOK, 1023),
            "sums": random_network(CODEBOOK, 1008)}


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> QuantizedNetwork:
    return NETWORKS[request.param].build()


def flat(record: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Fields of a decoded body under the names that the command table has for them."""
    if isinstance(record, int):
        if "levels" in path or "operands" in path:
            yield f"{path[-1]}_{path[-2]}", record
        elif path[-2:] == ("nest", "base") or "target" in path:
            yield f"{path[-2]}_{path[-1]}", record
        elif path != ("sha256",):
            yield path[-1], record
    else:
        items = enumerate(record) if isinstance(record, list) else record.items()
        for key, value in items:
            yield from flat(value, (*path, str(key)))


@pytest.mark.parametrize("config", [ROOMY, TIGHT, SRAM], ids=["roomy", "tight", "sram"])
def test_bytes_are_those_of_the_program(network: QuantizedNetwork,
                                        config: AcceleratorConfig) -> None:
    program = compile_network(network, CODEBOOK.codewords, config, contents=False)
    moved: dict[str, Counter[str]] = {name: Counter() for name in program.layers}
    for line in disassemble(program):
        moved[line.layer].update(line.moved)
    assert tuple(map(dict, moved.values())) == program.fetched_bytes


@pytest.mark.parametrize("config", [ROOMY, TIGHT, SRAM], ids=["roomy", "tight", "sram"])
def test_fields_are_those_of_the_bytes(network: QuantizedNetwork,
                                       config: AcceleratorConfig) -> None:
    program = compile_network(network, CODEBOOK.codewords, config)
    lines = disassemble(program)
    for line, command in zip(lines, decode_commands(program.commands), strict=True):
        assert (line.opcode, line.layer) == (command.opcode, program.layers[command.layer])
        assert dict(flat(command.body)) == line.fields
        waits = {wait.unit: wait.finished for wait in line.waits}
        assert {unit: waits.get(unit, 0) for unit in command.wait} == command.wait
        if line.opcode in (Opcode.FETCH, Opcode.LOAD, Opcode.STORE):
            assert line.dram == (Region(command.body["region"]).name, command.body["offset"])


@pytest.mark.parametrize("config", [ROOMY, TIGHT], ids=["roomy", "tight"])
def test_waits_name_a_command_of_their_unit(network: QuantizedNetwork,
                                            config: AcceleratorConfig) -> None:
    listing, = explain_network(network, CODEBOOK.codewords, config).stages
    assert any(line.waits for line in listing.commands)
    for line in listing.commands:
        for wait in line.waits:
            awaited = listing.commands[wait.position]
            assert wait.position < line.position
            assert awaited.numbers[wait.unit] == wait.finished
            assert wait.unit in UNITS_OF[awaited.opcode.name]
        assert set(line.numbers) == UNITS_OF.get(line.opcode.name, set())


def test_waits_beyond_sixteen_bits_are_whole_again() -> None:
    """The table has counts modulo 2**16; the listing says which command is meant."""
    count = (1 << 16) + 10
    program = compile_network(NETWORKS["mixed"].build(), CODEBOOK.codewords, ROOMY,
                              contents=False)
    stores = [new_row({"opcode": Opcode.STORE})] * count
    last = new_row({"opcode": Opcode.VECTOR, "wait_store": (count - 3) & 0xFFFF})
    lines = disassemble(replace(program, table=np.array([*stores, last])))
    wait, = lines[-1].waits
    assert (wait.unit, wait.finished, wait.position) == ("store", count - 3, count - 4)


@pytest.mark.parametrize("config", [ROOMY, TIGHT], ids=["roomy", "tight"])
def test_plan_makes_every_row_once_and_fits(network: QuantizedNetwork,
                                            config: AcceleratorConfig) -> None:
    listing, = explain_network(network, CODEBOOK.codewords, config).stages
    layers = [layer for segment in listing.plan for layer in segment.layers]
    assert layers == [layer.name for layer in network.layers]
    made = dict.fromkeys(layers, 0)
    strips = [strip for segment in listing.plan for strip in segment.strips]
    assert [strip.number for strip in strips] == list(range(len(strips)))
    for strip in strips:
        assert strip.words <= config.activation_words
        for layer, (first, end) in strip.produced.items():
            assert first == made[layer] < end
            made[layer] = end
        for window in strip.windows:
            assert window.base + window.words <= config.activation_words
            assert window.rows[0] <= window.fresh <= window.rows[1]
    assert made == {layer.name: layer.shape[0] for layer in network.layers}
    for segment in listing.plan:
        assert segment.words == max(strip.words for strip in segment.strips)


def test_residencies_are_seen_in_the_commands(network: QuantizedNetwork) -> None:
    listing, = explain_network(network, CODEBOOK.codewords, TIGHT).stages
    maps = {line.name: line for segment in listing.plan for line in segment.maps}
    stored = {line.layer for line in listing.commands
              if line.opcode == Opcode.STORE and line.dram and line.dram[0] == "SCRATCH"}
    assert stored == {name for name, line in maps.items()
                      if line.dram and line.dram[0] == "SCRATCH"}
    for line in maps.values():
        assert (line.base is not None) == (line.residency == "resident")
        assert line.words == line.rows * line.row_words
        assert line.dram or line.residency != "spilled"


def test_listing_compiles_the_same_program(network: QuantizedNetwork) -> None:
    listing, = explain_network(network, CODEBOOK.codewords, TIGHT).stages
    program = compile_network(network, CODEBOOK.codewords, TIGHT)
    assert listing.program is not None
    np.testing.assert_array_equal(listing.program.table, program.table)
    assert len(listing.commands) == len(program.table)


def test_rows_of_text() -> None:
    listing, sliding = (explain_network(NETWORKS[name].build(), CODEBOOK.codewords, TIGHT).stages[0]
                        for name in ("mixed", "depthwise"))

    def first(name: str) -> CommandLine:
        return next(line for line in (*listing.commands, *sliding.commands) if line.name == name)

    fetch = first("FETCH index").as_row()
    assert fetch["queues"] == fetch["number"] == fetch["waits"] == ""
    assert fetch["dram"].startswith("CONSTANT + ") and fetch["bytes"].startswith("index ")
    compute = first("COMPUTE indexed")
    assert listing.program is not None
    assert compute.as_row()["queues"] == "weights, array, post"
    assert np.prod(compute.loops) == np.prod(
        [listing.program.table[compute.position, COLUMN[f"count_{level}"]] for level in range(6)])
    assert "target_base" in compute.details and "dx_0" not in compute.details
    assert "base" in first("LOAD").details
    assert first("VECTOR copy").loops[:2] == (1, 1)
    assert first("END").as_row()["details"] == ""
    assert listing.plan[0].as_row()["segment"] == "0"


def test_column_parts_are_told_by_their_columns() -> None:
    """A layer in parts is a segment for each, which names the columns that it reads and makes."""
    net = NetworkBuilder(CODEBOOK, (3, 20, 8))
    net.conv(16)
    config = config_of("tiny", activation_words=64)
    listing, = explain_network(net.build(), CODEBOOK.codewords, config).stages
    segments = listing.plan
    parts = [tuple(line.columns for line in segment.maps) for segment in segments]
    assert len(parts) > 1 and {segment.layers for segment in segments} == {("conv0",)}
    edges = [made for _, made in parts if made]
    assert [first for first, _ in edges] == [0, *(end for _, end in edges[:-1])]
    assert edges[-1][1] == 18
    # A window of three columns sees two beyond the outputs' last one.
    assert [read for read, _ in parts] == [(first, end + 2) for first, end in edges]
    first, end = edges[1]
    assert segments[1].as_row()["maps"] == (
        f"input of conv0 columns {first}..{end + 2} spilled, conv0 columns {first}..{end} spilled")


def test_a_lead_is_named() -> None:
    net = NetworkBuilder(CODEBOOK, (32, 1, 64))
    net.conv(64, (1, 1))
    (stage,) = explain_network(net.build(), CODEBOOK.codewords, ROOMY).stages
    (segment,) = stage.plan
    lead = segment.strips[0].lead
    assert lead is not None
    assert segment.as_row()["strips"] == f"1, lead of {lead.words} words in {len(lead.rows)} parts"
