"""Waves of a layer: the file that is written, what the report says of it, and what is refused."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import pywellen

from tests.random_networks import mixed_network, random_codebook
from tests.sim.engines.engine_checks import TINY
from tests.sim.engines.recorded import need_headers, recorded_program
from vqrom_hw.errors import VqromError
from vqrom_sim.engines import record_waves, run_model, trace_model
from vqrom_sim.flows import simulate
from vqrom_sim.report import SimulationReport

LAYER = "conv2"


def simulated(waves: str, engine: str = "rtl") -> SimulationReport:
    codebook = random_codebook(TINY)
    builder = mixed_network(codebook)
    return simulate(builder.build(), codebook, TINY, builder.images(1), engine, waves=waves)


@cache
def waves_of_layer() -> SimulationReport:
    need_headers()
    return simulated(LAYER)


def variables(path: Path) -> dict[str, pywellen.Var]:
    """All signals of a file by their full names."""
    found: dict[str, pywellen.Var] = {}
    scopes = [("", scope) for scope in pywellen.Waveform(str(path)).scopes()]
    for prefix, scope in scopes:
        found |= {f"{prefix}{scope.name}.{variable.name}": variable for variable in scope.vars()}
        scopes += [(f"{prefix}{scope.name}.", child) for child in scope.scopes()]
    return found


def test_all_cycles_of_the_layer_are_in_the_file(tmp_path: Path) -> None:
    result = waves_of_layer()
    assert result.save(tmp_path) == ["outputs.npy", "report.json", "report.html", "waves.fst",
                                     "waves.gtkw"]
    entry = result.report["waves"]
    program = recorded_program()[0]
    first, end = trace_model(program).window(program.layers.index(LAYER))
    assert entry == {"file": "waves.fst", "signals": "waves.gtkw", "layer": LAYER, "image": 0,
                     "first_cycle": first, "end_cycle": end, "cycles": end - first,
                     "complete": True}
    found = variables(tmp_path / "waves.fst")
    # The clock is high in the first half of each cycle.
    assert list(found["testbench.clk"].tv) == [
        (time, 1 - time % 2) for time in range(2 * first, 2 * end)]
    layers = {value for _, value in found["testbench.active_layer"].tv}
    assert program.layers.index(LAYER) in layers


def test_the_list_names_signals_that_are_there(tmp_path: Path) -> None:
    waves_of_layer().save(tmp_path)
    lines = (tmp_path / "waves.gtkw").read_text().splitlines()
    names = [re.sub(r"\[\d+:0\]$", "", line) for line in lines if line.startswith("testbench")]
    found = variables(tmp_path / "waves.fst")
    assert len(names) == 37 and not set(names) - set(found)
    groups = [line for line in lines if line.startswith("-")]
    assert groups == ["-array", "-weights", "-post", "-queues", "-bus"]


def test_a_file_that_grows_too_large_ends_early() -> None:
    need_headers()
    program, codebook, images = recorded_program()
    cycles = run_model(program).total["cycles"]
    waves = record_waves(program, codebook.codewords, images[:1], (0, cycles), limit=1)
    assert not waves.complete and 0 < waves.cycles < cycles
    assert waves.counters["cycles"] == cycles


@pytest.mark.parametrize(("layer", "engine", "message"), [
    ("conv9", "rtl", r"layer that the accelerator does \(conv0, maxpool1, .*\), not 'conv9'"),
    ("conv0", "model", "waves of layer 'conv0' need engine 'rtl', not 'model'"),
    ("conv0", "reference", "need engine 'rtl', not 'reference'")])
def test_waves_that_cannot_be(layer: str, engine: str, message: str) -> None:
    need_headers()
    with pytest.raises(VqromError, match=message):
        simulated(layer, engine)


def test_a_topology_goes_without(tmp_path: Path) -> None:
    path = tmp_path / "shapes.csv"
    path.write_text("Layer, M, N, K,\nproduct, 4, 24, 64,\n")
    with pytest.raises(VqromError, match="goes without waves"):
        simulate(str(path), config=TINY, engine="rtl", waves="product")
