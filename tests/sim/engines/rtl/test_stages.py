"""Networks with host layers: programs on the generated Verilog, host layers in the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.random_networks import random_codebook
from tests.sim.engines.engine_checks import TINY, check_stages
from tests.staged_networks import NETWORKS, random_inputs, two_outputs
from vqrom_sim.flows import simulate
from vqrom_sim.flows import simulation as module
from vqrom_sw.compiler import cut_network
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture

CODEBOOK = random_codebook(TINY)


@pytest.mark.parametrize("name", NETWORKS)
def test_bytes_and_counts(name: str) -> None:
    """Every map that crosses is the reference's, and the cycle model counts what the Verilog does.
    """
    network = NETWORKS[name](CODEBOOK)
    counts = check_stages(network, CODEBOOK, TINY, random_inputs(network, 2))
    assert [counted is None for counted in counts] == [
        stage.where == "host" for stage in cut_network(network, TINY)]


class Block(nn.Module):
    """A transformer block on a sequence ``[N, 5, 16]`` as MiniLM has them, but small."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.mix = (nn.Linear(16, 16) for _ in range(4))
        self.inner, self.outer = nn.Linear(16, 40), nn.Linear(40, 16)
        self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (part(x).unflatten(2, (2, 8)).transpose(1, 2)
                             for part in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = self.norm1(x + self.mix(mixed.transpose(1, 2).flatten(2)))
        return self.norm2(x + self.outer(F.gelu(self.inner(x))))


def test_transformer() -> None:
    """Two blocks: linear layers on the array, the rest on the host as far as it is the host's."""
    torch.manual_seed(4)
    module, x = nn.Sequential(Block(), Block()).eval(), torch.randn(6, 5, 16)
    network = compress(capture(module, x[:1], "transformer"), CODEBOOK, x.numpy())
    result = simulate(network, CODEBOOK, TINY, x.numpy())
    assert result.bit_exact and result.report["first_mismatch"] is None
    model = simulate(network, CODEBOOK, TINY, x.numpy(), "model")
    for key in ("cycles", "traffic", "stalls", "busy", "stages", "layers", "macs", "host_macs"):
        assert result.report[key] == model.report[key]
    # Of 5 x 2304 weights' products and two times 2 x 5 x 5 x 8 of each block's attention.
    assert result.report["macs"] == 6 * 2 * (5 * (4 * 256 + 2 * 640) + 800)
    assert result.report["host_macs"] == 6 * 2 * 800
    assert [row.kind for row in result.layers].count("linear") == 12


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
