"""The command line on real networks: files that fit each other, and files that do not."""

from __future__ import annotations

import itertools
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tests.random_networks import random_codebook
from tests.sim.cli.command_line import Command, one_line
from vqrom_hw.config import load_config
from vqrom_sim.flows.user_module import load_factory
from vqrom_sw import zoo
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.construction import checkpoint, train

NET = """
import torch
from torch import nn

def build():
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, stride=2, padding=1), nn.BatchNorm2d(12), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12 * 3 * 3, 7))

def with_softmax():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softmax(dim=1))

def volumes():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Unflatten(1, (2, 2)), nn.Conv3d(2, 4, 1))

def number():
    return 7

def raising():
    raise RuntimeError("no weights\\nto be found")
"""


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's network on its own codebook, its inputs, and a codebook of the same shape."""
    folder = tmp_path_factory.mktemp("compressed")
    rng = np.random.default_rng(0)
    (folder / "net.py").write_text(NET)
    np.save(folder / "images.npy", rng.standard_normal((5, 3, 12, 12)).astype(np.float32))
    words = np.unique(rng.integers(-128, 128, (40, 4)).astype(np.int8), axis=0)[:16]
    UniversalCodebook(words).save(folder / "other.safetensors")
    return folder


@pytest.fixture
def work(compressed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
         vqrom: Command) -> Path:
    """A working directory with all of it and ``build.vqnet``."""
    monkeypatch.chdir(compressed)
    if not Path("made/build.vqnet").exists():
        ran = vqrom("compress", "net.py:build", "-o", "made", "--codewords", "16",
                    "--example-input", "3x12x12", "--calibration", "images.npy")
        assert ran.status == 0, ran.err
    for file in [*compressed.glob("*.*"), *compressed.glob("made/*")]:
        if file.is_file():
            shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def simulate(vqrom: Command, *options: object, network: str = "build.vqnet",
             codebook: str = "codebook.safetensors", inputs: str = "images.npy",
             config: str = "tiny"):
    return vqrom("simulate", network, "--codebook", codebook, "--config", config,
                 "--inputs", inputs, "-o", "out", *options)


def test_compress_writes_what_the_docs_say(work: Path) -> None:
    codebook = UniversalCodebook.load(work / "codebook.safetensors")
    assert (codebook.size, codebook.subvector) == (16, 4)
    with safe_open(work / "build.vqnet", framework="numpy") as file:
        graph = json.loads(file.metadata()["graph"])
    assert graph["codebook_sha256"] == codebook.sha256
    assert [layer["kind"] for layer in graph["layers"]] == ["conv", "maxpool", "linear"]


def test_same_seed_same_bytes(work: Path, vqrom: Command) -> None:
    ran = vqrom("compress", "net.py:build", "-o", "again", "--codewords", "16",
                "--example-input", "1,3,12,12", "--calibration", "images.npy")
    assert ran.status == 0
    for name in ("codebook.safetensors", "build.vqnet"):
        assert Path("again", name).read_bytes() == Path(name).read_bytes()


TRAINED = ("compress", "net.py:build", "-o", "trained", "--codebook", "codebook.safetensors",
           "--example-input", "3x12x12", "--calibration", "images.npy", "--labels", "labels.npy",
           "--epochs", "3", "--batch", "2")


