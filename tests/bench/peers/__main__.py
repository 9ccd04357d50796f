"""Run other simulators on the layers that ours is measured on, and print one table.

    ./run python -m tests.bench.peers [scalesim] [zigzag] [accelforge] [vqrom] [--python PATH]

Without names, all four. Shapes that a simulator has done before, on the same machine and in the
same version, are not done again (``--again`` does); results are under ``build/peers/results``.
"""

from __future__ import annotations

import argparse
import shutil
import sys

from tests.bench.peers.environments import PEERS, environment
from tests.bench.peers.jobs import PRESETS, WORKLOADS
from tests.bench.peers.runs import RESULTS, run_ours, run_peer
from tests.bench.peers.table import OURS, render
from vqrom_hw.errors import VqromError

OUR_NAME = "vqrom"


def run(name: str, python: str | None, stems: list[str], presets: list[str]) -> None:
    """Run one simulator on all workloads and machines."""
    if name != OUR_NAME:
        interpreter = environment(PEERS[name], python)
    for stem in stems:
        for preset in presets:
            if name == OUR_NAME:
                for weights in OURS:
                    run_ours(stem, preset, weights)
            else:
                run_peer(PEERS[name], interpreter, stem, preset)


def parse() -> argparse.Namespace:
    """The command line."""
    names = [*PEERS, OUR_NAME]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="SIMULATOR", help=", ".join(names))
    parser.add_argument("--workload", action="append", choices=WORKLOADS)
    parser.add_argument("--preset", action="append", choices=PRESETS)
    parser.add_argument("--python", help="interpreter to make the environments with")
    parser.add_argument("--again", action="store_true", help="forget earlier results")
    parser.add_argument("--table", action="store_true", help="run nothing, print what there is")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in names]
    if unknown:
        parser.error(f"simulator must be one of {', '.join(names)}, not {unknown[0]!r}")
    arguments.names = [] if arguments.table else arguments.names or names
    return arguments


def main() -> int:
    """Run what was asked for, print the table, and say what could not be run."""
    arguments = parse()
    stems, presets = arguments.workload or list(WORKLOADS), arguments.preset or list(PRESETS)
    if arguments.again:
        shutil.rmtree(RESULTS, ignore_errors=True)
    status = 0
    for name in arguments.names:
        try:
            run(name, arguments.python, stems, presets)
        except VqromError as error:
            print(f"peers: error: {error}", file=sys.stderr)
            status = 2
    for line in render(stems, presets):
        print(line)
    return status


if __name__ == "__main__":
    sys.exit(main())
