"""The command line without networks: help, configurations, and what is wrong with an argument."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.sim.cli.command_line import Command, Ran, one_line
from vqrom_hw.config import PRESETS, load_config
from vqrom_sim.cli.main import Commands


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a good input array, and files that are nothing in particular."""
    monkeypatch.chdir(tmp_path)
    np.save("images.npy", np.zeros((1, 1, 28, 28), np.float32))
    Path("text.npy").write_text("not an array")
    Path("net.py").write_text("import torch\ndef build():\n    return torch.nn.ReLU()\n")
    Path("any.vqnet").write_bytes(b"\x08\x00\x00")
    Path("any.safetensors").write_bytes(b"\xff" * 20)
    return tmp_path


def test_help_lists_every_command(vqrom: Command) -> None:
    for arguments in ((), ("--help",)):
        ran = vqrom(*arguments)
        assert ran.status == 0
        for command in ("zoo", "compress", "generate", "simulate", "area", "config",
                        "demo", "images", "show"):
            assert f" {command} " in ran.out


@pytest.mark.parametrize("arguments", [
    ["--help"], ["config", "list"], ["config", "show", "tiny"],
    *([name, "--help"] for name in Commands.table)], ids=" ".join)
def test_quick_commands_import_nothing_heavy(arguments: list[str]) -> None:
    script = ("import sys\nfrom vqrom_sim import cli\n"
              "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
              "heavy = {'torch', 'amaranth', 'numpy', 'matplotlib'} & set(sys.modules)\n"
              "assert not heavy, heavy\n")
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True)


def test_a_command_that_is_almost_one_is_named(vqrom: Command) -> None:
    assert "Did you mean 'simulate'?" in one_line(vqrom("simulat"))


def test_version(vqrom: Command) -> None:
    assert vqrom("--version") == Ran(0, "vqrom 0.1.0\n", "")


def test_config_list(vqrom: Command) -> None:
    ran = vqrom("config", "list")
    assert ran.status == 0
    assert all(preset in ran.out for preset in PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_config_show_is_a_file_that_says_the_same(
        vqrom: Command, tmp_path: Path, preset: str) -> None:
    shown = vqrom("config", "show", preset)
    assert shown.status == 0
    file = tmp_path / "mine.toml"
    file.write_text(shown.out)
    assert load_config(str(file)) == load_config(preset)
    # It still takes the codebook's shape, as the preset does.
    assert load_config(str(file), subvector=8, codewords=16).codewords == 16
    checked = vqrom("config", "check", file)
    assert checked.status == 0
    assert "can be built" in checked.out


@pytest.mark.parametrize(("text", "message"), [
    ('base = "edge16"\ncolumns = 3\n', "columns must divide rows 16, not 3"),
    ('base = "edge16"\nrows = 18\n', "rows must be a multiple of subvector 4, not 18"),
    ('base = "edge99"\n', "base must be one of tiny, edge16, edge32, not 'edge99'"),
    ('base = "tiny"\ncolour = 3\n', "colour"),
    ('base = "tiny"\nrows = "8"\n', "rows"),
    ("rows = \n", "must be valid TOML"),
])
def test_config_check_says_why(
        vqrom: Command, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    assert message in one_line(vqrom("config", "check", file))


@pytest.mark.parametrize(("arguments", "message"), [
    ("config show edge99", "config must be one of tiny, edge16, edge32 or a .toml file, "
     "not 'edge99'"),
    ("config check absent.toml", "config 'absent.toml' cannot be read: No such file"),
    ("config check any.vqnet", "config must be a .toml file, not 'any.vqnet'"),
    ("nonsense", "No such command 'nonsense'"),
    ("compress", "Missing argument 'NETWORK...'"),
    ("compress mnist", "Missing option '-o'"),
    ("compress mnist -o out --codewords many", "'--codewords': must be an integer, not 'many'"),
    ("compress mnist -o out --codewords 1", "codewords must be 2 to 65536, not 1"),
    ("compress mnist -o out --codewords 65537", "codewords must be 2 to 65536, not 65537"),
    ("compress mnist -o out --subvector 3", "subvector must be one of 1, 2, 4, 8, 16, not 3"),
    ("compress mnist -o out --seed -1", "seed must be 0 to 4294967295, not -1"),
    ("compress mnist -o out --codebook absent", "codebook must be an existing file, not 'absent'"),
    ("generate --config tiny --codebook absent -o out", "codebook must be an existing file"),
    ("generate --config edge99 --codebook any.safetensors -o out", "config must be one of"),
    ("generate --config tiny --codebook any.safetensors -o net.py",
     "output must be a directory, but"),
    ("simulate absent --codebook any.safetensors --config tiny --inputs images.npy -o out",
     "network must be an existing file, not 'absent'"),
    ("simulate any.vqnet --codebook absent --config tiny --inputs images.npy -o out",
     "codebook must be an existing file, not 'absent'"),
    ("simulate any.vqnet --codebook any.safetensors --config tiny --inputs absent -o out",
     "inputs must be an existing file, not 'absent'"),
    ("simulate any.vqnet --codebook any.safetensors --config edge99 --inputs images.npy -o out",
     "config must be one of tiny, edge16, edge32 or a .toml file, not 'edge99'"),
    ("simulate any.vqnet --codebook any.safetensors --config tiny --inputs images.npy -o out "
     "--engine spice", "'spice' is not one of 'reference', 'rtl'"),
    ("area --config tiny --codebook any.safetensors --liberty absent -o out",
     "liberty must be an existing file, or sky130, asap7 or generic, not 'absent'"),
    ("area --config tiny --codebook any.safetensors --liberty generic --technology 3nm -o out",
     "technology must be one of"),
])
def test_wrong_argument(vqrom: Command, files: Path, arguments: str, message: str) -> None:
    before = sorted(files.iterdir())
    assert message in one_line(vqrom(*arguments.split()))
    assert sorted(files.iterdir()) == before


def test_no_traceback_in_a_process_of_its_own(files: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "vqrom_sim.cli", "config", "show", "edge99"],
        capture_output=True, text=True, check=False)
    assert one_line(Ran(ran.returncode, ran.stdout, ran.stderr))
