"""Run the simulators, and read what they left: one line for each shape under ``build/peers``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.peers.environments import BUILD, ROOT, Peer
from tests.bench.peers.jobs import job_of, workload_layers
from vqrom_hw.errors import VqromError

RESULTS = BUILD / "results"
COUNTS = ("macs", "cycles", "dram_read_bytes", "dram_write_bytes")
WAYS = ("read", "written")


def keyed_job(peer: Peer, stem: str, preset: str) -> dict[str, Any]:
    """A job whose layers have a ``key`` that covers all that their figures depend on."""
    job = job_of(preset, stem)
    for layer in job["layers"]:
        content = json.dumps([job["machine"], job["energy"], layer], sort_keys=True)
        layer["key"] = hashlib.sha256(
            content.encode() + peer.requirements.read_bytes() + peer.worker.read_bytes(),
        ).hexdigest()
    return job


def read_lines(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of a result by key; a half-written last one is left out."""
    lines = {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        lines[line["key"]] = line
    return lines


def start(command: list[str | Path], log: Path, **options: Any) -> None:
    """Run a worker to its end; ``VqromError`` with its last line if it fails."""
    with log.open("w", encoding="utf-8") as stream:
        status = subprocess.run(command, check=False, stdout=stream, stderr=subprocess.STDOUT,
                                **options).returncode
    if status:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise VqromError(f"{log.stem} must end with status 0, not {status}: "
                         f"{lines[-1] if lines else 'no output'}")


def run_peer(peer: Peer, python: Path, stem: str, preset: str) -> None:
    """Let a simulator do the shapes of a workload that it has not done yet."""
    job = keyed_job(peer, stem, preset)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{peer.name}-{stem}-{preset}.jsonl"
    done = read_lines(path)
    wanted = [layer for layer in job["layers"] if layer["key"] not in done]
    path.write_text("".join(json.dumps(line) + "\n" for line in done.values()), encoding="utf-8")
    if wanted:
        with tempfile.TemporaryDirectory() as place:
            asked = Path(place) / "job.json"
            asked.write_text(json.dumps(job | {"layers": wanted}), encoding="utf-8")
            start([python, peer.worker, asked, path], path.with_suffix(".log"), cwd=place,
                  env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})


def run_ours(stem: str, preset: str, weights: str) -> None:
    """Time a workload on the cycle model, in a process of its own."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"vqrom-{weights}-{stem}-{preset}.jsonl"
    start([sys.executable, "-m", "tests.bench.peers.vqrom_worker", path, stem, preset, weights],
          path.with_suffix(".log"), cwd=ROOT)


def summed(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts of several layers together."""
    total: dict[str, Any] = {name: sum(line[name] for line in lines) for name in COUNTS}
    total["on_chip_bytes"] = {
        memory: {way: sum(line["on_chip_bytes"][memory][way] for line in lines) for way in WAYS}
        for memory in lines[0]["on_chip_bytes"]}
    energies = [line["energy_pj"] for line in lines]
    return total | {"energy_pj": None if None in energies else sum(energies)}


def measured(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds that lines took one after the other, and the most memory of any."""
    return {"version": lines[0]["version"], "cpu_s": sum(line["cpu_s"] for line in lines),
            "wall_s": sum(line["wall_s"] for line in lines),
            "peak_rss_bytes": max(line["peak_rss_bytes"] for line in lines)}


def peer_figures(peer: Peer, stem: str, preset: str) -> dict[str, Any] | None:
    """A simulator's figures of the layers of a workload that it has done, ``None`` without any.

    Beside the sums, ``layers`` are those layers and ``shapes`` the figures of each of their shapes.
    """
    lines = read_lines(RESULTS / f"{peer.name}-{stem}-{preset}.jsonl")
    by_shape = {layer["shape"]: lines[layer["key"]]
                for layer in keyed_job(peer, stem, preset)["layers"] if layer["key"] in lines}
    layers = [layer for layer in workload_layers(stem) if layer["shape"] in by_shape]
    if not layers:
        return None
    return summed([by_shape[layer["shape"]] for layer in layers]) | measured(
        list(by_shape.values())) | {"layers": layers, "shapes": by_shape}


def our_figures(stem: str, preset: str, weights: str) -> dict[str, Any] | None:
    """The cycle model's figures of a whole workload, ``None`` if it has not run; as above."""
    path = RESULTS / f"vqrom-{weights}-{stem}-{preset}.jsonl"
    if not path.is_file():
        return None
    figures = json.loads(path.read_text(encoding="utf-8"))
    return figures | {"layers": workload_layers(stem), "shapes": {}}
