"""The driver in the integration guide compiles against the generated header."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from vqrom_hw import export
from vqrom_hw.config import load_config

PAGE = REPOSITORY / "docs" / "hw" / "integration.md"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only")


@pytest.mark.skipif(not hasattr(export, "c_header"), reason="no C header is generated yet")
def test_driver_compiles(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: gcc or cc must be on PATH")
    found = re.findall(r"^```c\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 1
    (tmp_path / "vqrom.h").write_text(export.c_header(load_config("edge16")), encoding="utf-8")
    (tmp_path / "driver.c").write_text(found[0], encoding="utf-8")
    ran = subprocess.run([compiler, *WARNINGS, "driver.c"], cwd=tmp_path, text=True,
                         capture_output=True)
    assert ran.returncode == 0, ran.stderr
