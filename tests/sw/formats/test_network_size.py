"""The bytes of a network, against a count by hand."""

from __future__ import annotations

import numpy as np

from tests.random_networks import NetworkBuilder
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.formats import network_size


def test_every_byte_counts() -> None:
    """The codebook has 20 codewords of 4 weights, so that an index takes 5 bits."""
    codebook = UniversalCodebook(np.arange(80, dtype=np.int8).reshape(20, 4))
    builder = NetworkBuilder(codebook, (6, 6, 3))
    builder.conv(8, raw=True)
    builder.conv(10, (1, 1))
    builder.average_pool()
    builder.linear(7)
    size = network_size(builder.build(), codebook)
    assert size.raw == 8 * 9 * 3
    # 10 x 2 indices, then 7 x 3 (10 channels are three sub-vectors), 5 bits each, whole bytes.
    assert size.index == (20 * 5 + 7) // 8 + (21 * 5 + 7) // 8 == 13 + 14
    assert (size.weights, size.indexed_weights) == (216 + 80 + 70, 80 + 70)
    assert size.channels == (8 + 10 + 7) * 9
    assert size.rom == 80 and size.host == 0
    assert size.stored == 216 + 27 + 225
    assert size.float_bytes == 4 * (366 + 25)
    assert size.int8_bytes == 366 + 225
    assert size.indexed_ratio == 4 * 150 / 27
    assert size.ratio == 4 * 391 / 468
    assert size.int8_ratio == 591 / 468
