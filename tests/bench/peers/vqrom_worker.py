"""Our own worker: a whole workload as one program, timed by the cycle model.

    python -m tests.bench.peers.vqrom_worker RESULTS.jsonl WORKLOAD PRESET WEIGHTS
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.peers.jobs import energies, load_workload, machine_of, sram_pj_per_bit
from tests.bench.peers.worker import peak_rss_bytes, used_cpu_s
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_sim.flows import simulate_topology
from vqrom_sw.importers import Topology
from vqrom_sw.importers.scale_sim import gemm

BITS = 8
SUM_BYTES = 4


def on_chip_bytes(report: dict[str, Any], config: AcceleratorConfig) -> dict[str, dict[str, int]]:
    """Bytes read and written in each memory; parts of a word count as a whole one."""
    traffic = report["traffic"]
    widths = {"activation": config.rows, "accumulator": config.post_lanes * SUM_BYTES}
    moved = {name: {"read": width * traffic["buffers"][name]["reads"],
                    "written": width * traffic["buffers"][name]["writes"]}
             for name, width in widths.items()}
    weights = sum(traffic["dram_read_bytes"][stream] for stream in ("index", "raw_weight"))
    moved["weight"] = {"read": weights, "written": weights}
    moved["codebook"] = {"read": traffic["rom_reads"] * config.subvector, "written": 0}
    return moved


def run_workload(topology: Topology, config: AcceleratorConfig, weights: str) -> dict[str, Any]:
    """Time the layers of a topology as one program; figures like those of other workers."""
    report = simulate_topology(topology, config, weights)
    traffic, energy = report["traffic"], energies(machine_of(config))
    energy["codebook_pj_per_bit"] = sram_pj_per_bit(config.codewords * config.subvector)
    on_chip = on_chip_bytes(report, config)
    read, written = (sum(traffic[f"dram_{way}_bytes"].values()) for way in ("read", "write"))
    moved = on_chip | {"dram": {"read": read, "written": written}}
    return {
        "macs": report["macs"], "cycles": report["cycles"], "dram_read_bytes": read,
        "dram_write_bytes": written, "on_chip_bytes": on_chip,
        "energy_pj": report["macs"] * energy["mac_pj"] + sum(
            BITS * sum(ways.values()) * energy[f"{name}_pj_per_bit"]
            for name, ways in moved.items()),
    }


def main() -> None:
    """Time one workload and write one line."""
    results, stem, preset, weights = sys.argv[1:]
    topology, config = load_workload(stem), load_config(preset)
    # The first run loads the model's machine code, or compiles it.
    run_workload(Topology("first", (gemm("first", 1, 8, 8),)), config, weights)
    cpu_s, start = used_cpu_s(), time.perf_counter()
    figures = run_workload(topology, config, weights)
    line = {"version": "", "wall_s": time.perf_counter() - start, "cpu_s": used_cpu_s() - cpu_s,
            "peak_rss_bytes": peak_rss_bytes(), **figures}
    Path(results).write_text(json.dumps(line) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
