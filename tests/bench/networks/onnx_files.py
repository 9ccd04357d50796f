"""ONNX files that others made, on the engines: what is read, stages, host layers, MACs, cycles.

    ./run python -m tests.bench.networks.onnx_files FOLDER|FILE ... [--rtl]

Folders are searched for ``.onnx`` files. Examples and fixed inputs of the networks that
``tests/sw/importers/test_onnx_real.py`` reads are taken from there. Files with integers keep them;
float ones are compressed on a random codebook, with ranges of random inputs. The table is of
``edge16``. With ``--rtl`` the networks of at most ``MOST_CYCLES`` cycles on ``tiny`` also run there
under Verilator, where every map that crosses between stages and every counter of the cycle model is
compared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from tests.random_networks import random_codebook
from tests.sim.engines.engine_checks import check_stages
from tests.sw.importers.test_onnx_real import NETWORKS
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import simulate
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture, images_in_front, is_onnx_int8, read_onnx, read_onnx_int8
from vqrom_sw.network import FloatNetwork, QuantizedNetwork

MOST_CYCLES = 2_000_000
"""Most cycles of a network that runs under Verilator."""

CALIBRATION = 3
"""Random images that the ranges come from."""


def files(names: list[str]) -> Iterator[Path]:
    """The files that are named, and those in folders, smallest first."""
    found = [path for name in names for path in
             (sorted(Path(name).rglob("*.onnx")) if Path(name).is_dir() else [Path(name)])]
    yield from sorted(found, key=lambda path: path.stat().st_size)


def read(path: Path) -> FloatNetwork | QuantizedNetwork:
    """A file's network, in float or with the file's own integers."""
    example, fixed = next((known for name, known in NETWORKS.items()
                           if path.as_posix().endswith(name)), ((), {}))
    if is_onnx_int8(path):
        return read_onnx_int8(path, example)
    source = read_onnx(path, example, fixed)
    example = torch.zeros(source.input_shape)
    return capture(images_in_front(source.module, example), example, path.stem)


def random_inputs(network: FloatNetwork | QuantizedNetwork, number: int) -> np.ndarray:
    """Standard normal float32 ``[N, ...]``, the same ones each time."""
    sizes = network.input_native.sizes
    return np.random.default_rng(0).standard_normal((number, *sizes)).astype(np.float32)


def on(network: FloatNetwork | QuantizedNetwork, config: AcceleratorConfig) -> QuantizedNetwork:
    """The network with indices into the codebook of an accelerator, or with its own integers."""
    if isinstance(network, QuantizedNetwork):
        return network
    return compress(network, random_codebook(config), random_inputs(network, CALIBRATION))


def row(name: str, network: FloatNetwork | QuantizedNetwork, config: AcceleratorConfig) -> str:
    """A line of the table."""
    report = simulate(on(network, config), random_codebook(config), config,
                      random_inputs(network, 1), "model").report
    kinds = [layer["kind"] for layer in report["layers"] if layer["host"]]
    share = 1 - report["host_macs"] / report["macs"] if report["macs"] else 0
    return (f"| {name} | {len(network.layers)} | {len(report['stages'])} | {', '.join(kinds)} | "
            f"{report['macs']:,} | {share:.1%} | {report['cycles']:,} | "
            f"{report['utilization']:.1%} |")


def check_rtl(name: str, network: FloatNetwork | QuantizedNetwork) -> None:
    """Run a network under Verilator if it is small enough."""
    config = load_config("tiny")
    codebook, inputs, start = random_codebook(config), random_inputs(network, 1), time.monotonic()
    made = on(network, config)
    cycles = simulate(made, codebook, config, inputs, "model").report["cycles"]
    if cycles > MOST_CYCLES:
        print(f"{name}: {cycles:,} cycles, more than {MOST_CYCLES:,}", flush=True)
        return
    check_stages(made, codebook, config, inputs)
    print(f"{name}: {cycles:,} cycles: every byte and every counter of the Verilog is right "
          f"({time.monotonic() - start:.0f} s)", flush=True)


def main() -> None:
    """Print the table and how many files are read, and run the Verilog if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--rtl", action="store_true")
    options = parser.parse_args()
    print("| file | layers | stages | host layers | MACs | on the accelerator | cycles | "
          "utilisation |")
    print("|---|---|---|---|---|---|---|---|")
    edge, refused, count = load_config("edge16"), 0, 0
    for path in files(options.paths):
        count += 1
        name = f"{path.parent.name}/{path.name}"
        try:
            network = read(path)
        except VqromError as error:
            refused += 1
            reason = str(error).split(".onnx': ")[-1]
            print(f"| {name} | refused: {reason[:300]} |", flush=True)
            continue
        print(row(name, network, edge), flush=True)
        if options.rtl:
            check_rtl(name, network)
    print(f"read: {count - refused} of {count}")


if __name__ == "__main__":
    main()
