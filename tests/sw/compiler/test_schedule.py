"""Waits: enough of them that no order of the units gives other bytes, and modulo 2**16."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.command_interpreter import Interpreter
from tests.random_networks import mixed_network, random_codebook
from tests.sw.compiler.program_checks import config_of
from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.isa import Opcode, Unit, VectorOp
from vqrom_sw.compiler import COLUMN, compile_network
from vqrom_sw.compiler.operations import Operation, area, nest_fields
from vqrom_sw.compiler.order import MOST_BEHIND, WaitTracker, schedule
from vqrom_sw.compiler.program import WAITS, pack_table
from vqrom_sw.reference import quantize_input, run_reference

TINY = config_of("tiny")
CODEBOOK = random_codebook(TINY)


@pytest.mark.parametrize("wait", WAITS[:4])
def test_a_program_without_one_kind_of_wait_goes_wrong(wait: str) -> None:
    """Shows that the interpreter's wild runs find what is missing."""
    config = config_of("tiny", activation_words=320, accumulator_depth=32)
    builder = mixed_network(CODEBOOK)
    network = builder.build()
    program = compile_network(network, CODEBOOK.codewords, config)
    inputs = quantize_input(network, builder.images(1))
    expected = run_reference(network, CODEBOOK, inputs)[network.layers[-1].name]
    image = program.input_image(inputs, network.input_quantization.zero_point)[0]
    table = program.table.copy()
    table[:, COLUMN[wait]] = 0
    broken = replace(program, commands=pack_table(table, codebook_sha256(CODEBOOK.codewords)))
    wrong = 0
    for seed in range(30):
        run = Interpreter(broken, CODEBOOK.codewords, image)
        run.run_apart(np.random.default_rng(seed))
        wrong += bool((program.output_maps(run.output[None]) != expected).any())
    assert wrong


def load(base: int, words: int) -> Operation:
    """A LOAD that writes a range of words."""
    return Operation(Opcode.LOAD, 1, {"words": words, "beats": words},
                     writes=(area(base, 1, 0, 1, 0, words),))


def vector(source: int, target: int, words: int) -> Operation:
    """A VECTOR that copies a range of words."""
    nest = nest_fields([(1, 0, 0, 0)] * 2 + [(words, 1, 0, 0)])
    return Operation(Opcode.VECTOR, 1, {"operation": VectorOp.MAX, **nest},
                     (area(source, 1, 0, 1, 0, words),), (area(target, 1, 0, 1, 0, words),))


def test_waits_follow_words() -> None:
    tracker = WaitTracker(256)
    assert tracker.needs(load(0, 32)) == [0] * len(Unit)
    assert tracker.needs(load(32, 32)) == [0] * len(Unit), "a unit's own order needs no wait"
    assert tracker.needs(vector(8, 100, 8))[Unit.LOAD] == 1
    assert tracker.needs(vector(40, 120, 8))[Unit.LOAD] == 2
    assert tracker.needs(load(10, 1))[Unit.VECTOR] == 1, "not before it is read"
    assert tracker.needs(load(20, 4)) == [0] * len(Unit), "words that nobody reads"
    assert tracker.needs(load(44, 4))[Unit.VECTOR] == 2


def test_strided_areas() -> None:
    """Channel word 1 of pixels of three words, in two rows of two pixels 10 words apart."""
    tracker = WaitTracker(64)
    tracker.needs(Operation(Opcode.VECTOR, 1, {}, writes=(area(1, 2, 10, 2, 3, 1),)))
    written = [word for word in range(20) if tracker.needs(
        Operation(Opcode.STORE, 1, {}, reads=(area(word, 1, 0, 1, 0, 1),)))[Unit.VECTOR]]
    assert written == [1, 4, 11, 14]
    assert area(5, 2, 6, 2, 3, 3) == (5, 1, 0, 1, 0, 12), "rows without a gap are one run"


def test_counts_never_fall_behind_half_their_range() -> None:
    operations = [load(0, 1)] + [vector(0, 1, 1) for _ in range(3 * MOST_BEHIND)]
    waits = schedule(operations, TINY).waits
    for issued, counts in enumerate(waits[1:]):
        assert (issued - counts[Unit.VECTOR]) % (1 << 16) <= MOST_BEHIND
        assert counts[Unit.LOAD] == 1
