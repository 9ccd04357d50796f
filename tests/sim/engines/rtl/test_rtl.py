"""The generated Verilog under Verilator, through cocotb, against the integer reference.

Two of the accelerators that other tests use too, so that they are built once (the cache keeps the
model): one of powers of two, one of odd widths, whose maps are spilled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.random_networks import NetworkBuilder, mixed_network, random_codebook
from tests.sim.engines.engine_checks import ODD, TINY
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.engines.rtl.build import build_model
from vqrom_sim.flows import simulate
from vqrom_sim.flows import simulation as module
from vqrom_sim.report.figures import STREAMS
from vqrom_sw.codebook import UniversalCodebook

CONFIGS = {config.name: config for config in (TINY, ODD)}


def single(build: Callable[[NetworkBuilder], object], shape: tuple[int, int, int],
           codebook: UniversalCodebook) -> NetworkBuilder:
    """A network of one layer."""
    builder = NetworkBuilder(codebook, shape, seed=7)
    build(builder)
    return builder


CASES: dict[str, tuple[tuple[int, int, int], Callable[[NetworkBuilder], object]]] = {
    "conv": ((7, 6, 8), lambda net: net.conv(12)),
    "strided padded conv": ((9, 7, 5), lambda net: net.conv(9, (3, 3), (2, 2), (1, 1, 1, 1))),
    "asymmetric conv": ((6, 9, 3), lambda net: net.conv(7, (3, 2), (1, 2), (2, 0, 1, 1))),
    "raw conv": ((5, 5, 6), lambda net: net.conv(11, padding=(1, 1, 1, 1), raw=True)),
    "linear": ((4, 4, 9), lambda net: net.linear(13)),
    "linear of a vector": ((1, 1, 50), lambda net: net.linear(10)),
    "max pooling": ((8, 6, 10), lambda net: net.max_pool()),
    "padded max pooling": ((7, 5, 3), lambda net: net.max_pool((3, 3), (2, 2), (1, 1, 1, 1))),
    "average pooling": ((5, 4, 13), lambda net: net.average_pool()),
    "one pixel": ((1, 1, 1), lambda net: net.conv(1, (1, 1))),
}


def test_models_outlive_the_environment_that_built_them() -> None:
    """The cache is shared: a model may not look for libraries in one environment."""
    config = CONFIGS["tiny"]
    model = build_model(config, random_codebook(config).codewords)
    assert b"cocotb/libs" not in (model / "testbench").read_bytes()


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("case", CASES)
def test_layer(name: str, case: str) -> None:
    config = CONFIGS[name]
    codebook = random_codebook(config)
    shape, build = CASES[case]
    builder = single(build, shape, codebook)
    report = simulate(builder.build(), codebook, config, builder.images(2)).report
    assert (report["mismatches"], report["bit_exact"]) == (0, True)


@pytest.mark.parametrize("name", CONFIGS)
def test_whole_network(name: str) -> None:
    """All layer kinds with a residual: bytes, and what a report must add up to."""
    config = CONFIGS[name]
    codebook = random_codebook(config)
    builder = mixed_network(codebook)
    network, images = builder.build(), builder.images(3)
    done: list[tuple[str, int, int]] = []
    result = simulate(network, codebook, config, images, progress=lambda *step: done.append(step))
    report = result.report
    assert report["bit_exact"] and result.outputs is not None
    assert result.outputs.shape == (3, 10, 1, 1)
    assert np.ptp(result.outputs) > 20, "outputs that hardly differ show nothing"
    assert report["macs"] == 3 * sum(network.macs_of(layer) for layer in network.layers)
    assert report["cycles"] == sum(layer["cycles"] for layer in report["layers"])
    assert report["cycles"] == 3 * (report["cycles"] // 3), "the same cycles for every image"
    assert 0 < report["utilization"] < 1
    for stream in STREAMS:
        assert report["traffic"]["dram_read_bytes"][stream] == sum(
            layer["traffic"]["dram_read_bytes"][stream] for layer in report["layers"])
    for cause, cycles in report["stalls"].items():
        assert cycles == sum(layer["stalls"][cause] for layer in report["layers"])
    assert done[-1] == ("simulating the Verilog", 3, 3)


def test_cycles_do_not_depend_on_data() -> None:
    config = CONFIGS["tiny"]
    codebook = random_codebook(config)
    builder = mixed_network(codebook)
    network = builder.build()
    runs = [simulate(network, codebook, config, images).report
            for images in (builder.images(1), np.zeros((1, 3, 12, 10), np.int8))]
    assert runs[0]["cycles"] == runs[1]["cycles"]
    assert runs[0]["traffic"] == runs[1]["traffic"]


def test_a_wrong_byte_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison compares: against a reference with one byte flipped there is one mismatch."""
    config = CONFIGS["tiny"]
    codebook = random_codebook(config)
    builder = mixed_network(codebook)
    honest, network = module.run_reference, builder.build()
    last = network.layers[-1].name

    def flipped(*arguments: Any) -> dict[str, np.ndarray]:
        results = honest(*arguments)
        results[last].flat[4] ^= 1
        return results

    monkeypatch.setattr(module, "run_reference", flipped)
    report = simulate(network, codebook, config, builder.images(1)).report
    assert (report["bit_exact"], report["mismatches"]) == (False, 1)
    assert report["first_mismatch"] == last


def test_network_on_another_rom() -> None:
    config = CONFIGS["tiny"]
    builder = mixed_network(random_codebook(config, seed=1))
    with pytest.raises(VqromError, match="codebook"):
        simulate(builder.build(), random_codebook(config, seed=2), config, builder.images(1))


def test_pixel_that_does_not_fit() -> None:
    config: AcceleratorConfig = CONFIGS["tiny"]
    codebook = random_codebook(config)
    builder = NetworkBuilder(codebook, (1, 1, 60_000))
    builder.conv(8, (1, 1))
    with pytest.raises(VqromError, match=r"layer 'conv0'.*activation_words"):
        simulate(builder.build(), codebook, config, builder.images(1))
