"""Blocks of real networks under Verilator, byte for byte and cycle for cycle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.blocks import BLOCKS
from tests.joined_networks import AlikeBuilder, dense, split
from tests.random_networks import NetworkBuilder, random_codebook
from tests.sim.engines.engine_checks import check_engines, with_latency
from vqrom_hw.config import AcceleratorConfig


@pytest.mark.parametrize("words", [4096, 768])
@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_on_tiny(block: str, words: int) -> None:
    """Once with room for all maps, once in strips."""
    shape, build = BLOCKS[block]
    config = with_latency("tiny", 7)
    config = AcceleratorConfig.model_validate(
        config.model_dump() | {"activation_words": words})
    net = NetworkBuilder(random_codebook(config), shape, words)
    build(net)
    check_engines(net, config)


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_on_odd_lanes(block: str) -> None:
    """Words of six lanes, two columns of a kernel at once."""
    shape, build = BLOCKS[block]
    config = with_latency("odd", 32)
    net = NetworkBuilder(random_codebook(config), shape, 3)
    build(net)
    check_engines(net, config)


@pytest.mark.parametrize("build", [dense, split])
def test_maps_within_others(build: Callable[[NetworkBuilder, int], None]) -> None:
    """Both units write and read some words of each pixel."""
    config = with_latency("tiny", 7)
    net = AlikeBuilder(random_codebook(config), (6, 5, 3), 4)
    build(net, config.rows)
    check_engines(net, config)
