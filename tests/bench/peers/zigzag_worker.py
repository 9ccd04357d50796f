"""ZigZag's worker.

ZigZag searches, layer by layer, for the order of loops and the memory level of each operand with
the smallest product of energy and time. The array's two axes are fixed to input channels (or, where
those are few, input channels and kernel columns) and output channels.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import logging
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from worker import serve
from zigzag import api

BITS = 8
SUM_BITS = 32
DRAM_BYTES = 1 << 30
LOOP_FACTORS = (6, 5, 4, 3)
"""Loops of a mapping that are ordered; six is ZigZag's default."""
DIRECTIONS = {"read": ("RD_OUT_TO_HIGH", "RD_OUT_TO_LOW"),
              "written": ("WR_IN_BY_HIGH", "WR_IN_BY_LOW")}


def memory(size_bytes: int, bits: int, reads: list[list[str]], writes: list[list[str]],
           pj_per_bit: float, served: tuple[str, ...] = ("D1", "D2")) -> dict[str, Any]:
    """A memory whose ports are each ``bits`` wide and do the listed operands and directions.

    ``tl`` and ``fl`` go to and come from the level below, nearer to the array, ``th`` and ``fh``
    the level above.
    """
    ports = [{"name": f"{letter}_port_{number}", "type": kind, "bandwidth_min": BITS,
              "bandwidth_max": bits, "allocation": allocation}
             for letter, kind, allocations in (("r", "read", reads), ("w", "write", writes))
             for number, allocation in enumerate(allocations, 1)]
    operands = sorted({entry.partition(",")[0] for allocation in reads for entry in allocation})
    return {"size": size_bytes * BITS, "r_cost": pj_per_bit * bits, "w_cost": pj_per_bit * bits,
            "area": 0.0, "latency": 1, "operands": operands, "ports": ports,
            "served_dimensions": list(served)}


def accelerator(job: dict) -> dict[str, Any]:
    """ZigZag's description of the machine, from the array outwards."""
    machine, energy = job["machine"], job["energy"]
    rows, columns, bus = machine["rows"], machine["columns"], machine["bus_bytes"] * BITS
    return {
        "name": machine["name"],
        "memories": {
            # One weight in use and one in the shadow register.
            "register": memory(2, BITS, [["I2, tl"]], [["I2, fh"]], 0.0, served=()),
            # Less than two tiles of weights are refused.
            "weight": memory(max(machine["weight_bytes"], 2 * rows * columns), bus,
                             [["I2, tl"]], [["I2, fh"]], energy["weight_pj_per_bit"]),
            # While one half works with the array, the other is emptied.
            "accumulator": memory(machine["accumulator_bytes"], columns * SUM_BITS,
                                  [["O, tl"], ["O, th"]], [["O, fl"], ["O, fh"]],
                                  energy["accumulator_pj_per_bit"]),
            # Banks let the array, post-processing and the bus work side by side.
            "activation": memory(machine["activation_bytes"], rows * BITS,
                                 [["I1, tl"], ["O, tl", "O, th"]],
                                 [["I1, fh"], ["O, fl", "O, fh"]],
                                 energy["activation_pj_per_bit"]),
            "dram": memory(DRAM_BYTES, bus, [["I1, tl", "I2, tl", "O, tl", "O, th"]],
                           [["I1, fh", "I2, fh", "O, fl", "O, fh"]], energy["dram_pj_per_bit"]),
        },
        "operational_array": {"unit_energy": energy["mac_pj"], "unit_area": 1.0,
                              "dimensions": ["D1", "D2"], "sizes": [rows, columns]},
    }


