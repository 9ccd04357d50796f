"""`vqrom show` and `vqrom images`: what is inside, and inputs to run it on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.random_networks import mixed_network, random_codebook
from tests.sim.cli.command_line import Command, one_line
from vqrom_hw.config import load_config
from vqrom_sw.formats import save_network


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A codebook, a network on it beside it, and the network alone in a folder."""
    monkeypatch.chdir(tmp_path)
    codebook = random_codebook(load_config("tiny"))
    network = mixed_network(codebook).build("mixed")
    codebook.save(Path("codebook.safetensors"))
    save_network(network, Path("mixed.vqnet"), codebook)
    Path("alone").mkdir()
    save_network(network, Path("alone/mixed.vqnet"), codebook)
    return tmp_path


def shown(vqrom: Command, *arguments: str) -> str:
    ran = vqrom("show", *arguments)
    assert (ran.status, ran.err) == (0, ""), ran.err
    assert not any(line.endswith(" ") for line in ran.out.splitlines()), "a pipe wants no padding"
    return ran.out


def test_codebook(work: Path, vqrom: Command) -> None:
    text = shown(vqrom, "codebook.safetensors")
    assert "256 codewords of 4 weights, 2 bits per weight" in text and "█" in text
    assert "uses by" not in text
    text = shown(vqrom, "codebook.safetensors", "--networks", "mixed.vqnet", "alone/mixed.vqnet")
    assert "uses by mixed, mixed" in text and "entropy" in text
    facts = json.loads(shown(vqrom, "codebook.safetensors", "mixed.vqnet", "--json"))
    assert facts["kind"] == "codebook" and len(facts["uses"]) == 256
    assert facts["used"] == sum(count > 0 for count in facts["uses"])


def test_network(work: Path, vqrom: Command) -> None:
    text = shown(vqrom, "alone/mixed.vqnet")
    facts = json.loads(shown(vqrom, "mixed.vqnet", "--json"))
    assert [layer["name"] for layer in facts["layers"]] and facts["codewords"] == 256
    for layer in facts["layers"]:
        assert f" {layer['name']} " in text and layer["kind"] in text
    assert {layer["encoding"] for layer in facts["layers"]} >= {"indexed", "raw"}
    assert facts["stored_bits"] == sum(layer["stored_bits"] for layer in facts["layers"])


def test_program(work: Path, vqrom: Command) -> None:
    text = shown(vqrom, "mixed.vqnet", "--config", "tiny")
    facts = json.loads(shown(vqrom, "mixed.vqnet", "--config", "tiny", "--json"))
    assert "plan for tiny" in text
    # A pipe gets every command, each on its own line.
    stage, = facts["stages"]
    assert stage["where"] == "accelerator" and "stages beside tiny" in text
    program = stage["program"]
    lines = [line.split() for line in text.splitlines()]
    for command in program:
        assert any(line[:2] == [str(command["position"]), command["command"].split()[0]]
                   for line in lines), command
    assert program[-1]["command"] == "END"
    assert all(set(command) == {"position", "command", "layer", "units", "numbers", "waits",
                                "bytes", "dram", "fields"} for command in program)
    named = [layer for segment in stage["plan"] for layer in segment["layers"]]
    assert named == [layer["name"] for layer in facts["layers"]]


@pytest.mark.parametrize(("arguments", "message"), [
    ("absent.vqnet", "network must be an existing file, not 'absent.vqnet'"),
    ("absent.safetensors", "codebook must be an existing file, not 'absent.safetensors'"),
    ("mixed.txt", "file must be a codebook (.safetensors) or a network (.vqnet), not 'mixed.txt'"),
    ("mixed.vqnet --networks mixed.vqnet", "--networks goes with a codebook, not with"),
    ("codebook.safetensors --config tiny", "--config goes with a FILE.vqnet, not with"),
    ("alone/mixed.vqnet --config tiny", "must come with --codebook to be compiled"),
    ("mixed.vqnet --config edge99", "config must be one of tiny, edge16, edge32"),
])
def test_refuses_in_one_line(work: Path, vqrom: Command, arguments: str, message: str) -> None:
    assert message in one_line(vqrom("show", *arguments.split()))


def test_images(work: Path, vqrom: Command) -> None:
    ran = vqrom("images", "usps", "-o", "images.npy", "--count", 2, "--labels", "labels.npy")
    assert ran.status == 0 and "wrote 2 inputs of 1 x 16 x 16 to images.npy" in ran.out
    assert np.load("images.npy").shape == (2, 1, 16, 16) and np.load("labels.npy").shape == (2,)
    ran = vqrom("images", "mixed.vqnet", "--random", "-o", "random.npy")
    assert ran.status == 0, ran.err
    ran = vqrom("simulate", "mixed.vqnet", "--codebook", "codebook.safetensors", "--config",
                "tiny", "--inputs", "random.npy", "--engine", "reference", "-o", "out")
    assert ran.status == 0, ran.err
    for arguments, message in (
            (("nonsense", "-o", "x.npy"), "network must be one of mnist"),
            (("usps", "-o", "x.npy", "--count", "99"), "count must be 1 to"),
            (("mixed.vqnet", "--random", "-o", "x.npy", "--seed", "-1"), "seed must be 0 to 42949"),
            (("mixed.vqnet", "--random", "-o", "x.npy", "--labels", "l.npy"), "have no labels")):
        assert message in one_line(vqrom("images", *arguments))
    assert not Path("x.npy").exists()
