"""Array and vector unit work side by side in networks of depthwise convolutions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.performance import peak_cycles
from tests.mobilenets import mobilenet_v1, mobilenet_v2
from tests.random_networks import NetworkBuilder, random_codebook
from vqrom_hw.config import load_config
from vqrom_sim.engines import run_model
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import compile_network

EDGE = load_config("edge32")


@pytest.mark.parametrize(("build", "of_both", "of_array"), [
    (mobilenet_v1, 1.2, 0.8), (mobilenet_v2, 0.97, 0.44)])
def test_share_of_the_peak(build: Callable[[UniversalCodebook], NetworkBuilder], of_both: float,
                           of_array: float) -> None:
    """Cycles of all layers at their units' peaks; more than 1 because the units overlap."""
    codebook = random_codebook(EDGE)
    network = build(codebook).build()
    program = compile_network(network, codebook.codewords, EDGE, contents=False)
    cycles = run_model(program).counters[0]["cycles"]
    array, vector = peak_cycles(network, EDGE)
    assert (array + vector) / cycles >= of_both
    assert array / cycles >= of_array
