"""Every family of architectures runs on every engine, with its weights on the accelerator."""

from __future__ import annotations

import pytest

from tests.architectures import ARCHITECTURES
from tests.compressed_architectures import (
    CODEWORDS,
    compressed,
    family_codebook,
    macs_by_side,
    random_inputs,
)
from tests.sim.engines.engine_checks import check_stages
from tests.sw.compiler.program_checks import check_programs, config_of
from vqrom_sim.flows import simulate
from vqrom_sw.compiler import compile_stages, cut_network
from vqrom_sw.reference import quantize_input

SHARE = 0.95
"""Least share of the multiplications with weights that the accelerator does."""

TINY, EDGE = (config_of(preset, codewords=CODEWORDS) for preset in ("tiny", "edge16"))

IN_VERILOG = ("MobileNetV3", "ShuffleNetV2", "YOLO", "autoencoder", "ViT", "GRU")
"""Families with tables and gates, moves between lanes, several outputs, a vector that becomes an
image, attention, recurrence."""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_programs(name: str) -> None:
    """Every map that crosses is right on two accelerators, and the cycle model runs the programs.
    """
    network, codebook, inputs = compressed(name), family_codebook(), random_inputs(name, 1)
    for config in (TINY, EDGE):
        macs = macs_by_side(network, cut_network(network, config))
        assert macs["accelerator"] >= SHARE * (macs["accelerator"] + macs["host"])
        compiled = compile_stages(network, codebook.codewords, config)
        check_programs(compiled, codebook, quantize_input(network, inputs), runs=2)
        report = simulate(network, codebook, config, inputs, "model").report
        assert report["cycles"] > macs["accelerator"] / (config.rows * config.columns)
        assert report["macs"] - report["host_macs"] == macs["accelerator"]


@pytest.mark.parametrize("name", IN_VERILOG)
def test_verilog(name: str) -> None:
    """Every map that crosses, and every counter of the cycle model."""
    check_stages(compressed(name), family_codebook(), TINY, random_inputs(name, 1))
