"""Sums that int32 cannot hold are refused by the reference and the compiler alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from tests.sw.compiler.program_checks import config_of
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Requantization
from vqrom_sw.compiler import compile_network
from vqrom_sw.network import Conv, QuantizedNetwork
from vqrom_sw.reference import run_reference

TINY = config_of("tiny")
CODEBOOK = random_codebook(TINY)


def forged(bias: int, shift: int) -> tuple[QuantizedNetwork, np.ndarray]:
    """A convolution without weights other than 0, one bias of which is forged."""
    builder = NetworkBuilder(CODEBOOK, (4, 4, 4))
    builder.conv(4, raw=True)
    network = builder.build()
    conv, = network.layers
    assert isinstance(conv, Conv) and conv.raw is not None
    biases = np.array([0, 0, bias, 0], np.int32)
    factors = Requantization(np.full(4, 1 << 30, np.int32), np.full(4, shift, np.int8))
    conv = replace(conv, raw=np.zeros_like(conv.raw), bias=biases, requantization=factors)
    return replace(network, layers=(conv,)), np.zeros((1, 4, 4, 4), np.int8)


@pytest.mark.parametrize(("bias", "shift", "fits"), [
    ((1 << 31) - 1, 0, True), (-(1 << 31), 0, False), (1 << 24, 7, False),
    ((1 << 24) - 1, 7, True), (-(1 << 30), 1, False), ((1 << 31) - 1, -31, True)])
def test_bounds(bias: int, shift: int, fits: bool) -> None:
    network, inputs = forged(bias, shift)
    for run in (lambda: run_reference(network, CODEBOOK, inputs),
                lambda: compile_network(network, CODEBOOK.codewords, TINY)):
        if fits:
            run()
            continue
        with pytest.raises(VqromError, match=r"layer 'conv0': sums of channel 2.*int32"):
            run()
