"""How fast the accelerator is, and how fast the cycle model: the figures of
docs/results/performance.md.

    ./run python -m tests.bench.performance [--rtl]

Cycles and bytes come from the cycle model; with ``--rtl`` ResNet-18 and the matrix products run
under Verilator too, are compared byte for byte, and must take the same cycles.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from tests.imagenet_networks import resnet18
from tests.mobilenets import mobilenet_v1, mobilenet_v2
from tests.random_networks import random_codebook
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.lib import parameter_layout
from vqrom_sim.engines import run_model
from vqrom_sim.flows import simulate, simulate_topology
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Reload, compile_network, vector_cycles
from vqrom_sw.importers import Topology, TopologyLayer, read_topology
from vqrom_sw.importers.scale_sim import gemm
from vqrom_sw.network import Conv, QuantizedNetwork

TOPOLOGIES = Path(__file__).with_name("topologies")
PARAMETER_BYTES = parameter_layout.size // 8


def moved(report: dict) -> int:
    """All bytes that a run moved on the DRAM bus."""
    traffic = report["traffic"]
    return sum(traffic["dram_read_bytes"].values()) + sum(traffic["dram_write_bytes"].values())


def compulsory(network: QuantizedNetwork, config: AcceleratorConfig) -> int:
    """Bytes that any accelerator has to move: each index, weight and parameter, input and output
    once, and no map in between."""
    height, width, channels = network.input_shape
    total = height * width * channels
    for layer in network.layers:
        if isinstance(layer, Conv):
            raw = layer.raw.size if layer.raw is not None else 0
            bits = layer.indices.size * config.index_width if layer.indices is not None else 0
            total += raw + bits // 8 + PARAMETER_BYTES * layer.shape[2]
    height, width, channels = network.layers[-1].shape
    return total + height * width * channels


def matrix_products(rtl: bool) -> Iterator[str]:
    """Time 64 matrix products as one program against the array's peak."""
    config = load_config("edge16")
    topology = read_topology(TOPOLOGIES / "gemm64.csv")
    ideal = sum(layer.macs for layer in topology.layers) // config.peak_macs_per_cycle
    report = simulate_topology(topology, config)
    yield (f"64 matrix products, edge16: {report['cycles']:,} cycles, "
           f"{report['cycles'] / ideal:.4f} x ideal {ideal:,}")
    if rtl:
        run = simulate_topology(topology, config, engine="rtl")
        yield f"  in RTL: {run['cycles']:,} cycles, bit-exact: {run['bit_exact']}"


def residual_network(rtl: bool) -> Iterator[str]:
    """Time ResNet-18, and the same network on the accelerators that it is compared with."""
    config = load_config("edge32")
    codebook = random_codebook(config)
    builder = resnet18(codebook)
    network, images = builder.build(), builder.images(1)
    report = simulate(network, codebook, config, images, "model").report
    bytes_needed = compulsory(network, config)
    yield (f"ResNet-18, edge32: {report['cycles']:,} cycles, {report['utilization']:.1%} "
           f"utilisation, {moved(report):,} DRAM bytes, "
           f"{moved(report) / bytes_needed:.3f} x compulsory {bytes_needed:,}")
    if rtl:
        start = time.perf_counter()
        run = simulate(network, codebook, config, images).report
        yield (f"  in RTL: {run['cycles']:,} cycles, bit-exact: {run['bit_exact']}, "
               f"{time.perf_counter() - start:.0f} s with the build where it is not cached")
    yield from baselines(config, codebook)


def baselines(config: AcceleratorConfig, codebook: UniversalCodebook) -> Iterator[str]:
    """Time the same network with int8 weights, and with the codebook in an SRAM."""
    sram = config.model_copy(update={"codebook_storage": "sram"})
    cases: tuple[tuple[str, AcceleratorConfig, bool, Reload], ...] = (
        ("dense int8", config, True, "network"),
        ("codebook in SRAM, one per layer", sram, False, "layer"),
        ("codebook in SRAM, universal", sram, False, "network"),
        ("codebook in ROM, universal", config, False, "network"))
    for name, target, raw, reload in cases:
        network = resnet18(codebook, raw=raw).build()
        program = compile_network(network, codebook.codewords, target, codebook_reload=reload,
                                  contents=False)
        counters = run_model(program).counters[0]
        fetched = {key: counters[f"{key}_beats"] * target.beat_bytes for key in (
            "index", "raw_weight", "codebook", "parameter", "activation_read",
            "activation_write")}
        yield f"  {name}: {counters['cycles']:,} cycles, {fetched}"


