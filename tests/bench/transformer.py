"""How busy transformers keep the array: linear layers on the accelerator, the rest on the host.

    ./run python -m tests.bench.transformer [--tokens N] [--rtl]
    ./run python -m tests.bench.transformer --vision

The first line is about MiniLM-L6, the second about a ViT-B/16 at 224x224 (86 million weights).

Cycles and bytes come from the cycle model and do not depend on values, so weights are random. With
``--rtl`` the first block runs under Verilator too, on ``edge16``, and is compared byte for byte.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from tests.architectures.attention import VisionTransformer
from tests.random_networks import random_codebook
from vqrom_hw.config import load_config
from vqrom_sim.flows import simulate
from vqrom_sim.report import SimulationReport
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture
from vqrom_sw.zoo.text import WIDTH, Block, Encoder

IMAGE = (3, 224, 224)

BAR = 0.9
"""Share of the array's peak that the accelerator's stages must reach."""


class OneBlock(nn.Module):
    """A block without padding tokens."""

    def __init__(self):
        super().__init__()
        self.block = Block()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.block(x, torch.ones(1, 1, 1, x.shape[1], dtype=torch.bool))


def vit_b() -> nn.Module:
    """A ViT-B/16 for images of 224x224."""
    return VisionTransformer(768, 16, 14 * 14, 12, 12, 4 * 768, 1000)


def run(module: nn.Module, shape: Sequence[int], preset: str, engine: str) -> SimulationReport:
    """Compress a module of random weights, and run it on one random input of a shape."""
    config = load_config(preset)
    codebook = random_codebook(config)
    inputs = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
    network = compress(capture(module.eval(), inputs[:1], "network"), codebook, inputs.numpy())
    return simulate(network, codebook, config, inputs[:1].numpy(), engine)


def lines(result: SimulationReport) -> Iterator[str]:
    """What a simulation comes to: utilisation, where cycles go, what the host does."""
    report = result.report
    cycles = report["cycles"]
    yield (f"{report['config']['name']}: {cycles:,} cycles, {report['utilization']:.1%} of the "
           f"peak (bar {BAR:.0%}), {report['host_macs'] / report['macs']:.1%} of MACs on the host")
    spent = {cause: count for cause, count in report["stalls"].items() if count}
    yield "  stalls: " + ", ".join(f"{cause} {count / cycles:.2%}"
                                   for cause, count in spent.items())
    sides = Counter(stage.where for stage in result.stages)
    crossed = sum(stage.read_bytes or 0 for stage in result.stages if stage.where == "host")
    back = sum(stage.written_bytes or 0 for stage in result.stages if stage.where == "host")
    yield (f"  {sides['accelerator']} stages on the accelerator, {sides['host']} on the host; "
           f"{crossed:,} bytes to the host, {back:,} back")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rtl", action="store_true")
    parser.add_argument("--vision", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    module, shape = (vit_b(), IMAGE) if options.vision else (Encoder(), (options.tokens, WIDTH))
    for preset in ("edge16", "edge32"):
        print(*lines(run(module, shape, preset, "model")), sep="\n", flush=True)
    if options.rtl:
        one, timed = (run(OneBlock(), (options.tokens, WIDTH), "edge16", engine)
                      for engine in ("rtl", "model"))
        print(f"first block in RTL: {one.cycles:,} cycles, bit-exact: {one.bit_exact}, "
              f"the model's cycles: {one.cycles == timed.cycles}")


if __name__ == "__main__":
    main()
