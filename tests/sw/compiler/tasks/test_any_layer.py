"""Whatever a configuration accepts compiles, and computes what the reference does.

Each configuration leaves out families of the vector unit's operations; layers are random.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, random_codebook, random_vector_layer
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.compiler import host_reason
from vqrom_sw.network import Elementwise, Layer

CONFIGS = {
    "whole": config_of("tiny"),
    "few words": config_of("tiny", activation_words=1024, accumulator_depth=16, bus_width=256),
    "edge32": config_of("edge32"),
    "no elementwise": config_of("tiny", vector_elementwise=False),
    "no tables": config_of("tiny", vector_tables="none"),
    "shared tables": config_of("tiny", vector_tables="shared"),
    "no moves": config_of("tiny", vector_moves=False),
    "shared tables, no moves": config_of("tiny", vector_tables="shared", vector_moves=False),
    "odd lanes": config_of("tiny", rows=12, columns=6, post_lanes=3, vector_lanes=3,
                           decode_ports=3),
}
REASONS = {"no elementwise": "vector_elementwise", "no tables": "vector_tables",
           "shared tables": "vector_tables", "no moves": "vector_moves"}


def kind_of(layer: Layer) -> str:
    """What reports call the kind of a layer."""
    return layer.operator if isinstance(layer, Elementwise) else type(layer).__name__


def network(config: AcceleratorConfig, seed: int) -> NetworkBuilder:
    """One to four random layers over three maps of a size, one of them a single pixel."""
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(1, 30))
    shape = (int(rng.integers(1, 8)), int(rng.integers(1, 8)), 3)
    net = NetworkBuilder(random_codebook(config), shape, seed)
    sources = [net.conv(channels, (1, 1)), net.conv(channels, (1, 1)), net.average_pool()]
    for _ in range(rng.integers(1, 4)):
        source = sources[-1] if len(sources) > 3 else sources[rng.integers(2)]
        sources.append(random_vector_layer(net, rng, source, sources))
    net.conv(5, (1, 1))
    return net


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_accepted_is_right(name: str) -> None:
    config, kinds, reasons = CONFIGS[name], Counter[str](), Counter[str]()
    for seed in range(60):
        net = network(config, seed)
        built = net.build()
        found = [host_reason(layer, built, config) for layer in built.layers]
        if any(found):
            reasons.update(filter(None, found))
        else:
            kinds.update(kind_of(layer) for layer in built.layers)
            check_program(net, random_codebook(config), config, apart=1)
    if name in REASONS:
        assert any(REASONS[name] in reason for reason in reasons), reasons
    elif name in ("whole", "few words", "edge32", "odd lanes"):
        assert not reasons
        assert {"add", "subtract", "multiply", "maximum", "minimum", "Table", "Concat", "Select",
                "Pad", "Upsample", "DepthToSpace"} <= set(kinds)
