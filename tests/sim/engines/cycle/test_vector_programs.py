"""Programs of random VECTORs beside other units: the Verilog computes what the interpreter of the
command set does, and the cycle model counts what the Verilog counts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.command_interpreter import Interpreter
from tests.random_networks import random_codebook
from tests.sim.engines.engine_checks import CONFIGS, LATENCIES, TINY
from tests.sim.engines.vector_programs import ProgramBuilder
from vqrom_hw.isa import Opcode, available_operations
from vqrom_sim.engines import run_model, run_rtl
from vqrom_sw.compiler import COLUMN

LEAN = TINY.model_copy(update={
    "name": "lean", "vector_elementwise": False, "vector_tables": "shared", "vector_moves": False})
"""What can be left out is."""

ACCELERATORS = CONFIGS | {"lean": LEAN}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ACCELERATORS)
def test_any_commands(name: str, seed: int) -> None:
    latency = LATENCIES[(seed + len(name)) % len(LATENCIES)]
    config = ACCELERATORS[name].model_copy(update={"dram_latency": latency})
    program = ProgramBuilder(config, seed).build(24)
    codewords = random_codebook(config).codewords
    images = np.random.default_rng(seed).integers(0, 256, (1, program.input_bytes), np.uint8)
    run = run_rtl(program, codewords, images)
    interpreter = Interpreter(program, codewords, images[0], seed)
    interpreter.run_in_order()
    size = program.outputs[0].size
    np.testing.assert_array_equal(run.outputs[0, :size], interpreter.output[:size])
    model = run_model(program)
    assert run.counters == model.counters
    assert run.layer_counters == model.layer_counters


@pytest.mark.parametrize("name", CONFIGS)
def test_all_operations_are_among_them(name: str) -> None:
    config = CONFIGS[name]
    tables = [ProgramBuilder(config, seed).build(24).table for seed in range(3)]
    table = np.concatenate(tables)
    vectors = table[table[:, COLUMN["opcode"]] == Opcode.VECTOR]
    assert set(vectors[:, COLUMN["operation"]]) == set(available_operations(config))
    for name in ("broadcast", "lane_tables", "rotation", "first_lane", "lanes"):
        assert np.ptp(vectors[:, COLUMN[name]]) > 0
