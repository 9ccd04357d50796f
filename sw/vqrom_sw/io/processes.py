"""Tools that run in a process group of their own, which ends with the call."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

_GRACE_SECONDS = 2.0


def end_group(process: subprocess.Popen[Any]) -> None:
    """End a process that leads its own group, and all that it started: SIGTERM, then SIGKILL."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_group(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a tool and take its text output; no process of its group outlives an interruption.

    Parameters
    ----------
    command:
        The tool and its arguments.
    options:
        As of ``subprocess.Popen``, such as ``cwd`` and ``env``.

    Raises
    ------
    OSError
        If the tool cannot be started.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True, **options) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            end_group(process)
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, output, errors)
