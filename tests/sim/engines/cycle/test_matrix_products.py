"""A matrix product takes the same cycles and bytes, whichever way it is written."""

from __future__ import annotations

import pytest

from tests.random_networks import NetworkBuilder, random_codebook
from vqrom_hw.config import load_config
from vqrom_sim.engines import run_model
from vqrom_sim.flows import simulate_topology
from vqrom_sw.compiler import compile_network
from vqrom_sw.importers import Topology, TopologyLayer, gemm

EDGE = load_config("edge32")
CODEBOOK = random_codebook(EDGE)


def topology_counts(layer: TopologyLayer) -> tuple[int, int]:
    """Cycles and DRAM bytes of a topology of one layer."""
    report = simulate_topology(Topology("one", (layer,)), EDGE)
    traffic = report["traffic"]
    return report["cycles"], (sum(traffic["dram_read_bytes"].values())
                              + sum(traffic["dram_write_bytes"].values()))


@pytest.mark.parametrize(("shape", "kernel", "product", "counts"), [
    ((1, 2560, 1), (1, 2560), (1, 64, 2560), (2_969, 45_056)),
    ((6, 6, 256), (6, 6), (1, 512, 9216), (74_821, 1_194_880)),
    ((128, 13, 1), (1, 13), (128, 512, 13), (6_049, 95_872)),
    ((1760, 1760, 1), (1, 1760), (1760, 128, 1760), (396_298, 4_122_592)),
])
def test_topologies(shape: tuple[int, int, int], kernel: tuple[int, int],
                    product: tuple[int, int, int], counts: tuple[int, int]) -> None:
    conv = TopologyLayer("conv", shape, kernel, (1, 1), product[1])
    assert topology_counts(conv) == topology_counts(gemm("product", *product)) == counts


def network_counts(shape: tuple[int, int, int], kernel: tuple[int, int], stride: tuple[int, int],
                   raw: bool) -> tuple[int, int]:
    """Cycles and DRAM bytes of a network of one convolution with 128 outputs."""
    net = NetworkBuilder(CODEBOOK, shape)
    net.conv(128, kernel, stride, raw=raw)
    program = compile_network(net.build(), CODEBOOK.codewords, EDGE, contents=False)
    counters = run_model(program).counters[0]
    beats = sum(count for name, count in counters.items() if name.endswith("_beats"))
    return counters["cycles"], beats * EDGE.beat_bytes


@pytest.mark.parametrize(("shape", "kernel", "stride", "product", "raw", "counts"), [
    ((7, 7, 16), (7, 7), (1, 1), (1, 1, 784), False, (1_926, 28_576)),
    ((28, 28, 1), (28, 28), (1, 1), (1, 1, 784), True, (6_705, 105_248)),
    ((64, 64, 4), (1, 64), (1, 1), (64, 1, 256), False, (3_212, 44_800)),
    ((224, 224, 3), (16, 16), (16, 16), (14, 14, 768), True, (30_561, 275_840)),
])
def test_networks(shape: tuple[int, int, int], kernel: tuple[int, int], stride: tuple[int, int],
                  product: tuple[int, int, int], raw: bool, counts: tuple[int, int]) -> None:
    """A network's input is laid out window by window; a linear layer has the product's shape."""
    assert network_counts(shape, kernel, stride, raw) \
        == network_counts(product, (1, 1), (1, 1), raw) == counts