def vectors() -> Iterator[str]:
    """Time linear layers of one input against the time that their bytes take on the bus."""
    for preset in ("edge16", "edge32"):
        config = load_config(preset)
        for features, outputs in ((512, 1000), (1024, 1024), (2048, 1000), (4096, 4096)):
            topology = Topology("gemv", (gemm("gemv", 1, outputs, features),))
            report = simulate_topology(topology, config)
            read = sum(report["traffic"]["dram_read_bytes"].values())
            bound = -(-read // config.beat_bytes)
            yield (f"linear {features} -> {outputs}, {preset}: {report['cycles']:,} cycles, "
                   f"{bound / report['cycles']:.1%} of the bus bound {bound:,}")


def depthwise() -> Iterator[str]:
    """Count the multiply-accumulates that the vector unit does in a cycle of depthwise layers."""
    for preset in ("edge16", "edge32"):
        config = load_config(preset)
        for kernel, size in ((3, 56), (3, 14), (5, 28)):
            layer = TopologyLayer("DP", (size + kernel - 1, size + kernel - 1, 64),
                                  (kernel, kernel), (1, 1), 64, depthwise=True)
            report = simulate_topology(Topology("depthwise", (layer,)), config)
            yield (f"depthwise {kernel}x{kernel}, {size}x{size}x64, {preset}: "
                   f"{report['macs'] / report['cycles']:.1f} MACs/cycle, "
                   f"{report['macs'] / report['busy']['vector']:.1f} while the vector unit works")


def peak_cycles(network: QuantizedNetwork, config: AcceleratorConfig) -> tuple[float, float]:
    """Cycles of the convolutions if each ran alone at the peak of its unit: array, vector unit.

    The array's peak is ``rows * columns`` multiply-accumulates a cycle. The vector unit's is what
    reading words and requantising results leave of its multipliers.
    """
    array = vector = 0.0
    for layer in network.layers:
        if isinstance(layer, Conv):
            height, width, outputs = layer.shape
            if layer.groups > 1:
                vector += height * -(-outputs // config.rows) * vector_cycles(layer, config)
            else:
                channels = network.shape_of(layer.inputs[0])[2]
                array += height * width * outputs * layer.kernel[0] * layer.kernel[1] \
                    * channels / config.peak_macs_per_cycle
    return array, vector


def mobilenets() -> Iterator[str]:
    """Time networks of depthwise convolutions, and with more lanes that requantise."""
    for lanes in ({}, {"vector_lanes": 16}, {"vector_lanes": 16, "post_lanes": 32}):
        config = load_config("edge32").model_copy(update=lanes)
        codebook = random_codebook(config)
        for name, builder in (("V1", mobilenet_v1), ("V2", mobilenet_v2)):
            network = builder(codebook).build()
            program = compile_network(network, codebook.codewords, config, contents=False)
            counters = run_model(program).counters[0]
            array, vector = peak_cycles(network, config)
            cycles = counters["cycles"]
            yield (f"MobileNet{name}, edge32 {lanes or ''}: {cycles:,} cycles; at their units' "
                   f"peaks, one after the other, its layers take {array:,.0f} on the array and "
                   f"{vector:,.0f} on the vector unit: {(array + vector) / cycles:.1%}; of the "
                   f"array's peak {array / cycles:.1%}")


def model_speed() -> Iterator[str]:
    """Time the cycle model itself on ResNet-50 from its topology file."""
    config, topology = load_config("edge32"), read_topology(TOPOLOGIES / "resnet50.csv")
    # The first run loads the model's machine code, or compiles it.
    simulate_topology(Topology("first", (gemm("first", 1, 8, 8),)), config)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    report = simulate_topology(topology, config)
    seconds = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield (f"ResNet-50 topology, edge32, cycle model: {seconds:.2f} s, {grown:.0f} MB more, "
           f"{report['cycles']:,} cycles, {report['utilization']:.1%} utilisation")


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rtl", action="store_true")
    rtl = parser.parse_args().rtl
    for lines in (model_speed(), matrix_products(rtl), residual_network(rtl), vectors(),
                  depthwise(), mobilenets()):
        for line in lines:
            print(line, flush=True)


if __name__ == "__main__":
    main()
