"""A Verilator model of the accelerator with all its ports outside, and jobs that run on it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cocotb_tools.config

from tests.placed_network import PlacedNetwork
from tests.random_networks import NetworkBuilder, random_codebook
from tests.sim.engines.rtl.axi_monitor import WATCHED
from vqrom_hw.bus import axi4_read_members, axi4_write_members, axi4lite_members
from vqrom_hw.config import load_config
from vqrom_hw.export import generate
from vqrom_sim.engines.rtl import build
from vqrom_sim.engines.rtl.testbench import TOP
from vqrom_sw.io import cached_directory

CONFIG = load_config("tiny").model_copy(update={"activation_words": 160, "max_burst_beats": 8})
"""A buffer so small that maps are spilled, and bursts so short that transfers take several."""

CODEBOOK = random_codebook(CONFIG)
MEMORY = 1 << 16
MAIN = Path(cocotb_tools.config.share_dir) / "lib" / "verilator" / "verilator.cpp"
"""cocotb's own main loop: it owns the clock, and cocotb sees values from before its edges."""

CONTROL = f'`verilator_config\npublic_flat_rw -module "{TOP}" -var "*"\n'
"""All ports are open to cocotb."""

MEMBERS = {"s_axil": axi4lite_members("s_axil_"),
           "m_axi": axi4_read_members("m_axi_", CONFIG.bus_width)
           | axi4_write_members("m_axi_", CONFIG.bus_width)}


def watched_fields() -> list[tuple[str, int]]:
    """Signals in the vector ``watch``, lowest first, with their widths."""
    names = [f"{bus}_{channel}{signal}" for bus, channels in WATCHED.items()
             for channel, signals in channels.items() for signal in signals]
    members = MEMBERS["s_axil"] | MEMBERS["m_axi"]
    return [*((name, int(members[name].shape)) for name in names), ("flush", 1)]


def bench_verilog() -> str:
    """All ports of the accelerator, the IDs that cocotbext-axi wants, and what a monitor watches
    as one vector: a look at it is one call into the simulator."""
    members = MEMBERS["s_axil"] | MEMBERS["m_axi"]
    ports = ["input wire clk", "input wire rst", "output wire interrupt"]
    ports += [f"{'output' if member.flow.name == 'Out' else 'input'} wire "
              f"[{int(member.shape) - 1}:0] {name}" for name, member in members.items()]
    ports += [f"{direction} wire [0:0] m_axi_{channel}id" for direction, channel in (
        ("output", "aw"), ("input", "b"), ("output", "ar"), ("input", "r"))]
    fields = watched_fields()
    ports.append(f"output wire [{sum(width for _, width in fields) - 1}:0] watch")
    connections = ", ".join(f".{name}({name})" for name in ("clk", "rst", "interrupt", *members))
    watch = ", ".join(name for name, _ in reversed(fields))
    return "\n".join([
        f"module {TOP} (", ",\n".join(ports), ");",
        "wire flush = dut.command_processor.flush;",
        "assign m_axi_awid = 0;", "assign m_axi_arid = 0;", f"assign watch = {{{watch}}};",
        f"vqrom dut ({connections});", "endmodule", ""])


@cache
def bench_model() -> Path:
    """Directory of the built model, from the cache if nothing has changed."""
    def make(folder: Path) -> None:
        generate(CONFIG, CODEBOOK.codewords, folder)
        build.build_testbench(folder, bench_verilog(), CONTROL, MAIN)

    return cached_directory("axi-bench", bench_key(), make)


def bench_key() -> str:
    """Key of the built model."""
    return build.verilator_key(CONFIG.model_dump_json(), CODEBOOK.codewords.tobytes(),
                               bench_verilog(), CONTROL, MAIN)


@dataclass(frozen=True)
class Run:
    """One start of the accelerator.

    Members
    -------
    csr:
        Registers to write first, by name.
    patches:
        Byte address and new bytes in hexadecimal, in memory before the start.
    bad_reads, bad_writes:
        Byte address that answers with an error, and the response.
    abort_after:
        Cycles from the start to an abort.
    """

    csr: dict[str, int]
    patches: list[tuple[int, str]] = field(default_factory=list)
    bad_reads: tuple[int, int] | None = None
    bad_writes: tuple[int, int] | None = None
    abort_after: int | None = None


def simulate(folder: Path, image: bytes, runs: list[Run], seed: int,
             rates: tuple[float, ...], cycles: int) -> dict[str, Any]:
    """Run in one simulation; what ``tests/sim/engines/rtl/axi_job.py`` has written about it.

    Parameters
    ----------
    folder:
        For files.
    image:
        First contents of the memory.
    seed, rates:
        Of back-pressure: now with one of the rates, now with another, on each channel for itself.
    cycles:
        After which a run is given up.
    """
    (folder / "image").write_bytes(image)
    job = folder / "job.json"
    job.write_text(json.dumps({
        "memory": MEMORY, "runs": [asdict(run) for run in runs], "seed": seed, "rates": rates,
        "cycles": cycles, "beat_bytes": CONFIG.beat_bytes,
        "max_beats": CONFIG.max_burst_beats, "fields": watched_fields()}), encoding="utf-8")
    environment = build.simulation_environment(job) | {
        "COCOTB_TEST_MODULES": "tests.sim.engines.rtl.axi_job", "COCOTB_RANDOM_SEED": str(seed)}
    model = bench_model()
    done = subprocess.run([str(model / TOP)], cwd=model, env=environment, capture_output=True,
                          text=True, check=False)
    result = folder / "result.json"
    assert result.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(result.read_text(encoding="utf-8"))


def placed(builder: NetworkBuilder, first: int = 0) -> PlacedNetwork:
    """A network in the memory of this bench, from a byte address on."""
    return PlacedNetwork(builder, CODEBOOK, CONFIG, first)
