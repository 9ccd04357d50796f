"""Packets hold weights and parameters in the order in which the units consume them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sw.compiler.tasks.packets import (
    KernelWeights,
    expand_groups,
    fold_bias,
    fold_columns,
    pack_fields,
    parameter_packet,
)
from vqrom_sw.formats.index_packing import unpack
from vqrom_sw.network import Conv

TINY = load_config("tiny")
CODEBOOK = random_codebook(TINY)


def conv_of(builder: NetworkBuilder) -> Conv:
    """The builder's last layer, which is a convolution."""
    layer = builder.build().layers[-1]
    assert isinstance(layer, Conv)
    return layer


@pytest.mark.parametrize("width", [1, 3, 5, 8, 11, 16])
def test_fields_have_the_layout_of_network_files(width: int) -> None:
    values = np.random.default_rng(width).integers(0, 1 << width, 37)
    packed = np.frombuffer(pack_fields(values, width), np.uint8)
    np.testing.assert_array_equal(unpack(packed, 37, width), values)


@pytest.mark.parametrize("raw", [False, True])
def test_weights_come_in_the_order_of_the_array(raw: bool) -> None:
    """Read back one by one, in the order of the array's loops, innermost last."""
    builder = NetworkBuilder(CODEBOOK, (5, 5, 10))
    builder.conv(7, (2, 3), raw=raw)
    layer = conv_of(builder)
    units = layer.raw if layer.raw is not None else layer.indices
    assert units is not None
    weights = KernelWeights(units, CODEBOOK.codewords, TINY, 8)
    content = np.frombuffer(weights.packet(0, 1) + weights.packet(1, 2), np.uint8)
    if raw:
        codewords = content.view(np.int8).reshape(-1, TINY.subvector)
    else:
        codewords = CODEBOOK.codewords[unpack(content, len(content), TINY.index_width)]
    assert len(codewords) == 2 * 2 * 6 * TINY.processing_elements
    expected = CODEBOOK.codewords[units].reshape(7, 2, 3, -1) if not raw else units
    places = np.ndindex(2, 2, 2, 3, TINY.pe_rows, TINY.columns)
    for place, (tile, word, ky, kx, group, column) in enumerate(places):
        channel, first = tile * TINY.columns + column, word * TINY.rows + group * TINY.subvector
        if channel < 7 and first < expected.shape[3]:
            found = expected[channel, ky, kx, first:first + TINY.subvector]
            np.testing.assert_array_equal(codewords[place, :len(found)], found)


def test_bias_folds_every_lane_that_is_read() -> None:
    builder = NetworkBuilder(CODEBOOK, (1, 1, 6))
    builder.conv(3, (1, 1))
    layer = conv_of(builder)
    assert layer.indices is not None
    weights = KernelWeights(layer.indices, CODEBOOK.codewords, TINY, 8)
    bias = fold_bias("conv", layer.bias, -5, weights.sums)
    sums = CODEBOOK.codewords[layer.indices].astype(int).sum((1, 2, 3, 4))
    np.testing.assert_array_equal(bias[:3], layer.bias + 5 * sums)
    assert not bias[3:].any(), "channels that do not exist give the zero point"


def test_bias_must_fit() -> None:
    with pytest.raises(VqromError, match="layer 'conv': folded bias must fit int32"):
        fold_bias("conv", np.array([(1 << 31) - 1]), -128, np.array([1000]))


def test_parameters_are_nine_bytes_a_channel() -> None:
    builder = NetworkBuilder(CODEBOOK, (1, 1, 6))
    builder.conv(3, (1, 1))
    layer = conv_of(builder)
    packet = parameter_packet(np.arange(-4, 4), layer.requantization)
    assert len(packet) == 8 * 9
    assert int.from_bytes(packet[:4], "little", signed=True) == -4
    assert int.from_bytes(packet[4:8], "little") == layer.requantization.multiplier[0]
    assert packet[3 * 9 + 4:3 * 9 + 9] == bytes(5), "no multiplier beyond the channels"


def test_folded_columns_lie_side_by_side() -> None:
    units = np.arange(2 * 1 * 5 * 3).reshape(2, 1, 5, 3)
    folded = fold_columns(units, 2)
    assert folded.shape == (2, 1, 3, 6)
    np.testing.assert_array_equal(folded[1, 0, 1], units[1, 0, 2:4].ravel())
    assert not folded[:, :, 2, 3:].any()


def test_groups_see_their_own_channels_only() -> None:
    raw = np.arange(1, 13, dtype=np.int8).reshape(6, 1, 1, 2)
    full = expand_groups(raw, 3, (2, 8), (0, 8))
    np.testing.assert_array_equal(full[0, 0, 0], [0, 0, 5, 6, 0, 0, 0, 0])
    np.testing.assert_array_equal(full[3, 0, 0], [0, 0, 0, 0, 11, 12, 0, 0])
    assert not full[4:].any()
