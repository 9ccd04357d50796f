"""Programs: streams in the order of the array, and feature maps that never overlap."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, mixed_network, random_codebook
from vqrom_hw.commands import COMMAND_BYTES, Opcode
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError
from vqrom_sw.allocation import place_feature_maps
from vqrom_sw.compiler import compile_network
from vqrom_sw.network import INPUT, Conv
from vqrom_sw.packing import unpack
from vqrom_sw.streams import pack_fields, parameter_packet, weight_packet

TINY = load_config("tiny")
CODEBOOK = random_codebook(TINY)


def conv_of(builder: NetworkBuilder) -> Conv:
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
    """Read back one by one: column tile, channel word, kernel row, kernel column, group, column."""
    builder = NetworkBuilder(CODEBOOK, (5, 5, 10))
    builder.conv(7, (2, 3), raw=raw)
    layer = conv_of(builder)
    packet = weight_packet(layer, CODEBOOK.codewords, TINY, zero_point=0)
    assert (packet.column_tiles, packet.tiles) == (2, 2 * 2 * 6)
    content = np.frombuffer(packet.content, np.uint8)
    if raw:
        codewords = content.view(np.int8).reshape(-1, TINY.subvector)
    else:
        count = packet.tiles * TINY.processing_elements
        codewords = CODEBOOK.codewords[unpack(content, count, TINY.index_width)]
    expected = CODEBOOK.codewords[layer.indices] if layer.indices is not None else layer.raw
    assert expected is not None
    expected = expected.reshape(7, 2, 3, -1)
    place = 0
    for tile, word, ky, kx, group, column in np.ndindex(2, 2, 2, 3, TINY.groups, TINY.columns):
        channel, first = tile * TINY.columns + column, word * TINY.rows + group * TINY.subvector
        if channel < 7 and first < expected.shape[3]:
            weights = expected[channel, ky, kx, first:first + TINY.subvector]
            np.testing.assert_array_equal(codewords[place, :len(weights)], weights)
        place += 1
    assert place == len(codewords)


def test_bias_folds_every_lane_that_is_read() -> None:
    builder = NetworkBuilder(CODEBOOK, (1, 1, 6))
    builder.conv(3, (1, 1))
    layer = conv_of(builder)
    packet = weight_packet(layer, CODEBOOK.codewords, TINY, zero_point=-5)
    assert layer.indices is not None
    sums = CODEBOOK.codewords[layer.indices].astype(int).sum((1, 2, 3, 4))
    np.testing.assert_array_equal(packet.bias[:3], layer.bias + 5 * sums)
    assert not packet.bias[3:].any(), "channels that do not exist give the zero point"


def test_bias_must_fit() -> None:
    builder = NetworkBuilder(CODEBOOK, (1, 1, 6))
    builder.conv(3, (1, 1))
    layer = conv_of(builder)
    layer.bias[0] = (1 << 31) - 1
    with pytest.raises(VqromError, match="folded bias must fit int32"):
        weight_packet(layer, np.full((256, 4), 127, np.int8), TINY, zero_point=-128)


def test_parameters_are_nine_bytes_a_channel() -> None:
    builder = NetworkBuilder(CODEBOOK, (1, 1, 6))
    builder.conv(3, (1, 1))
    layer = conv_of(builder)
    packet = parameter_packet(np.arange(-4, 4), layer.requantization)
    assert len(packet) == 8 * 9
    assert int.from_bytes(packet[:4], "little", signed=True) == -4
    assert int.from_bytes(packet[4:8], "little") == layer.requantization.multiplier[0]
    assert packet[3 * 9 + 4:3 * 9 + 9] == bytes(5), "no multiplier beyond the channels"


@pytest.mark.parametrize("preset", ["tiny", "edge16", "edge32"])
def test_maps_that_are_alive_together_do_not_overlap(preset: str) -> None:
    config = load_config(preset)
    network = mixed_network(random_codebook(config)).build()
    maps = place_feature_maps(network, config)
    names = [INPUT, *(layer.name for layer in network.layers)]
    for step, layer in enumerate(network.layers, start=1):
        later = {name for other in network.layers[step - 1:] for name in other.inputs}
        alive = [name for name in names[:step] if name in later] + [layer.name]
        words: Counter[int] = Counter()
        for name in alive:
            words.update(range(maps[name].base, maps[name].base + maps[name].words))
        assert max(words.values()) == 1, layer.name
        assert max(words) < config.activation_words


def test_maps_reuse_what_is_dead() -> None:
    config = load_config("tiny", subvector=4, codewords=256)
    builder = NetworkBuilder(CODEBOOK, (16, 16, 32))
    for _ in range(6):
        builder.conv(32, padding=(1, 1, 1, 1))
    maps = place_feature_maps(builder.build(), config)
    assert max(place.base + place.words for place in maps.values()) == 2 * 16 * 16 * 4


def test_program_is_whole_beats_and_ends() -> None:
    for bus_width in (64, 512):
        config = AcceleratorConfig(**{**TINY.model_dump(), "bus_width": bus_width,
                                      "max_burst_beats": 16})
        program = compile_network(mixed_network(CODEBOOK).build(), CODEBOOK.codewords, config)
        assert len(program.commands) % config.beat_bytes == 0
        assert program.layers[0] == "load" and program.layers[-1] == "store"
        last = program.commands[-COMMAND_BYTES:]
        assert last[0] & 0xF == Opcode.END or Opcode.END in last[:2]


def test_same_constants_are_stored_once() -> None:
    """Strips of one layer read the same weights again."""
    config = AcceleratorConfig(**{**TINY.model_dump(), "accumulator_depth": 16})
    builder = NetworkBuilder(CODEBOOK, (16, 16, 8))
    builder.conv(8, padding=(1, 1, 1, 1))
    program = compile_network(builder.build(), CODEBOOK.codewords, config)
    index = next(moved["index"] for moved in program.fetched_bytes if "index" in moved)
    assert index == 16 * 8 * 9 * 2
    assert len(program.constants) < index / 4


def test_groups_run_in_the_reference_only() -> None:
    builder = NetworkBuilder(CODEBOOK, (5, 5, 8))
    builder.conv(8, groups=2)
    with pytest.raises(VqromError, match=r"layer 'conv0' \(conv with 2 groups\): must be one"):
        compile_network(builder.build(), CODEBOOK.codewords, TINY)


def test_width_beyond_the_accumulators() -> None:
    config = AcceleratorConfig(**{**TINY.model_dump(), "accumulator_depth": 8})
    builder = NetworkBuilder(CODEBOOK, (4, 16, 8))
    builder.conv(8)
    with pytest.raises(VqromError, match="output width must be at most accumulator_depth 8 of "
                                         "config 'tiny', not 14"):
        compile_network(builder.build(), CODEBOOK.codewords, config)
