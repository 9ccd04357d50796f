"""The table of all simulators, and what is impossible in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.bench.peers.checks import faults, least_reads, least_writes
from tests.bench.peers.environments import PEERS
from tests.bench.peers.jobs import WORKLOADS, job_of, sram_pj_per_bit, workload_layers
from tests.bench.peers.runs import WAYS, our_figures, peer_figures
from vqrom_hw.config import load_config

BITS = 8
MEGA = 1e6
OURS = {"raw": "vqrom, raw", "index": "vqrom, index"}
HEADER = ("layers", "array", "simulator", "cycles", "of the peak", "DRAM MB read",
          "DRAM MB written", "of the least", "on-chip MB", "energy uJ", "CPU s", "peak MB")
ENERGY_TOLERANCE = 1e-3
"""A simulator's own sum of energies rounds; its counts times the same table must give that sum."""


@dataclass(frozen=True)
class Row:
    """One simulator's figures of one workload on one machine; none if it has not run."""

    stem: str
    preset: str
    title: str
    figures: dict[str, Any] | None
    weight_bits: int


def energy_pj(figures: dict[str, Any], preset: str) -> float:
    """The counts of a simulator times the table of energies that all have in common."""
    config, energy = load_config(preset), job_of(preset, next(iter(WORKLOADS)))["energy"]
    table = energy | {
        "codebook_pj_per_bit": sram_pj_per_bit(config.codewords * config.subvector)}
    moved = {name: sum(ways[way] for way in WAYS)
             for name, ways in figures["on_chip_bytes"].items()}
    moved["dram"] = figures["dram_read_bytes"] + figures["dram_write_bytes"]
    return figures["macs"] * table["mac_pj"] + sum(
        BITS * size * table[f"{name}_pj_per_bit"] for name, size in moved.items())


def rows(stems: list[str], presets: list[str]) -> Iterator[Row]:
    """All rows in the order of the table."""
    for stem in stems:
        for preset in presets:
            for peer in PEERS.values():
                yield Row(stem, preset, peer.title, peer_figures(peer, stem, preset), BITS)
            for weights, title in OURS.items():
                config = load_config(preset)
                bits = (config.index_width // config.subvector if weights == "index" else BITS)
                yield Row(stem, preset, title, our_figures(stem, preset, weights), bits)


def cells(row: Row) -> list[str]:
    """One line of the table; without sums where layers are missing, with ratios of those done."""
    config = load_config(row.preset)
    head = [WORKLOADS[row.stem], f"{config.rows} x {config.columns}", row.title]
    figures = row.figures
    if figures is None:
        return head + ["not run"] + [""] * (len(HEADER) - len(head) - 1)
    layers, count = figures["layers"], len(workload_layers(row.stem))
    moved = figures["dram_read_bytes"] + figures["dram_write_bytes"]
    least = sum(least_reads(layer, row.weight_bits) + least_writes(layer) for layer in layers)
    on_chip = sum(sum(ways.values()) for ways in figures["on_chip_bytes"].values())
    peak = figures["macs"] / (config.peak_macs_per_cycle * figures["cycles"])
    sums = [f"{figures['cycles']:,}", f"{figures['dram_read_bytes'] / MEGA:.2f}",
            f"{figures['dram_write_bytes'] / MEGA:.2f}", f"{on_chip / MEGA:.0f}",
            f"{energy_pj(figures, row.preset) / MEGA:,.0f}"]
    if len(layers) < count:
        sums = [f"{len(layers)} of {count} layers done", "", "", "", ""]
    cycles, read, written, inside, energy = sums
    return head + [cycles, f"{peak:.1%}", read, written, f"{moved / least:.2f}", inside, energy,
                   f"{figures['cpu_s']:.1f}", f"{figures['peak_rss_bytes'] / MEGA:.0f}"]


def row_faults(row: Row) -> Iterator[str]:
    """What is impossible in a row, each as one line; of other simulators, shape by shape."""
    figures = row.figures
    if figures is None:
        return
    name = f"{WORKLOADS[row.stem]}, {row.preset}, {row.title}"
    peak = load_config(row.preset).peak_macs_per_cycle
    for shape, line in figures["shapes"].items():
        alone = next(layer for layer in figures["layers"] if layer["shape"] == shape)
        yield from (f"{name}, {shape}: {fault}" for fault in faults([alone], line, peak))
    if not figures["shapes"]:
        yield from (f"{name}: {fault}" for fault in faults(
            figures["layers"], figures, peak, row.weight_bits))
    counted, own = energy_pj(figures, row.preset), figures["energy_pj"]
    if own is not None and abs(counted / own - 1) > ENERGY_TOLERANCE:
        yield f"{name}: {own:,.0f} pJ by its own sum, {counted:,.0f} by its counts"


def render(stems: list[str], presets: list[str]) -> Iterator[str]:
    """The table as Markdown, then one line for each fault, or that there is none."""
    table = list(rows(stems, presets))
    for line in (list(HEADER), ["---"] * len(HEADER), *map(cells, table)):
        yield "| " + " | ".join(line) + " |"
    found = [fault for row in table for fault in row_faults(row)]
    yield ""
    yield from found or ["Checked: all multiply-accumulates are there, no array is faster than its "
                         "peak, no bytes are fewer than the least, each energy is that of the "
                         "counts."]
