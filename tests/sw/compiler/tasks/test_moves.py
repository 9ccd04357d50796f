"""Moves of channels: every lane of the output is written once, by what belongs there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_sw.arithmetic import Quantization
from vqrom_sw.compiler.lowering import lower, order_for_pixels
from vqrom_sw.compiler.tasks.moving import (
    Move,
    channel_ranges,
    concat_ranges,
    moves_of,
    needs_lanes,
)
from vqrom_sw.network import Conv, DepthToSpace, Layer, Select

TINY = config_of("tiny")


def written(moves: list[Move], inputs: list[np.ndarray], words: int) -> np.ndarray:
    """What moves make of words ``[words, 8]``, -2 where nothing is written."""
    result = np.full((words, 8), -2)
    for move in moves:
        lanes = slice(move.lanes.first, move.lanes.first + move.lanes.count or None)
        for number in range(move.words):
            word = inputs[move.source][move.word + number] if move.source >= 0 \
                else np.full(8, -1)
            place = result[move.target + number, lanes]
            assert (place == -2).all(), "written twice"
            place[:] = np.roll(word, move.lanes.rotation)[lanes]
    return result


def words_of(channels: int, first: int = 0) -> np.ndarray:
    """Words of channels with numbers of their own; the zero point, -1, beyond them."""
    result = np.full(-(-channels // 8) * 8, -1)
    result[:channels] = first + np.arange(channels)
    return result.reshape(-1, 8)


@pytest.mark.parametrize("parts", [[8, 16], [16, 3], [5, 5], [7, 9, 1], [1, 1, 1], [20, 13, 30]])
def test_concatenation(parts: list[int]) -> None:
    total, inputs = 0, []
    for channels in parts:
        inputs.append(words_of(channels, total))
        total += channels
    shapes = [(2, 2, channels) for channels in parts]
    moves = moves_of(concat_ranges(parts), shapes, (2, 2, total), TINY)
    expected = words_of(total)
    np.testing.assert_array_equal(written(moves, inputs, len(expected)), expected)
    if not any(channels % 8 for channels in parts[:-1]):
        assert not needs_lanes(moves) and len(moves) == len(parts), "whole words are free to move"


@pytest.mark.parametrize("seed", range(10))
def test_selection(seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(1, 40))
    sources = rng.integers(-1, channels, rng.integers(1, 30)) if seed % 2 \
        else np.arange(*np.sort(rng.choice(channels + 1, 2, replace=False)))
    moves = moves_of(channel_ranges(sources.tolist()), [(1, 1, channels)], (1, 1, len(sources)),
                     TINY)
    expected = np.full(-(-len(sources) // 8) * 8, -1)
    expected[:len(sources)] = sources
    got = written(moves, [words_of(channels)], len(expected) // 8)
    np.testing.assert_array_equal(got.ravel(), expected)


def selection(sources: list[int], size: int, stride: int = 1) -> Select:
    return Select("select", ("input",), (size, size, len(sources)), Quantization(1.0, 3),
                  np.array(sources, np.int32), (stride, stride), (-128, 127))


@pytest.mark.parametrize("preset", ["edge16", "edge32"])
def test_shortcuts_of_residual_networks_stay_on_the_array(preset: str) -> None:
    """Half of the channels are zeros, which the vector unit writes slowly."""
    config = config_of(preset)
    shortcut = selection([-1] * 8 + list(range(16)) + [-1] * 8, 16, 2)
    assert isinstance(lower(shortcut, (32, 32, 16), config), Conv)


def test_halves_go_to_the_vector_unit_and_shuffles_to_the_array() -> None:
    config = config_of("edge16")
    assert isinstance(lower(selection(list(range(32, 64)), 14), (14, 14, 64), config), Select)
    shuffled = [channel // 2 + 32 * (channel % 2) for channel in range(64)]
    assert isinstance(lower(selection(shuffled, 14), (14, 14, 64), config), Conv)


def test_a_vector_becomes_an_image_by_moves() -> None:
    """The array would need a row of raw weights for each lane of 144 words."""
    def order(size: int, block: int, **changes: bool) -> Layer:
        layer = DepthToSpace("image", ("input",), (size * block, size * block, 1),
                             Quantization(1.0, 3), block)
        return order_for_pixels(layer, block, (size, size, block**2),
                                config_of("edge16", **changes))

    assert isinstance(order(1, 12), Select)
    assert isinstance(order(1, 12, vector_moves=False), Conv)
    assert isinstance(order(12, 2), Conv), "many pixels share their weights"


@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize("channels", [36, 72, 288])
def test_vectors_as_images_are_right(channels: int, moves: bool) -> None:
    config = config_of("tiny", vector_moves=moves)
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (1, 1, 5))
    net.linear(channels)
    net.depth_to_space(6)
    check_program(net, codebook, config)
