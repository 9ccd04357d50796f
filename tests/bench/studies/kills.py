"""A study that is killed at ten random moments gives the table of one that is not.

    ./run python -m tests.bench.studies.kills -o build/study_kills

The study is real: the cycle model on three topologies, on two workers, with a cache of its own.
Every run but the last is ended by SIGKILL, at a random moment after a random number of results;
then all files but the run times are compared byte by byte.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from vqrom_sim.studies.store import JOURNAL, read_journal
from vqrom_sw.io import cache_root

SAME = ("points.parquet", "points.csv", "pareto.csv", "columns.json", "study.json")
STUDY = """name = "kills"
measures = ["cycles", "traffic"]
objectives = { cycles = "min", dram_bytes = "min" }
compare_within = ["workload"]
[base]
config = "edge32"
[axes]
workload = ["resnet18", "gemm64", "minilm_l6"]
bus_width = [64, 128, 256]
dram_latency = [16, 32, 64, 128]
weights = ["index", "raw"]
"""


def start(study: Path, output: Path, cache: Path) -> subprocess.Popen[bytes]:
    """Begin a study on two workers."""
    return subprocess.Popen(
        [sys.executable, "-m", "vqrom_sim.cli", "study", str(study), "-o", str(output), "-q",
         "--workers", "2"], env=os.environ | {"VQROM_CACHE": str(cache)})


def finish(study: Path, output: Path, cache: Path) -> None:
    """Run a study to its end."""
    if start(study, output, cache).wait():
        raise SystemExit("the study failed")


def killed(study: Path, output: Path, cache: Path, dice: random.Random) -> int:
    """Run a study, and kill it some time after a few more results; how many are kept."""
    journal = output / JOURNAL
    wanted = len(read_journal(journal)) + dice.randint(0, 5)
    with start(study, output, cache) as process:
        while not journal.exists() or journal.read_bytes().count(b"\n") < wanted:
            if process.poll() is not None:
                raise SystemExit("the study ended before it was killed")
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 1))
        process.kill()
    return len(read_journal(journal))


def main() -> None:
    """Kill a study ten times, let it end, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=10)
    given = parser.parse_args()
    shutil.rmtree(given.output, ignore_errors=True)
    given.output.mkdir(parents=True)
    study = given.output / "kills.toml"
    study.write_text(STUDY, encoding="utf-8")
    whole, broken = given.output / "whole", given.output / "killed"
    for name in ("cache_whole", "cache_killed"):
        (given.output / name).mkdir()
        if (cache_root() / "numba").is_dir():
            # The model's machine code, which takes half a minute to make; no results.
            shutil.copytree(cache_root() / "numba", given.output / name / "numba")
    finish(study, whole, given.output / "cache_whole")
    dice = random.Random()
    for number in range(given.kills):
        known = killed(study, broken, given.output / "cache_killed", dice)
        print(f"kill {number + 1}: {known} results are kept", flush=True)
    finish(study, broken, given.output / "cache_killed")
    different = [name for name in SAME
                 if (whole / name).read_bytes() != (broken / name).read_bytes()]
    if different:
        raise SystemExit(f"{', '.join(different)} differ")
    print(f"{', '.join(SAME)}: the same bytes after {given.kills} kills")


if __name__ == "__main__":
    main()