def test_interrupted_training_goes_on(work: Path, vqrom: Command,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files as without an interruption, and no checkpoint left."""
    np.save("labels.npy", np.arange(5))
    monkeypatch.setattr(checkpoint, "INTERVAL_S", 0.0)
    assert vqrom(*TRAINED).status == 0
    files = {path.name: path.read_bytes() for path in Path("trained").iterdir()}
    assert sorted(files) == ["build.vqnet", "codebook.safetensors"]
    shutil.rmtree("trained")
    with monkeypatch.context() as patch:
        patch.setattr(train, "cosine", interrupt_after(4, train.cosine))
        ran = vqrom(*TRAINED)
    assert ran.status == 130 and "goes on from trained/*.checkpoint" in ran.err
    assert [path.name for path in Path("trained").iterdir()] == ["build.checkpoint"]
    assert vqrom(*TRAINED).status == 0
    assert {path.name: path.read_bytes() for path in Path("trained").iterdir()} == files


def test_layers_of_the_host_are_named(work: Path, vqrom: Command) -> None:
    """By compress, and by the report of a simulation; every engine runs or times the rest."""
    ran = vqrom("compress", "net.py:with_softmax", "-o", "hosted", "--codebook",
                "codebook.safetensors", "--example-input", "3x12x12", "--calibration",
                "images.npy")
    assert ran.status == 0, ran.err
    assert "with_softmax: 1 of 2 layers on the host beside edge16: '1' (softmax): no unit" \
        in ran.out
    ran = simulate(vqrom, "--engine", "model", network="hosted/with_softmax.vqnet")
    assert ran.status == 0, ran.err
    assert "on the host" in ran.out and "no unit has such an operation" in ran.out
    ran = simulate(vqrom, "--engine", "reference", "--dequantize",
                   network="hosted/with_softmax.vqnet")
    assert ran.status == 0, ran.err
    np.testing.assert_allclose(np.load("out/outputs.npy").sum(1), 1, atol=0.02)


def test_a_network_file_is_the_same_network(work: Path, vqrom: Command) -> None:
    """The module exported to ONNX: the same indices, and the same outputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(load_factory(Path("net.py"), "build").eval(),
                          (torch.zeros(1, 3, 12, 12),), "file.onnx", dynamo=False)
    ran = vqrom("compress", "file.onnx", "-o", "made", "--codebook", "codebook.safetensors",
                "--calibration", "images.npy")
    assert ran.status == 0, ran.err
    outputs = []
    for network in ("build.vqnet", "made/file.vqnet"):
        assert simulate(vqrom, "--engine", "reference", network=network).status == 0
        outputs.append(np.load("out/outputs.npy").astype(int))
    assert np.abs(outputs[0] - outputs[1]).max() <= 1
    assert "calibration" in one_line(vqrom("compress", "file.onnx", "-o", "other"))
    line = one_line(vqrom("compress", "net.tflite", "-o", "x", "--calibration", "images.npy"))
    assert "network must be an existing file, not 'net.tflite'" in line


def interrupt_after(calls: int, function: Callable[[float], float]) -> Callable[[float], float]:
    """The function, but Ctrl-C when it is called once more."""
    count = itertools.count()

    def called(position: float) -> float:
        if next(count) == calls:
            raise KeyboardInterrupt
        return function(position)

    return called


def test_encode_for_an_existing_rom(work: Path, vqrom: Command) -> None:
    before = Path("other.safetensors").read_bytes()
    ran = vqrom("compress", "net.py:build", "-o", "out", "--codebook", "other.safetensors",
                "--example-input", "3x12x12", "--calibration", "images.npy")
    assert ran.status == 0, ran.err
    assert Path("other.safetensors").read_bytes() == before
    assert Path("out/codebook.safetensors").read_bytes() == before
    shutil.rmtree("out/verilog", ignore_errors=True)
    assert simulate(vqrom, "--engine", "reference", network="out/build.vqnet",
                    codebook="other.safetensors").status == 0


def test_both_engines_give_the_same_bytes(work: Path, vqrom: Command) -> None:
    """On the codebook of other tests, whose accelerator is built once for all."""
    random_codebook(load_config("tiny")).save(work / "shared.safetensors")
    ran = vqrom("compress", "net.py:build", "-o", "shared", "--codebook", "shared.safetensors",
                "--example-input", "3x12x12", "--calibration", "images.npy")
    assert ran.status == 0, ran.err
    outputs = []
    for engine in ("reference", "rtl"):
        ran = simulate(vqrom, "--engine", engine, network="shared/build.vqnet",
                       codebook="shared.safetensors")
        assert ran.status == 0, ran.err
        exact = engine == "rtl"
        assert ("bit-exact" if exact else "compared with nothing") in ran.out
        outputs.append(np.load("out/outputs.npy"))
        report = json.loads(Path("out/report.json").read_text())
        assert (report["engine"], report["bit_exact"], report["mismatches"]) == (
            (engine, True, 0) if exact else (engine, None, None))
    assert outputs[0].dtype == np.int8 and outputs[0].shape == (5, 7)
    np.testing.assert_array_equal(*outputs)
    assert report["cycles"] > 0 and report["traffic"]["rom_reads"] > 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "outputs.npy", "report.html", "report.json"]


