"""TFLite networks that others made, on the engines: stages, host layers, MACs, cycles.

    VQROM_TFLITE=FOLDER:... ./run python -m tests.bench.networks.tflite_networks [NAME ...] [--rtl]

The networks are those of ``tests/sw/importers/tflite/test_tflite_real.py``. int8 files keep their
integers, float files are compressed on a random codebook. The table is of ``edge16``. With
``--rtl`` they also run under Verilator, where every map that crosses between stages and every
counter of the cycle model is compared: on ``tiny``, or on ``edge16`` what would take more than
``MOST_CYCLES`` there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from tests.random_networks import random_codebook
from tests.sim.engines.engine_checks import check_stages
from tests.sw.importers.tflite.test_tflite_real import NETWORKS, NOT_RUN
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import simulate
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture, is_tflite_int8, read_tflite, read_tflite_int8
from vqrom_sw.network import QuantizedNetwork

MOST_CYCLES = 2_000_000
"""Most cycles of a network that runs under Verilator on ``tiny``."""


def read(content: bytes, codebook: UniversalCodebook) -> QuantizedNetwork:
    """A file's network, quantised; float ones on a codebook, with ranges of random inputs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(content)
        if is_tflite_int8(path):
            return read_tflite_int8(path)
        source = read_tflite(path)
    inputs = random_inputs(source.input_shape[1:], 4)
    network = capture(source.module, torch.from_numpy(inputs[:1]), "network")
    return compress(network, codebook, inputs)


def random_inputs(sizes: tuple[int, ...], number: int) -> np.ndarray:
    """Standard normal float32 ``[N, ...]``, the same ones each time."""
    return np.random.default_rng(0).standard_normal((number, *sizes)).astype(np.float32)


def row(name: str, network: QuantizedNetwork, config: AcceleratorConfig,
        codebook: UniversalCodebook) -> str:
    """A line of the table."""
    report = simulate(network, codebook, config, random_inputs(network.input_native.sizes, 1),
                      "model").report
    kinds = [layer["kind"] for layer in report["layers"] if layer["host"]]
    share = 1 - report["host_macs"] / report["macs"] if report["macs"] else 0
    return (f"| {name} | {len(network.layers)} | {len(report['stages'])} | {', '.join(kinds)} | "
            f"{report['macs']:,} | {share:.1%} | {report['cycles']:,} | "
            f"{report['utilization']:.1%} |")


def check_rtl(name: str, network: QuantizedNetwork) -> None:
    """Run a network under Verilator, and print on which accelerator."""
    inputs = random_inputs(network.input_native.sizes, 1)
    for preset in ("tiny", "edge16"):
        config = load_config(preset)
        codebook = random_codebook(config)
        cycles = simulate(network, codebook, config, inputs, "model").report["cycles"]
        if cycles <= MOST_CYCLES or preset == "edge16":
            break
    start = time.monotonic()
    check_stages(network, codebook, config, inputs)
    print(f"{name}: {preset}, {cycles:,} cycles: every byte and every counter of the Verilog is "
          f"right ({time.monotonic() - start:.0f} s)", flush=True)


def main() -> None:
    """Print the table, and run the Verilog if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rtl", action="store_true")
    options = parser.parse_args()
    config = load_config("edge16")
    codebook = random_codebook(config)
    print("| network | layers | stages | host layers | MACs | on the accelerator | cycles | "
          "utilisation |\n|---|---|---|---|---|---|---|---|")
    counts = {"run": 0, "refused": 0}
    for name, content in NETWORKS.items():
        if name.rpartition("-")[0] in NOT_RUN or (options.names and name not in options.names):
            continue
        try:
            network = read(content, codebook)
        except VqromError as error:
            counts["refused"] += 1
            print(f"{name}: refused: {error}", flush=True)
            continue
        print(row(name, network, config, codebook), flush=True)
        if options.rtl:
            check_rtl(name, network)
        counts["run"] += 1
    print(counts)


if __name__ == "__main__":
    main()