def spatial(layer: dict, machine: dict) -> dict[str, list[str]]:
    """Which loops run side by side: input channels by output channels, as in our array."""
    rows = [f"C, {min(layer['channels'], machine['rows'])}"]
    beside = min(machine["rows"] // layer["channels"], layer["kernel_x"])
    if beside > 1:
        rows.append(f"FX, {beside}")
    return {"D1": rows, "D2": [f"K, {min(layer['filters'], machine['columns'])}"]}


def mapping(layer: dict, machine: dict) -> list[dict[str, Any]]:
    """ZigZag's mapping file for one layer: the array's axes; the order of loops is searched."""
    return [{"name": "default", "spatial_mapping": spatial(layer, machine),
             "memory_operand_links": {"O": "O", "W": "I2", "I": "I1"}}]


def workload(layer: dict) -> list[dict[str, Any]]:
    """ZigZag's workload of one layer."""
    sizes = {"B": 1, "K": layer["filters"], "C": layer["channels"], "OY": layer["out_height"],
             "OX": layer["out_width"], "FY": layer["kernel_y"], "FX": layer["kernel_x"]}
    return [{
        "id": 0, "name": "layer", "operator_type": "Conv",
        "equation": "O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]",
        "dimension_relations": [f"ix={layer['stride']}*ox+1*fx", f"iy={layer['stride']}*oy+1*fy"],
        "loop_dims": list(sizes), "loop_sizes": list(sizes.values()),
        "operand_precision": {"W": BITS, "I": BITS, "O": SUM_BITS, "O_final": BITS},
        "operand_source": {"I": 0, "W": 0},
    }]


def moved_bytes(evaluation, level_name: str) -> dict[str, int]:
    """Bytes read from and written into the memory of a name, from its accesses and port widths."""
    moved = {"read": 0, "written": 0}
    for operand, accesses in evaluation.memory_word_access.items():
        mem_op = evaluation.memory_operand_links.layer_to_mem_op(operand)
        for number, access in enumerate(accesses):
            level = evaluation.accelerator.get_memory_level(mem_op, number)
            if level.memory_instance.name != level_name:
                continue
            for direction, count in access.data.items():
                kind = next(kind for kind, names in DIRECTIONS.items() if direction.name in names)
                if count:
                    bits = level.get_max_bandwidth(mem_op, direction)
                    moved[kind] += count * bits // BITS
    return moved


def search(files: list[str], folder: Path) -> tuple[int, float, float, Any]:
    """Loop factors, energy in pJ, cycles and evaluation of the best mapping that ZigZag finds.

    With some shapes an assertion of its own ends the search; then it has one factor fewer.
    """
    for factors in LOOP_FACTORS:
        try:
            energy_pj, cycles, found = api.get_hardware_performance_zigzag(
                *files, opt="EDP", dump_folder=str(folder / "out"), lpf_limit=factors,
                loma_show_progress_bar=False)
        except AssertionError as error:
            print(f"{factors} loop factors: {error}", file=sys.stderr)
        else:
            return factors, energy_pj, cycles, found[0][1][0][0]
    raise RuntimeError(f"no search of {LOOP_FACTORS} loop factors ends")


def run_layer(job: dict, layer: dict) -> dict[str, Any]:
    """Search and evaluate one layer."""
    described = {"workload": workload(layer), "accelerator": accelerator(job),
                 "mapping": mapping(layer, job["machine"])}
    with tempfile.TemporaryDirectory() as place:
        folder, files = Path(place), []
        for name, value in described.items():
            files.append(str(folder / f"{name}.yaml"))
            # Memories must stay in their order.
            Path(files[-1]).write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")
        factors, energy_pj, cycles, evaluation = search(files, folder)
    dram = moved_bytes(evaluation, "dram")
    return {
        "macs": int(evaluation.layer.total_mac_count), "cycles": int(cycles),
        "dram_read_bytes": dram["read"], "dram_write_bytes": dram["written"],
        "on_chip_bytes": {name: moved_bytes(evaluation, name)
                          for name in ("activation", "accumulator", "weight")},
        "energy_pj": float(energy_pj), "loop_factors": factors,
    }


if __name__ == "__main__":
    logging.disable(logging.INFO)
    serve(version("zigzag-dse"), run_layer)
