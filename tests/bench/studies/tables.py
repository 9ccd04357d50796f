"""The tables of ``docs/results/studies.md``, from the studies that come along, as they were run.

    ./run python -m tests.bench.studies.tables FOLDER

``FOLDER`` holds a folder for each study, by its name, as ``vqrom study NAME -o FOLDER/NAME`` writes
it. The tables are printed as Markdown, to be put into the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

Table = Any
"""Rows or one row of pandas, whose types do not know columns by name."""
SCHEMES = ("dense int8", "uniform int4", "uniform int2", "VQ, codebook of each layer in an SRAM",
           "VQ, universal codebook in an SRAM", "VQ, universal codebook in a ROM")
FORMS = ("logic", "rom_macros", "rom_banked", "sram_macros", "registers")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, tables in (("paper-claim", paper_claim), ("rom-geometry", rom_geometry),
                         ("scaling", scaling), ("presets", presets)):
        points: Table = pd.read_parquet(folder / name / "points.parquet")
        for title, lines in tables(points):
            print(f"\n**{name}: {title}**\n", *lines, sep="\n")


def markdown(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table."""
    return [f"| {' | '.join(map(str, line))} |"
            for line in (heads, ["---"] * len(heads), *rows)]


def paper_claim(points: Table) -> Iterable[tuple[str, list[str]]]:
    """Bytes and cycles of each scheme, then area and energy by device and cells."""
    def one(scheme: str, device: str, workload: str, cells: str = "130 nm") -> Table:
        found = points[(points.scheme == scheme) & (points.device == device)
                       & (points.workload == workload) & (points.cells == cells)]
        return found.iloc[0]

    small, large = points.device.unique()
    yield "bytes and cycles", markdown(
        ("scheme", "bits", "drop", "weights, MB", "codebooks, kB", "all, MB", f"{small}: cycles",
         f"{large}: cycles", "five: weights, MB", "codebooks, kB", "all, MB", f"{small}: cycles",
         f"{large}: cycles"),
        ([scheme, f"{row.bits_per_weight:.2f}",
          "" if pd.isna(row.score_drop) else f"{row.score_drop:.2f}", *figures]
         for scheme in SCHEMES for row in [one(scheme, small, "one")]
         for figures in [[text for workload in ("one", "five") for first, second in [
             (one(scheme, small, workload), one(scheme, large, workload))] for text in (
                 f"{first.weight_read_bytes / 1e6:.2f}", f"{first.codebook_read_bytes / 1e3:.0f}",
                 f"{first.dram_bytes / 1e6:.1f}", f"{first.cycles:,}", f"{second.cycles:,}")]]))
    for cells in points.cells.unique():
        yield f"area and energy, {cells}", markdown(
            ("device", "scheme", "codebook, um2", "chip, mm2", "chip, uJ", "lookups, uJ",
             "with cheap DRAM, uJ", "with dear DRAM, uJ", "five: chip, uJ", "with cheap DRAM",
             "with dear DRAM"),
            ([device, scheme, f"{first.codebook_um2:,.0f}", f"{first.area_um2 / 1e6:.3f}",
              *(f"{value / 1e6:,.0f}" for value in (
                  first.chip_pj, first.rom_pj, first.total_low_pj, first.total_high_pj,
                  five.chip_pj, five.total_low_pj, five.total_high_pj))]
             for device in (small, large) for scheme in SCHEMES
             for first, five in [(one(scheme, device, "one", cells),
                                  one(scheme, device, "five", cells))]))


