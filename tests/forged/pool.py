"""Cases in processes of their own: forked from one that has imported everything, and bounded.

A case passes if it ends with status 2 and one line on stderr, or with status 0.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

MEMORY = 4 << 30
"""Bytes of address space that a case may take beyond those of the process that it is forked from,
which has all libraries and, within a run of tests, what earlier tests left."""
SECONDS = 30
"""Longest time of a case."""


def fault_of(case: Callable[[], None]) -> tuple[str, str]:
    """Run a case: ``("accepted" | "refused", "")``, or ``("fault", what)``."""
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if not child:
            _child(case, errors.fileno())
        status = _wait(child)
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").splitlines()
    if status == 0:
        return "accepted", ""
    if status == 2 and len(lines) == 1 and lines[0].startswith("vqrom: error: "):
        return "refused", lines[0]
    ended = f"more than {SECONDS} s" if status is None else f"status {status}"
    return "fault", f"{ended}, {len(lines)} lines: {' | '.join(lines[-2:])[-300:]}"


def _child(case: Callable[[], None], errors: int) -> None:
    """Run the case in this process, which ends here."""
    status = 70
    try:
        os.dup2(errors, 2)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - for all of the process
        limit = MEMORY + _address_space()
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        case()
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _address_space() -> int:
    """Bytes of address space of this process."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


def _wait(child: int) -> int | None:
    """The status of a child; None if it had to be killed."""
    pause, end = 0.002, time.monotonic() + SECONDS
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(0.05, 1.3 * pause)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None
