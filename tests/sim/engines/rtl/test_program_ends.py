"""Programs whose first load and last store overlap with the array, under Verilator."""

from __future__ import annotations

import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from tests.sim.engines.engine_checks import TINY, check_engines
from vqrom_sw.compiler.compile import compile_passes


@pytest.mark.parametrize(("rows", "channels", "strips"), [(64, 32, 4), (32, 64, 1)],
                         ids=["strips", "lead"])
def test_one_matrix_product(rows: int, channels: int, strips: int) -> None:
    """In strips, and in one strip with a lead: the reference's bytes and the model's counts."""
    codebook = random_codebook(TINY)
    net = NetworkBuilder(codebook, (rows, 1, channels))
    net.conv(channels, (1, 1))
    plan = compile_passes(net.build(), codebook.codewords, TINY).plan
    assert len(plan.strips) == strips and (plan.strips[0].lead is not None) == (strips == 1)
    check_engines(net, TINY)