def rom_geometry(points: Table) -> Iterable[tuple[str, list[str]]]:
    """Forms and accuracy by shape; stalls by sub-vector and ports."""
    network = points[points.workload == "resnet18"]
    shapes = network[network.decode_ports == 8]
    yield "shape, 8 ports", markdown(
        ("codewords", "sub-vector", "ROM, bits", "bits a weight", "drop",
         "weights of ResNet-18, MB", *FORMS, "cycles of the banks"),
        ([row.codewords, row.subvector, f"{row.codebook_bits:,}", f"{row.bits_per_weight:.2f}",
          f"{row.score_drop:.2f}", f"{row.weight_read_bytes / 1e6:.2f}",
          *("" if pd.isna(size) else f"{size:,.0f}" for size in (
              getattr(row, f"form_{form}_um2") for form in FORMS)),
          f"{row.form_rom_banked_cycles:.2f}"] for row in shapes.itertuples()))
    yield "ports, 256 codewords", markdown(
        ("sub-vector", "ports", "fill, cycles", "ResNet-18: cycles", "waits for weights",
         "MiniLM: cycles", "waits for weights", "ROM as logic, um2", "SRAM macros, um2",
         "share of the area"),
        ([row.subvector, row.decode_ports, row.fill_steps, f"{row.cycles:,}",
          f"{row.weights_share:.1%}", f"{other.cycles:,}", f"{other.weights_share:.1%}",
          f"{row.form_logic_um2:,.0f}", f"{row.form_sram_macros_um2:,.0f}",
          f"{row.codebook_um2 / row.area_um2:.2%}"]
         for row in network[network.codewords == 256].itertuples()
         for other in [points[(points.workload == "minilm_l6") & (points.codewords == 256)
                              & (points.subvector == row.subvector)
                              & (points.decode_ports == row.decode_ports)].iloc[0]]))


def scaling(points: Table) -> Iterable[tuple[str, list[str]]]:
    """Cycles and what is reached of the roof, by array and bus."""
    for workload in points.workload.unique():
        rows = []
        for (array, bus), group in points[points.workload == workload].groupby(
                ["array", "bus_width"], sort=False):
            index, raw = (group[group.weights == kind].iloc[0] for kind in ("index", "raw"))
            rows.append([array, bus, f"{index.cycles:,}", f"{index.of_roof:.0%}",
                         limit(index), f"{raw.cycles:,}", f"{raw.of_roof:.0%}", limit(raw),
                         f"{raw.cycles / index.cycles:.2f}"])
        yield workload, markdown(
            ("array", "bus", "indices: cycles", "of the roof", "waits most for", "int8: cycles",
             "of the roof", "waits most for", "int8 against indices"), rows)


def limit(row: Table) -> str:
    """What the array waits for most, and how much of the time."""
    shares = {"weights": row.decode_share, "post-processing": row.drain_share,
              "maps": row.dram_share, "vector unit": row.vector_share}
    name = max(shares, key=lambda cause: shares[cause])
    return f"{name}, {shares[name]:.0%}" if shares[name] >= 0.005 else ""


def presets(points: Table) -> Iterable[tuple[str, list[str]]]:
    """Designs that no other beats on all networks together, by area; and the first ones."""
    axes = ["accumulator_depth", "activation_words", "activation_banks", "decode_ports",
            "post_lanes", "vector_lanes"]
    wide = points.pivot_table(index=axes, columns="workload", sort=False,
                              values=["cycles", "area_um2", "dram_bytes"])
    networks = list(wide["cycles"].columns)
    costs = pd.DataFrame({
        "cycles": geometric_mean(wide["cycles"]), "mm2": wide["area_um2"].iloc[:, 0] / 1e6,
        "MB": geometric_mean(wide["dram_bytes"]) / 1e6})
    best = [place for place in costs.index if not (
        (costs <= costs.loc[place]).all(axis=1) & (costs < costs.loc[place]).any(axis=1)).any()]
    chosen = sorted({*best, *costs.index[:2]}, key=lambda place: costs["mm2"][place])
    yield "front", markdown(
        (*axes, "mm2", "MB", *networks, "cycles, mean", "front"),
        ([*place, f"{costs['mm2'][place]:.2f}", f"{costs['MB'][place]:.2f}",
          *(f"{wide['cycles'][name][place]:,.0f}" for name in networks),
          f"{costs['cycles'][place]:,.0f}", "yes" if place in best else ""] for place in chosen))


def geometric_mean(table: Table) -> Table:
    """Over the columns of each row."""
    return table.astype(float).pow(1 / table.shape[1]).prod(axis=1)


if __name__ == "__main__":
    main()
