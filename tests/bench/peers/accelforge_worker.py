"""AccelForge's worker.

AccelForge searches for the mapping with the smallest product of energy and time among all that its
rules of pruning keep. The order of the memories is fixed: an activation tile is above the tiles of
sums, those above weights. A cycle is a nanosecond here.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import accelforge
from accelforge.mapper.FFM.mappings import Mappings
from worker import serve

BITS = 8
SUM_BITS = 32
NAMES = {"dram": "Dram", "activation": "Activation", "accumulator": "Accumulator",
         "weight": "Weight"}

MEMORY = """\
  - !Memory
    name: {name}
    size: {size}
    leak_power: 0
    area: 0
    total_latency: max(action.n_calls / action.throughput for action in actions)
    bits_per_value: {bits_per_value}
    actions:
    - {{name: read, energy: {pj_per_bit}e-12, throughput: {bits}e9}}
    - {{name: write, energy: {pj_per_bit}e-12, throughput: {bits}e9}}
    tensors: {tensors}
"""

ARRAY = """\
  - !Container
    name: Array
    spatial:
    - {{name: reuse_input, fanout: {columns}, reuse: input}}
    - {{name: reuse_output, fanout: {rows}, reuse: output}}
  - !Memory
    name: Register
    size: {bits}
    leak_power: 0
    area: 0
    actions:
    - {{name: read, energy: 0, throughput: inf}}
    - {{name: write, energy: 0, throughput: inf}}
    tensors: {{keep: weight}}
  - !Compute
    name: Mac
    leak_power: 0
    area: 0
    actions:
    - {{name: compute, energy: {mac_pj}e-12, throughput: 1e9}}
"""

PRODUCT = "O[p, m] = I[p, c] * F[c, m]"
CONVOLUTION = "O[p, q, m] = I[c, H: p * {stride} + r, W: q * {stride} + s] * F[r, s, c, m]"


def architecture(job: dict) -> str:
    """AccelForge's description of the machine, from DRAM inwards."""
    machine, energy = job["machine"], job["energy"]
    bus, words, sums = (machine["bus_bytes"] * BITS, machine["rows"] * BITS,
                        machine["columns"] * SUM_BITS)
    levels = (
        ("dram", "inf", bus, "{}", "{keep: ~Intermediates, may_keep: All}"),
        # Banks let the array read while the bus and post-processing do.
        ("activation", machine["activation_bytes"] * BITS, 2 * words, "{}",
         "{keep: input | output}"),
        # While one half works with the array, the other is emptied.
        ("accumulator", machine["accumulator_bytes"] * BITS, 2 * sums, f"{{output: {SUM_BITS}}}",
         "{keep: output}"),
        ("weight", machine["weight_bytes"] * BITS, bus, "{}", "{keep: weight}"),
    )
    memories = "".join(MEMORY.format(
        name=NAMES[level], size=size, bits=bits, bits_per_value=widths, tensors=tensors,
        pj_per_bit=energy[f"{level}_pj_per_bit"]) for level, size, bits, widths, tensors in levels)
    return "arch:\n  nodes:\n" + memories + ARRAY.format(
        columns=machine["columns"], rows=machine["rows"], bits=BITS, mac_pj=energy["mac_pj"])


def workload(layer: dict) -> str:
    """AccelForge's workload of one layer."""
    sizes = {"p": layer["out_height"], "c": layer["channels"], "m": layer["filters"]}
    product = layer["kernel_y"] == layer["kernel_x"] == layer["stride"] == layer["width"] == 1
    if not product:
        sizes |= {"q": layer["out_width"], "r": layer["kernel_y"], "s": layer["kernel_x"]}
    einsum = PRODUCT if product else CONVOLUTION.format(stride=layer["stride"])
    space = "".join(f"    - 0 <= {name} < {size}\n" for name, size in sizes.items())
    return (f"workload:\n  bits_per_value: {{All: {BITS}}}\n  einsums:\n  - einsum: \"{einsum}\"\n"
            f"    iteration_space_shape:\n{space}"
            "    renames: {output: O, input: I, weight: F}\n")


def run_layer(job: dict, layer: dict) -> dict[str, Any]:
    """Search and evaluate one layer."""
    with tempfile.TemporaryDirectory() as place:
        # The mapper leaves a drawing in the folder in which it runs.
        os.chdir(place)
        files = []
        for name, text in (("arch", architecture(job)), ("workload", workload(layer))):
            files.append(Path(place) / f"{name}.yaml")
            files[-1].write_text(text, encoding="utf-8")
        spec = accelforge.Spec.from_yaml(*map(str, files))
        spec.mapper.metrics = accelforge.Metrics.ENERGY_DELAY_PRODUCT
        best = spec.map_workload_to_arch(print_progress=False)
        os.chdir("/")
    bits: dict[tuple[str, str], float] = {}
    for (component, _, action), count in best.actions(
            per_component=True, per_tensor=True).items():
        bits[component, action] = bits.get((component, action), 0) + count
    moved = {level: {"read": round(bits[name, "read"] / BITS),
                     "written": round(bits[name, "write"] / BITS)}
             for level, name in NAMES.items()}
    dram = moved.pop("dram")
    return {"macs": int(bits["Mac", "compute"]), "cycles": round(best.latency() * 1e9),
            "dram_read_bytes": dram["read"], "dram_write_bytes": dram["written"],
            "on_chip_bytes": moved, "energy_pj": float(best.energy()) * 1e12}


if __name__ == "__main__":
    # Drawings need Graphviz, and time that is none of the search's.
    Mappings.render = lambda self, *arguments, **options: ""
    accelforge.set_n_parallel_jobs(1)
    serve(version("accelforge"), run_layer)
