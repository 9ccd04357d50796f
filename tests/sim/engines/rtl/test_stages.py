"""Networks with host layers: programs on the generated Verilog, host layers in the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.random_networks import random_codebook
from tests.sim.engines.engine_checks import TINY, check_stages
from tests.staged_networks import NETWORKS, random_inputs, two_outputs
from vqrom_sim.flows import simulate
from vqrom_sim.flows import simulation as module
from vqrom_sw.compiler import cut_network

CODEBOOK = random_codebook(TINY)


@pytest.mark.parametrize("name", NETWORKS)
def test_bytes_and_counts(name: str) -> None:
    """Every map that crosses is the reference's, and the cycle model counts what the Verilog does.
    """
    network = NETWORKS[name](CODEBOOK)
    counts = check_stages(network, CODEBOOK, TINY, random_inputs(network, 2))
    assert [counted is None for counted in counts] == [
        stage.where == "host" for stage in cut_network(network, TINY)]


def test_the_first_map_that_differs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong byte of one of two outputs is one mismatch; the host's layer after it is right."""
    network = two_outputs(CODEBOOK)
    honest = module.run_reference

    def flipped(*arguments: Any) -> dict[str, np.ndarray]:
        results = honest(*arguments)
        results["conv0"].flat[7] ^= 1
        return results

    monkeypatch.setattr(module, "run_reference", flipped)
    done: list[tuple[str, int, int]] = []
    result = simulate(network, CODEBOOK, TINY, random_inputs(network, 2),
                      progress=lambda *step: done.append(step))
    assert (result.report["bit_exact"], result.report["mismatches"]) == (False, 1)
    assert result.report["first_mismatch"] == "conv0"
    assert done[-1] == ("simulating the Verilog", 2, 2)
