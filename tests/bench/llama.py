"""Llama-2-7B's seven linear layers for one token, on a bus of 1024 bits, from the cycle model.

    ./run python -m tests.bench.llama

Weights are indices of 256 codewords of four weights: 2 bits a weight. A layer of one token fetches
each of them once, so that the bus is what limits it.
"""

from __future__ import annotations

from collections.abc import Iterator

from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.flows import simulate_topology
from vqrom_sw.importers import Topology, gemm

HIDDEN, INNER = 4096, 11008
"""Features of a token, and of the inner layer (Touvron et al., "Llama 2", 2023; the published
configuration of the 7B model)."""

LAYERS = {"query": (HIDDEN, HIDDEN), "key": (HIDDEN, HIDDEN), "value": (HIDDEN, HIDDEN),
          "output": (HIDDEN, HIDDEN), "gate": (HIDDEN, INNER), "up": (HIDDEN, INNER),
          "down": (INNER, HIDDEN)}
"""Inputs and outputs of each linear layer of a block."""

EVA_CYCLES = 405_978
"""What EVA's published model takes for the same layers, at about 125 bytes a cycle."""

CONFIG = AcceleratorConfig(
    name="server64", rows=64, columns=64, decode_ports=128, post_lanes=8, vector_lanes=8,
    bus_width=1024, activation_words=1024, activation_banks=8, accumulator_depth=64,
    max_burst_beats=32, weight_fifo_beats=128)
"""An array that takes as many indices in a cycle as a beat of the bus has."""


def linear_layers(config: AcceleratorConfig) -> Iterator[str]:
    """Time the seven layers as one program."""
    topology = Topology("llama", tuple(gemm(name, 1, outputs, inputs)
                                       for name, (inputs, outputs) in LAYERS.items()))
    report = simulate_topology(topology, config)
    read = sum(report["traffic"]["dram_read_bytes"].values())
    cycles = report["cycles"]
    yield (f"Llama-2-7B, seven linear layers, one token, {config.name}: {cycles:,} cycles, "
           f"{EVA_CYCLES / cycles:.3f} x as fast as EVA's model ({EVA_CYCLES:,} cycles)")
    yield (f"  {read:,} bytes read, {read / cycles:.1f} a cycle of {config.beat_bytes}; "
           f"{-(-read // config.beat_bytes) / cycles:.1%} of the bus bound")


def main() -> None:
    """Print the figures."""
    for line in linear_layers(CONFIG):
        print(line, flush=True)


if __name__ == "__main__":
    main()
