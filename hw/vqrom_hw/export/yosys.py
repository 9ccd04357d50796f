"""Yosys as a child process: its output is caught, its memory freed, and its crash an error."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_SCRIPT = """
import sys
from pyosys import libyosys as ys
design = ys.Design()
for command in sys.stdin.read().split("\\0"):
    ys.run_pass(command, design)
"""


def run_yosys(commands: Sequence[str], folder: Path) -> str:
    """Run Yosys commands on an empty design, in a process of its own.

    Parameters
    ----------
    commands:
        Yosys commands, in order.
    folder:
        Working directory, against which file names in the commands resolve.

    Returns
    -------
    str
        What Yosys wrote to its output and its error output.

    Raises
    ------
    RuntimeError
        If a command fails; the message is Yosys' own.
    """
    with tempfile.TemporaryDirectory() as temporary:  # Yosys keeps a copy of every library there.
        result = subprocess.run([sys.executable, "-c", _SCRIPT], input="\0".join(commands),
                                cwd=folder, env={**os.environ, "TMPDIR": temporary},
                                capture_output=True, text=True, check=False)
    log = result.stdout + result.stderr
    if result.returncode:
        lines = [line for line in log.splitlines() if "ERROR" in line or "Error" in line]
        raise RuntimeError(f"Yosys failed: {lines[-1] if lines else log[-500:]}")
    return log