def test_dequantized_outputs_are_near_the_float_network(work: Path, vqrom: Command) -> None:
    """A codebook of 16 codewords is coarse: the outputs correlate, and are floats."""
    assert simulate(vqrom, "--engine", "reference", "--dequantize", "--quiet").out == ""
    outputs = np.load("out/outputs.npy")
    with torch.no_grad():
        expected = load_factory(Path("net.py"), "build").eval()(
            torch.from_numpy(np.load("images.npy"))).numpy()
    assert outputs.dtype == np.float32
    assert np.corrcoef(outputs.ravel(), expected.ravel())[0, 1] > 0.8


def test_generate_writes_verilog_and_metadata(work: Path, vqrom: Command) -> None:
    ran = vqrom("generate", "--config", "tiny", "--codebook", "codebook.safetensors", "-o", "out")
    assert ran.status == 0, ran.err
    described = json.loads(Path("out/vqrom.json").read_text())
    codebook = UniversalCodebook.load("codebook.safetensors")
    assert described["codebook"]["sha256"] == codebook.sha256
    for part in ("ports", "parameters", "csr", "counters"):
        assert described[part], part


def test_zoo_network_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                             vqrom: Command) -> None:
    monkeypatch.chdir(tmp_path)
    listed = vqrom("zoo")
    assert all(name in listed.out for name in zoo.names())
    assert vqrom("compress", "usps", "-o", ".", "--codewords", "16").status == 0
    np.save("images.npy", zoo.load("usps").images)
    assert simulate(vqrom, "--engine", "reference", network="usps.vqnet").status == 0


def entries(folder: Path) -> list[Path]:
    """Of a folder, but for what Python keeps of the modules it imports."""
    return sorted(path for path in folder.iterdir() if path.name != "__pycache__")


@pytest.mark.parametrize(("arguments", "message"), [
    ("compress nonsense -o out", "network must be one of mnist, usps"),
    ("compress usps usps -o out", "networks must have different names, and 'usps' is there twice"),
    ("compress net.py:build -o out", "needs --example-input"),
    ("compress net.py:build -o out --example-input 3x12x12", "needs --calibration"),
    ("compress usps -o out --example-input 3x12x12", "there is none"),
    ("compress net.py:absent -o out --example-input 3x12x12 --calibration images.npy",
     "net.py must define a function 'absent'"),
    ("compress net.py:number -o out --example-input 3x12x12 --calibration images.npy",
     "must return a torch.nn.Module, not 'int'"),
    ("compress net.py:raising -o out --example-input 3x12x12 --calibration images.npy",
     "RuntimeError: no weights to be found (net.py, line 21)"),
    ("compress net.py:volumes -o out --example-input 3x12x12 --calibration images.npy",
     "layer '2' (convolution): neither the accelerator nor the host does"),
    ("compress net.py:build -o out --example-input 3x10x12 --calibration images.npy",
     "calibration must have shape (N, 3, 10, 12) to fit the example input, not (5, 3, 12, 12)"),
    ("compress net.py:build -o out --example-input 2x3x12x12 --calibration images.npy",
     "example input must be C x H x W"),
    ("compress net.py:build -o out --codebook other.safetensors --subvector 8 "
     "--example-input 3x12x12 --calibration images.npy",
     "subvector must be 4, as in codebook 'other.safetensors', not 8"),
    ("compress usps -o out --epochs -1", "epochs must be at least 0, not -1"),
    ("compress usps -o out --batch 1", "batch must be at least 2, not 1"),
    ("compress usps -o out --raw-layers most",
     "raw-layers must be one of narrow, small, streams, ends, none, all, not"),
    ("compress usps -o out --extraction luck",
     "extraction must be one of kde, kmeans, additive, not 'luck'"),
    ("compress usps -o out --ranges wide", "ranges must be one of minmax, percentile, mse, not"),
    ("compress usps -o out --device abacus", "device 'abacus' must be one that PyTorch has here"),
    ("compress net.py:build -o out --epochs 1 --labels images.npy --example-input 3x12x12 "
     "--calibration images.npy", "must be 5 integers, one for each calibration input, not float32"),
    ("simulate build.vqnet --codebook other.safetensors --config tiny --inputs images.npy -o out",
     "network 'build.vqnet' must run on its own ROM"),
    ("simulate net.py --codebook codebook.safetensors --config tiny --inputs images.npy -o out",
     "network 'net.py' must be a complete safetensors file"),
    ("simulate codebook.safetensors --codebook codebook.safetensors --config tiny "
     "--inputs images.npy -o out", "must have format 'vqrom.network'"),
    ("simulate build.vqnet --codebook build.vqnet --config tiny --inputs images.npy -o out",
     "codebook"),
    ("generate --config wide.toml --codebook codebook.safetensors -o out",
     "config 'wide.toml': codewords must be 16, as in the codebook, not 256"),
    ("area --config tiny --codebook codebook.safetensors --liberty net.py -o out", "liberty"),
])
def test_files_that_do_not_fit(work: Path, vqrom: Command, arguments: str, message: str) -> None:
    Path("wide.toml").write_text('base = "tiny"\ncodewords = 256\n')
    before = entries(work)
    assert message in one_line(vqrom(*arguments.split()))
    assert entries(work) == before


