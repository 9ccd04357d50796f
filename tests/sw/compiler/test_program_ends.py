"""What overlaps with a program's first load and its last store: strips, leads, split tables."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.isa import Opcode
from vqrom_sim.engines import run_model
from vqrom_sw.compiler import compile_network
from vqrom_sw.compiler.compile import Compilation, compile_passes
from vqrom_sw.compiler.tasks import ConvTask, find_lead

TINY = config_of("tiny")
CODEBOOK = random_codebook(TINY)


def product(rows: int, channels: int, outputs: int) -> NetworkBuilder:
    """A network of one matrix product."""
    net = NetworkBuilder(CODEBOOK, (rows, 1, channels))
    net.conv(outputs, (1, 1))
    return net


def compiled(net: NetworkBuilder, beat_cost: float = 1.0) -> Compilation:
    """What the passes return for a network on ``tiny``."""
    return compile_passes(net.build(), CODEBOOK.codewords, TINY, beat_cost=beat_cost)


def test_one_layer_runs_in_strips_where_its_ends_weigh_more_than_its_weights() -> None:
    """Few weights for many bytes of maps; at a high price of weights there is one strip."""
    net = product(64, 32, 32)
    assert len(compiled(net).plan.strips) > 1
    assert len(compiled(net, beat_cost=1000.0).plan.strips) == 1
    cycles = [run_model(compile_network(net.build(), CODEBOOK.codewords, TINY, contents=False,
                                        beat_cost=cost)).counters[0]["cycles"]
              for cost in (1.0, 1000.0)]
    assert cycles[0] < cycles[1]
    check_program(net, CODEBOOK, TINY)


def test_lead_cuts_the_first_load_and_the_first_channel_words() -> None:
    net = product(32, 64, 64)
    result = compiled(net)
    (strip,), lead = result.plan.strips, result.plan.strips[0].lead
    assert lead and lead.rows[0][0] == 0 and lead.rows[-1][1] == strip.produced[0][1] == 32
    loads, computes = ([operation for operation in result.scheduled.operations
                        if operation.opcode == opcode] for opcode in (Opcode.LOAD, Opcode.COMPUTE))
    assert len(loads) == len(lead.rows)
    assert [operation.fields["pixels"] for operation in computes] == [
        *(end - first for first, end in lead.rows), 32]
    words = [operation.fields["passes"] * TINY.columns // TINY.rows for operation in computes]
    assert words == [*[lead.words] * len(lead.rows), 8 - lead.words], "each channel word once"
    fetched = sum(packet.size for operation in computes for packet in operation.packets)
    task = result.graph.tasks[0]
    assert isinstance(task, ConvTask)
    assert fetched // TINY.beat_bytes == task.constant_beats + lead.beats
    check_program(net, CODEBOOK, TINY)


@pytest.mark.parametrize(("first", "end", "load", "cost", "found"), [
    (0, 32, 400, 1.0, True), (0, 32, 400, 1000.0, False), (0, 1, 400, 1.0, False),
    (0, 32, 10, 1.0, False), (0, 32, 1_000_000, 1.0, False)])
def test_lead_must_pay(first: int, end: int, load: int, cost: float, found: bool) -> None:
    """Not for dear weights, a single row, a short load, or one that takes longer than all words."""
    task = compiled(product(32, 64, 64)).graph.tasks[0]
    assert isinstance(task, ConvTask)
    lead = find_lead(task, first, end, load, cost)
    assert (lead is not None) == found
    assert lead is None or (0 < lead.words < task.output.words and len(lead.rows) > 1)


def test_padded_kernel_with_a_lead() -> None:
    """Parts see rows that they share; each is loaded once."""
    net = NetworkBuilder(CODEBOOK, (12, 4, 64))
    net.conv(64, padding=(1, 1, 1, 1))
    result = compiled(net, beat_cost=0.1)
    assert result.plan.strips[0].lead
    loads = [operation.dram for operation in result.scheduled.operations
             if operation.opcode == Opcode.LOAD]
    rows = [(load.first, load.end) for load in loads if load]
    assert rows[0][0] == 0 and rows[-1][1] == 12 and len(rows) > 1
    assert all(before[1] == after[0] for before, after in pairwise(rows))
    check_program(net, CODEBOOK, TINY, beat_cost=0.1)


def test_table_follows_the_array_by_channel_words() -> None:
    """A table for all channels that reads what the array makes begins before the last channel."""
    net = NetworkBuilder(CODEBOOK, (4, 4, 8))
    net.conv(40, (1, 1))
    net.table()
    program = check_program(net, CODEBOOK, TINY)
    assert (program.table[:, 0] == Opcode.VECTOR).sum() == 40 // TINY.rows


def test_small_depthwise_layer_is_not_cut() -> None:
    """Commands for each channel word would cost more than the load's overlap saves."""
    config = config_of("edge32")
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (4, 4, 256))
    net.conv(256, padding=(1, 1, 1, 1), groups=256)
    assert len(compile_passes(net.build(), codebook.codewords, config).plan.strips) == 1
