"""How large a study's page is and how fast it opens: `python tests/bench/studies/report_page.py`.

The table is invented: points of the shape that a sweep of ResNet-18 has, 60 columns, some of them
failed. Chromium opens the file three times, without a network; what counts is the median.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from tests.browser import open_browser
from vqrom_sim.report import Objective, PointTable, StudyColumn, StudyFacts, study_page

AXES = {"rows": (8, 16, 32, 64), "bus_width": (64, 128, 256, 512), "codewords": (64, 256, 1024),
        "codebook_storage": ("rom", "sram"), "decode_ports": (4, 8, 16),
        "dram_latency": (16, 64, 256, 1024)}
STREAMS = ("index", "raw_weight", "codebook", "parameter", "command", "activation")


def invented(points: int = 1000) -> tuple[PointTable, StudyFacts]:
    """A table of so many points and 60 columns, and the study's facts."""
    rng = random.Random(0)
    chosen = [dict(zip(AXES, values, strict=True)) for values in product(*AXES.values())][:points]
    columns = [StudyColumn(name, "", f"{name} of the configuration", "the study's file")
               for name in AXES]
    rows = [one | _figures(one, rng) for one in chosen]
    for name in rows[0]:
        if name not in AXES:
            unit = next((unit for unit in ("um2", "pj", "bytes", "cycles", "mhz")
                         if name.endswith(unit)), "")
            columns.append(StudyColumn(name, unit, f"{name} of one image", "cycle model 1.0"))
    failures = [f"rows {one['rows']} needs more than {one['decode_ports']} ports"
                if rng.random() < 0.03 else None for one in rows]
    values = {column.name: [row[column.name] if column.name in AXES or reason is None else None
                            for row, reason in zip(rows, failures, strict=True)]
              for column in columns}
    goals = (Objective("cycles"), Objective("area_um2"), Objective("energy_pj"))
    facts = StudyFacts(
        "resnet18-scaling", "Where decode, DRAM, post-processing or the array limits ResNet-18.",
        tuple(AXES), goals, {"vqrom": "1.0", "python": sys.version.split()[0]},
        {"study file": "0f" * 32}, {"points": "every combination", "technology": "45nm"})
    return PointTable(tuple(columns), values, failures, _ranks(rows, failures, goals)), facts


def _figures(one: dict, rng: random.Random) -> dict[str, float | int]:
    """Figures that follow from an invented point roughly as real ones would."""
    rows, bus, words = one["rows"], one["bus_width"], one["codewords"]
    macs = 1_814_073_344
    compute = macs / rows ** 2 * rng.uniform(1.05, 1.5) * max(1, rows / one["decode_ports"] / 4)
    index = int(11_166_912 / 4 * words.bit_length() / 8)
    moved = {f"read_{stream}_bytes": rng.randrange(10_000, 2_000_000) for stream in STREAMS}
    moved["read_index_bytes"] = index
    dram = sum(moved.values()) / (bus / 8) * (1 + one["dram_latency"] / 400)
    cycles = int(max(compute, dram) + 0.2 * min(compute, dram))
    sram = one["codebook_storage"] == "sram"
    area = rows ** 2 * 900 + bus * 400 + words * (55 if sram else 9) * one["decode_ports"] + 3e5
    found: dict[str, float | int] = {
        "cycles": cycles, "area_um2": area,
        "energy_pj": macs * 0.6 + sum(moved.values()) * 60 + cycles * area * 4e-5}
    found |= moved
    found |= {f"write_{stream}_bytes": rng.randrange(2_000_000) for stream in STREAMS}
    found |= {f"{part}_um2": area * rng.uniform(0.02, 0.2) for part in
              ("array", "rom", "decode", "accumulators", "post", "vector", "buffer", "dma")}
    found |= {f"{part}_pj": cycles * rng.uniform(1, 40) for part in
              ("array", "rom", "decode", "accumulators", "post", "vector", "buffer", "dma", "dram")}
    found |= {f"{cause}_stall_cycles": rng.randrange(cycles) for cause in
              ("weights", "accumulators", "drain", "vector", "load", "store", "command")}
    found |= {"clock_mhz": rng.uniform(90, 700), "utilization": macs / cycles / rows ** 2}
    return found | {f"derived_{number}": rng.random() for number in range(54 - len(found))}


def _ranks(rows: list[dict], failures: list[str | None],
           goals: tuple[Objective, ...]) -> list[int | None]:
    """Pareto ranks, peeled front by front."""
    left = {row: tuple(rows[row][goal.column] for goal in goals)
            for row, reason in enumerate(failures) if reason is None}
    ranks: list[int | None] = [None] * len(rows)
    rank = 0
    while left:
        rank += 1
        best = [row for row, one in left.items() if not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True))
            for other in left.values())]
        for row in best:
            ranks[row] = rank
            del left[row]
    return ranks


def main() -> None:
    """Write the page and print its size and the times."""
    table, facts = invented()
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        path = Path(sys.argv[1] if len(sys.argv) > 1 else f"{folder}/report.html")
        start = time.perf_counter()
        study_page(table, facts, path)
        written = time.perf_counter() - start
        loaded, drawn = [], []
        for _ in range(3):
            browser.open(path)
            browser.settle()
            loaded.append(browser.ask(
                "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
            drawn.append(browser.ask("performance.getEntriesByName('first picture')[0].startTime"))
        print(f"{len(table)} points, {len(table.columns)} columns: "
              f"{path.stat().st_size / 1e6:.2f} MB, written in {written:.2f} s")
        print(f"opened: DOMContentLoaded after {statistics.median(loaded):.0f} ms, "
              f"first picture after {statistics.median(drawn):.0f} ms")
        print(f"messages of the browser: {browser.messages or 'none'}")


if __name__ == "__main__":
    main()
