"""Commands that are killed, interrupted or out of room leave nothing, and then give the same bytes.

    ./run vqrom compress usps --codewords 16 -o build/inputs
    ./run vqrom images usps --count 1 -o build/inputs/images.npy
    ./run python -m tests.bench.faults.kills -o build/faults --inputs build/inputs

Each round starts one command, ends it with SIGKILL, or SIGINT to it alone, at a random moment of
its run, or gives it a random limit on the size of files. What must hold: no traceback; no process
of the round is left once a signal that Python can see has ended it; after the same command once
more, its folder has the same files with the same bytes as without any fault, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

_VQROM = [sys.executable, "-m", "vqrom_sim.cli"]
_FAULTS = ("SIGKILL", "SIGINT", "file size")
_TOKEN = "VQROM_FAULT_ROUND"


def commands(inputs: Path) -> dict[str, list[str]]:
    """The commands of the campaign by name, without their output option."""
    codebook, network = inputs / "codebook.safetensors", inputs / "usps.vqnet"
    run = ["simulate", str(network), "--config", "tiny", "--codebook", str(codebook),
           "--inputs", str(inputs / "images.npy")]
    return {
        "compress": ["compress", "usps", "--codewords", "16"],
        "generate": ["generate", "--config", "tiny", "--codebook", str(codebook)],
        "simulate": [*run, "--engine", "reference"],
    }


def start(arguments: list[str], output: Path, token: str, limit: int | None = None
          ) -> subprocess.Popen[str]:
    """Start one command; its processes carry ``token`` in their environment."""
    def confine() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.Popen([*_VQROM, *arguments, "-o", str(output)], text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            env={**os.environ, _TOKEN: token}, preexec_fn=confine)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all files below a folder, hidden ones included."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"folder"
            for path in folder.rglob("*")}


def orphans(token: str) -> list[int]:
    """Processes of a round that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{_TOKEN}={token}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def play(name: str, arguments: list[str], place: Path, seconds: float, fault: str,
         chance: random.Random, token: str) -> list[str]:
    """One round; returns what went wrong."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    limit = chance.choice((0, 1, 100, 1000, 10_000)) if fault == "file size" else None
    process = start(arguments, place / "out", token, limit)
    if fault != "file size":
        time.sleep(chance.uniform(0, seconds))
        process.send_signal(getattr(signal, fault))
    _, errors = process.communicate()
    wrong = [f"traceback: {errors.strip().splitlines()[-1]}"] if "Traceback" in errors else []
    if fault != "SIGKILL":
        wrong += ["orphans"] if orphans(token) else []
        wrong += ["litter"] if any(path.name != "out" for path in place.iterdir()) else []
    return [f"{name}, {fault}: {line}" for line in wrong]


def repeat(arguments: list[str], place: Path, expected: dict[str, bytes], token: str) -> list[str]:
    """The same command without a fault; returns what is not as it was."""
    _, errors = start(arguments, place / "out", token).communicate()
    found = contents(place)
    if found == expected:
        return []
    names = {name for name in found.keys() | expected.keys()
             if found.get(name) != expected.get(name)}
    return [f"{arguments[0]}: differs after the fault: {sorted(names)} {errors.strip()[-100:]}"]


def main() -> None:
    """Run the campaign; the exit status is 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--inputs", type=Path, required=True,
                        help="folder with codebook.safetensors, usps.vqnet, images.npy")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance, place, wrong = random.Random(options.seed), options.output / "place", []
    table, tried, expected, seconds = commands(options.inputs.resolve()), Counter(), {}, {}
    for name, arguments in table.items():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        began = time.monotonic()
        process = start(arguments, place / "out", "clean")
        _, errors = process.communicate()
        if process.returncode:
            parser.error(f"{name} must work without a fault, not end with {errors.strip()}")
        expected[name], seconds[name] = contents(place), time.monotonic() - began
    for number in range(options.rounds):
        name, fault = chance.choice(list(table)), chance.choice(_FAULTS)
        token = f"{options.seed}-{number}"
        found = play(name, table[name], place, seconds[name], fault, chance, token)
        found += repeat(table[name], place, expected[name], token)
        tried[name, fault] += 1
        for line in found:
            print(f"round {number}: {line}", flush=True)
        wrong += found
    for (name, fault), count in sorted(tried.items()):
        print(f"{name:10} {fault:10} {count} rounds")
    print(f"{len(wrong)} faults in {options.rounds} rounds")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
