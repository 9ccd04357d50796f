"""Speed of the RTL engine beside a bare C++ loop over the same Verilated accelerator.

    ./run python -m tests.bench.simulation_speed [--config edge16] [--images 4]

Both run the same program on the same images; what is compared is the time from the first start
command to the last interrupt. The bare loop has no VPI, no Python and no public signal.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from tests.random_networks import convolutions, random_codebook
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.isa import INTERRUPT_ENABLE, START, csr_map
from vqrom_sim.engines import run_rtl
from vqrom_sim.engines.rtl.build import build_model, verilate
from vqrom_sim.engines.rtl.engine import prepare_job
from vqrom_sim.engines.rtl.testbench import TOP
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Program, compile_network

BARE = Path(__file__).with_name("bare.cpp")


def build_bare(config: AcceleratorConfig, codebook: UniversalCodebook, folder: Path) -> None:
    """The same Verilog with the bare main program."""
    model = build_model(config, codebook.codewords)
    for name in ("vqrom.v", "testbench.sv", "codebook.hex"):
        shutil.copyfile(model / name, folder / name)
    verilate(folder, BARE)


def run_bare(folder: Path, program: Program, images: np.ndarray) -> tuple[int, float, bytes]:
    """Clock cycles, seconds and output bytes of the bare loop."""
    job_file, arguments = prepare_job(program, images, folder)
    job = json.loads(job_file.read_text(encoding="utf-8"))
    offsets = {name: int(register["offset"]) for name, register in csr_map().items()}
    numbers = [job["images"], job["input_base"], job["input_stride"], job["output_base"],
               job["output_stride"],
               *(offsets[name] for name in ("base_input", "base_output", "control")),
               1 << START | 1 << INTERRUPT_ENABLE,
               *(number for name, value in job["csr"].items() for number in (offsets[name], value))]
    result = subprocess.run([folder / TOP, *map(str, numbers), *arguments], cwd=folder, check=True,
                            capture_output=True, text=True)
    line = next(line for line in result.stdout.splitlines() if line.startswith("bare "))
    _, cycles, seconds = line.split()
    return int(cycles), float(seconds), (folder / "out.hex").read_bytes()


def main() -> None:
    """Measure and print one line per configuration."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--config", action="append", metavar="PRESET")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print("config  cycles     engine: Mcycle/s MMAC/s   bare: Mcycle/s MMAC/s   engine/bare")
    for name in arguments.config or ["edge16", "edge32"]:
        config = load_config(name)
        codebook = random_codebook(config)
        builder = convolutions(codebook, size=32, channels=64, layers=2)
        network, images = builder.build(), builder.images(arguments.images)
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        zero_point = network.input_quantization.zero_point
        program = compile_network(network, codebook.codewords, config)
        macs = sum(network.macs_of(layer) for layer in network.layers) * len(images)
        with tempfile.TemporaryDirectory() as place:
            build_bare(config, codebook, Path(place))
            placed = program.input_image(images, zero_point)
            engine, bare, cycles = [], [], 0
            for _ in range(arguments.rounds):
                run = run_rtl(program, codebook.codewords, placed)
                cycles = sum(counters["cycles"] for counters in run.counters)
                engine.append(run.seconds)
                bare.append(run_bare(Path(place), program, placed)[1])
        ours, theirs = min(engine), min(bare)
        print(f"{name:7} {cycles:<10} {cycles / ours / 1e6:16.3f} {macs / ours / 1e6:6.1f} "
              f"{cycles / theirs / 1e6:16.3f} {macs / theirs / 1e6:6.1f} {theirs / ours:12.2f}",
              flush=True)


if __name__ == "__main__":
    main()