@pytest.mark.parametrize(("array", "message"), [
    (np.zeros((1, 3, 12, 13), np.float32), "must have shape (N, 3, 12, 12), not (1, 3, 12, 13)"),
    (np.zeros((1, 3, 12, 12), np.float64), "must be float32 or int8, not 'float64'"),
    (np.full((1, 3, 12, 12), np.nan, np.float32), "must be finite"),
])
@pytest.mark.parametrize("engine", ["reference", "rtl"])
def test_wrong_inputs(work: Path, vqrom: Command, array: np.ndarray, message: str,
                      engine: str) -> None:
    np.save("wrong.npy", array)
    assert message in one_line(simulate(vqrom, "--engine", engine, inputs="wrong.npy"))
    assert not Path("out").exists()


def test_truncated_network(work: Path, vqrom: Command) -> None:
    content = Path("build.vqnet").read_bytes()
    for size in (0, 7, 8, 100, len(content) // 2, len(content) - 1):
        Path("cut.vqnet").write_bytes(content[:size])
        assert "'cut.vqnet'" in one_line(simulate(vqrom, network="cut.vqnet"))
    assert not Path("out").exists()


def test_altered_network(work: Path, vqrom: Command) -> None:
    """One bit of any tensor, and a header that claims another graph."""
    content = bytearray(Path("build.vqnet").read_bytes())
    content[-3] ^= 4
    Path("flipped.vqnet").write_bytes(content)
    assert "altered" in one_line(simulate(vqrom, network="flipped.vqnet"))
    with safe_open("build.vqnet", framework="numpy") as file:
        metadata = file.metadata()
    metadata["graph"] = metadata["graph"].replace("maxpool", "softmax")
    save_file(load_file("build.vqnet"), "claims.vqnet", metadata)
    assert "altered" in one_line(simulate(vqrom, network="claims.vqnet"))
    metadata["version"] = "99"
    save_file(load_file("build.vqnet"), "newer.vqnet", metadata)
    assert "must have version '2', not '99'" in one_line(simulate(vqrom, network="newer.vqnet"))
    assert not Path("out").exists()


def test_missing_tool(work: Path, vqrom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(work))
    line = one_line(simulate(vqrom))
    assert "tool 'g++' must be on PATH" in line and "apt-get install g++" in line
    assert not Path("out").exists()


def test_a_failed_run_leaves_earlier_results(work: Path, vqrom: Command) -> None:
    assert simulate(vqrom, "--engine", "reference").status == 0
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    np.save("wrong.npy", np.zeros((1, 1, 1, 1), np.float32))
    one_line(simulate(vqrom, inputs="wrong.npy"))
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == before
