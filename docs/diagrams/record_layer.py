"""Record what works in each cycle of a small program, with the cycle model.

``./run python -m docs.diagrams.record_layer`` writes ``layer_trace.json``, which the timing chart
is drawn from; ``tests/docs/test_diagrams.py`` records again and compares. The cycle model gives
counters at the end of a run, so the program runs once for each cycle in which it might stop.
"""

from __future__ import annotations

import json

import numpy as np

from tests.random_networks import NetworkBuilder, random_codebook
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.isa import COUNTERS
from vqrom_sim.engines import run_model
from vqrom_sim.engines.cycle import kernel
from vqrom_sim.engines.cycle.intervals import NO_LOG
from vqrom_sim.engines.cycle.registers import dimensions_of, initial_state
from vqrom_sw.compiler import Program, compile_network

from .layer import TRACE

ROWS = {
    "commands": ("command_beats",), "weights": ("index_beats",), "parameters": ("parameter_beats",),
    "inputs": ("activation_read_beats",), "outputs": ("activation_write_beats",),
    "rom": ("rom_reads",), "array": ("compute_cycles",), "post": ("post_busy",),
    "vector": ("vector_busy",), "load": ("load_busy",), "store": ("store_busy",),
}
"""Rows of the chart, and the counters that move in a cycle in which that part works."""


def example() -> tuple[AcceleratorConfig, Program]:
    """A 3x3 convolution of 8 channels on 6 x 6 pixels, then 2x2 max pooling, on ``tiny``."""
    config = load_config("tiny")
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (6, 6, 8))
    net.conv(8, padding=(1, 1, 1, 1))
    net.max_pool()
    # Bytes are dear, so that nothing is fetched twice: one command for each unit is easy to read.
    return config, compile_network(net.build(), codebook.codewords, config, contents=False,
                                   beat_cost=16.0)


def counters_after(config: AcceleratorConfig, program: Program, limit: int) -> np.ndarray:
    """All counters once at least ``limit`` cycles have passed."""
    dimensions = dimensions_of(config)
    beats = len(program.table) * dimensions.command_beats
    counters, _layers, _ended = kernel.run(
        initial_state(config, beats), program.table.ravel(), dimensions,
        len(program.layers), limit, NO_LOG)
    return counters


def record() -> dict[str, object]:
    """For each row the stretches ``[first cycle, one past the last]`` in which it works."""
    config, program = example()
    # Its machine code comes from the cache, and serves the runs below.
    total = run_model(program).total["cycles"]
    before = np.zeros(len(COUNTERS), np.int64)
    stretches: dict[str, list[list[int]]] = {name: [] for name in ROWS}
    for limit in range(1, total + 1):
        after = counters_after(config, program, limit)
        first, end = (int(values[COUNTERS.index("cycles")]) for values in (before, after))
        if end == first:
            continue  # Inside a stretch in which only the array works.
        for name, counters in ROWS.items():
            if any((after - before)[COUNTERS.index(counter)] for counter in counters):
                _extend(stretches[name], first, end)
        before = after
    return {"cycles": total, "fill_steps": config.fill_steps, "rows": stretches}


def _extend(stretches: list[list[int]], first: int, end: int) -> None:
    if stretches and stretches[-1][1] == first:
        stretches[-1][1] = end
    else:
        stretches.append([first, end])


def encoded(trace: dict[str, object]) -> str:
    """The text of the file."""
    return json.dumps(trace) + "\n"


if __name__ == "__main__":
    TRACE.write_text(encoded(record()), encoding="utf-8")
