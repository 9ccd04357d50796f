"""Families of architectures exported to ONNX are as much on the accelerator as when captured.

``./run python -m tests.bench.networks.architectures --onnx OPSET`` does it for all of them.
"""

from __future__ import annotations

import pytest

from tests.compressed_architectures import (
    CODEWORDS,
    family_codebook,
    macs_by_side,
    random_inputs,
)
from tests.exported_architectures import compressed_export
from tests.sw.compiler.program_checks import check_programs, config_of
from vqrom_sim.flows import simulate
from vqrom_sw.compiler import compile_stages, cut_network
from vqrom_sw.reference import quantize_input

TINY = config_of("tiny", codewords=CODEWORDS)


@pytest.mark.parametrize(("name", "opset"), [
    ("ViT", 13), ("LSTM", 17), ("DeepLab", 23), ("MobileNetV3", 23)])
def test_programs(name: str, opset: int) -> None:
    """A class token, initial states and sizes that depend on the number of images; gates."""
    network, codebook, inputs = compressed_export(name, opset), family_codebook(), \
        random_inputs(name, 1)
    macs = macs_by_side(network, cut_network(network, TINY))
    assert macs["host"] == 0 and macs["accelerator"] > 0
    compiled = compile_stages(network, codebook.codewords, TINY)
    check_programs(compiled, codebook, quantize_input(network, inputs))
    report = simulate(network, codebook, TINY, inputs, "model").report
    assert report["macs"] - report["host_macs"] == macs["accelerator"]
