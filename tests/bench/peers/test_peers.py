"""The bench of other simulators, without them: jobs, runs that go on, checks, refusals."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.bench.peers import environments, runs, table
from tests.bench.peers.checks import faults, least_reads, least_writes, touched
from tests.bench.peers.environments import PEERS, Peer, find_python
from tests.bench.peers.jobs import (
    PRESETS,
    job_of,
    machine_of,
    sram_pj_per_bit,
    workload_layers,
)
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError

FAKE = Peer("fake", "Fake 1", (3, 11))
WORKER = """\
import json, sys
from pathlib import Path
job = json.loads(Path(sys.argv[1]).read_text())
with Path(sys.argv[2]).open("a") as results:
    for layer in job["layers"]:
        if Path({stop!r}).is_file() and layer["channels"] > 64:
            sys.exit("no more")
        results.write(json.dumps(dict(
            key=layer["key"], shape=layer["shape"], version="1", wall_s=1.0, cpu_s=1.0,
            peak_rss_bytes=len(job["layers"]), macs=layer["macs"], cycles=layer["macs"],
            dram_read_bytes=10**7, dram_write_bytes=10**7, energy_pj=None,
            on_chip_bytes=dict(activation=dict(read=1, written=2)))) + "\\n")
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A simulator that fails at the first layer of more than 64 channels while a file is there."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "fake.txt").write_text("nothing\n")
    stop = tmp_path / "stop"
    (tmp_path / "fake_worker.py").write_text(WORKER.format(stop=str(stop)))
    monkeypatch.setattr(environments, "HERE", tmp_path)
    monkeypatch.setattr(runs, "RESULTS", tmp_path / "results")
    return stop


def test_machines_have_the_memories_of_the_configuration() -> None:
    machine = machine_of(load_config("edge16"))
    assert (machine.activation_bytes, machine.accumulator_bytes) == (128 << 10, 32 << 10)
    assert (machine.weight_bytes, machine.bus_bytes) == (1 << 10, 16)


def test_equal_shapes_are_asked_once() -> None:
    layers = workload_layers("resnet18")
    asked = job_of("edge16", "resnet18")["layers"]
    assert len(layers) == 21
    assert len(asked) == len({layer["shape"] for layer in layers}) < 21
    assert len(job_of("edge16", "gemm64")["layers"]) == 64


def test_energies_are_the_published_ones() -> None:
    assert [sram_pj_per_bit(size << 10) * 64 for size in (8, 32)] == [10, 20]
    assert sram_pj_per_bit(1 << 20) * 64 == pytest.approx(100, rel=0.14)


@pytest.mark.parametrize(("size", "count", "kernel", "stride", "expected"), [
    (58, 56, 3, 1, 58), (56, 29, 1, 2, 28), (230, 113, 7, 2, 230), (10, 2, 3, 2, 5)])
def test_pixels_that_windows_touch(
        size: int, count: int, kernel: int, stride: int, expected: int) -> None:
    assert touched(size, count, kernel, stride) == expected


def test_impossible_figures_are_named() -> None:
    layers = workload_layers("gemm64")[:2]
    right = {"macs": 2**18 + 2**19, "cycles": 3 * 2**10, "dram_read_bytes": 3 * 2**13,
             "dram_write_bytes": 2**13}
    assert sum(map(least_reads, layers)) == right["dram_read_bytes"]
    assert sum(map(least_writes, layers)) == right["dram_write_bytes"]
    assert sum(least_reads(layer, 2) for layer in layers) == 3 * 2**12 + 3 * 2**10
    assert list(faults(layers, right, 256)) == []
    for name, said in (("macs", "call for 786,432"), ("cycles", "needs 3,072"),
                       ("dram_read_bytes", "need 24,576"), ("dram_write_bytes", "need 8,192")):
        (fault,) = faults(layers, right | {name: right[name] - 1}, 256)
        assert said in fault


def test_an_interrupted_run_goes_on(fake: Path) -> None:
    fake.touch()
    with pytest.raises(VqromError, match=r"fake-resnet18-edge16 must end with status 0.*no more"):
        runs.run_peer(FAKE, Path(sys.executable), "resnet18", "edge16")
    path = runs.RESULTS / "fake-resnet18-edge16.jsonl"
    done = path.read_text().splitlines()
    part = runs.peer_figures(FAKE, "resnet18", "edge16")
    assert len(done) == 4 and part is not None
    cells = table.cells(table.Row("resnet18", "edge16", "Fake 1", part, 8))
    assert cells[3:7] == ["7 of 21 layers done", "0.4%", "", ""]
    path.write_text("\n".join(done) + '\n{"key": "ha')
    fake.unlink()
    runs.run_peer(FAKE, Path(sys.executable), "resnet18", "edge16")
    lines = path.read_text().splitlines()
    assert lines[:4] == done
    layers = job_of("edge16", "resnet18")["layers"]
    assert [json.loads(line)["peak_rss_bytes"] for line in lines[4:]] == [
        len(layers) - 4] * (len(layers) - 4)
    figures = runs.peer_figures(FAKE, "resnet18", "edge16")
    assert figures is not None
    assert figures["macs"] == sum(layer["macs"] for layer in workload_layers("resnet18"))
    assert (figures["cpu_s"], figures["on_chip_bytes"]) == (
        len(layers), {"activation": {"read": 21, "written": 42}})
    row = table.Row("resnet18", "edge16", "Fake 1", figures, 8)
    assert list(table.row_faults(row)) == []
    figures["shapes"]["58x58x64 3x3/1 64"]["dram_write_bytes"] = 1
    (fault,) = table.row_faults(row)
    assert fault == ("ResNet-18, edge16, Fake 1, 58x58x64 3x3/1 64: "
                     "1 bytes written, the layers need 200,704")


def test_another_version_has_other_results(fake: Path) -> None:
    before = runs.keyed_job(FAKE, "gemm64", "edge16")["layers"][0]["key"]
    assert before != runs.keyed_job(FAKE, "gemm64", "edge32")["layers"][0]["key"]
    FAKE.requirements.write_text("something\n")
    assert before != runs.keyed_job(FAKE, "gemm64", "edge16")["layers"][0]["key"]


def test_what_has_not_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    lines = list(table.render(["gemm64"], list(PRESETS)))
    assert sum("not run" in line for line in lines) == 2 * (len(PEERS) + len(table.OURS))


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    future = Peer("future", "Future 1", (9, 0))
    with pytest.raises(VqromError, match=r"^future must have Python 9.0 or newer, and .* is old"):
        find_python(future, sys.executable)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(VqromError, match=r"newer, and none is on the path$"):
        find_python(future, None)
    with pytest.raises(VqromError, match=r"must be an interpreter that runs, not '/no'"):
        find_python(future, "/no")


def test_what_cannot_be_installed_is_refused_in_one_line(fake: Path) -> None:
    FAKE.requirements.write_text("!\n")
    with pytest.raises(VqromError, match=r"^fake must be installable by pip: ERROR: Invalid"):
        environments.install(sys.executable, FAKE.requirements)
