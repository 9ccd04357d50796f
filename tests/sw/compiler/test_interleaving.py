"""Operations that change places: each once, none before what it needs, and both units busy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, random_codebook, random_network
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import Opcode
from vqrom_sw.compiler.compile import compile_passes
from vqrom_sw.compiler.emission import emit
from vqrom_sw.compiler.order import interleave, schedule

CONFIG = config_of("edge16", activation_words=768, accumulator_depth=64)
CODEBOOK = random_codebook(CONFIG)
SAME = (1, 1, 1, 1)


def alternating() -> NetworkBuilder:
    """Array, vector unit, array, vector unit, in strips."""
    net = NetworkBuilder(CODEBOOK, (24, 20, 8))
    for _ in range(2):
        net.conv(32, (1, 1))
        net.conv(32, padding=SAME, groups=32)
    return net


def test_both_units_take_turns_over_strips() -> None:
    """In the order of emission a COMPUTE waits for the last rows of the strip before."""
    done = compile_passes(alternating().build(), CODEBOOK.codewords, CONFIG)
    given = emit(done.graph, done.plan)
    taken = interleave(given, CONFIG)
    assert sorted(map(id, taken)) == sorted(map(id, given))
    layers = [operation.layer for operation in taken if operation.opcode == Opcode.COMPUTE]
    assert layers != [operation.layer for operation in given
                      if operation.opcode == Opcode.COMPUTE], "the array goes on with other rows"
    for opcode in (Opcode.LOAD, Opcode.STORE):
        order = [operation for operation in taken if operation.opcode == opcode]
        assert order == [operation for operation in given if operation.opcode == opcode]
    check_program(alternating(), CODEBOOK, CONFIG, apart=4)


def test_each_units_waits_are_for_commands_before() -> None:
    """The counts that a command waits for are of commands that stand before it in the list."""
    done = compile_passes(alternating().build(), CODEBOOK.codewords, CONFIG)
    result = schedule(interleave(emit(done.graph, done.plan), CONFIG), CONFIG)
    finished = np.zeros(5, int)
    places = {Opcode.LOAD: [0], Opcode.COMPUTE: [1, 2], Opcode.VECTOR: [3], Opcode.STORE: [4]}
    for operation, waits in zip(result.operations, result.waits, strict=True):
        assert (np.array(waits) <= finished).all()
        finished[places[operation.opcode]] += 1


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_in_little_room(seed: int) -> None:
    net = random_network(CODEBOOK, 4000 + seed)
    try:
        check_program(net, CODEBOOK, CONFIG.model_copy(update={"activation_words": 256}), apart=4)
    except VqromError as error:
        assert "must fit activation_words" in str(error)


def test_programs_without_the_vector_unit_keep_their_order() -> None:
    net = NetworkBuilder(CODEBOOK, (9, 9, 32))
    net.conv(32)
    net.conv(32)
    done = compile_passes(net.build(), CODEBOOK.codewords, CONFIG)
    given = emit(done.graph, done.plan)
    assert interleave(given, CONFIG) is given
