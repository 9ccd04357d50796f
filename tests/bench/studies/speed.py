"""How long a study of 1,000 points of ResNet-18 takes, and where the time goes.

    ./run python -m tests.bench.studies.speed -o build/study_speed [--distinct]

By default the points are 10 designs by 5 latencies of DRAM, with indices and with int8 weights: 100
different runs of the cycle model and 10 areas; energies of a bit and clocks, which nothing is run
again for, make 1,000 points of them, with the energy of each. With ``--distinct`` every point is
another run of the model and there is no area.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from vqrom_sim.studies import run_study
from vqrom_sim.studies.store import JOURNAL, read_journal

ARRAYS = [{"label": "16x16", "config": "edge16"}, {"label": "32x32", "config": "edge32"}]
SHARED: dict[str, Any] = {
    "name": "speed-shared", "measures": ["cycles", "traffic", "area", "time", "energy"],
    "base": {"workload": "resnet18", "library": "sky130", "characterisation": "edge16-sky130"},
    "axes": {"array": ARRAYS, "bus_width": [64, 128, 256, 512, 1024],
             "dram_latency": [16, 32, 64, 128, 256], "weights": ["index", "raw"],
             "dram_pj_per_bit": [3.7, 6.0, 10.0, 15.0, 20.0], "frequency_mhz": [100.0, 300.0]},
    "objectives": {"total_pj": "min", "time_us": "min", "area_um2": "min"},
}
DISTINCT: dict[str, Any] = {
    "name": "speed-distinct", "measures": ["cycles", "traffic"], "base": {"workload": "resnet18"},
    "axes": {"array": ARRAYS, "bus_width": [64, 128, 256, 512, 1024],
             "dram_latency": {"from": 10, "to": 500, "step": 10}, "weights": ["index", "raw"]},
}


def main() -> None:
    """Run the study, and print its time beside that of its work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--distinct", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    start = time.perf_counter()
    table = run_study(DISTINCT if given.distinct else SHARED, given.output, workers=given.workers)
    seconds = time.perf_counter() - start
    outcomes = read_journal(given.output / JOURNAL).values()
    print(f"{len(table)} points in {seconds:.0f} s with {given.workers} workers")
    for kind in ("cycles", "area"):
        own = [outcome.seconds for outcome in outcomes if outcome.label.startswith(kind)]
        if own:
            print(f"{kind}: {len(own)} works, {sum(own):.0f} s, {max(own):.2f} s the longest")


if __name__ == "__main__":
    main()
