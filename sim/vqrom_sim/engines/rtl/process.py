"""The simulator's process: a model runs on a job, and how it ended is found out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from vqrom_hw.errors import VqromError
from vqrom_sw.io import end_group

from .build import simulation_environment
from .testbench import TOP

POLL_SECONDS = 0.2
"""How often the progress of a running simulation is looked up."""


def run_to_end(model: Path, job: Path, arguments: list[str], poll: Callable[[], None]) -> None:
    """Run a model on a job.

    Parameters
    ----------
    model:
        Folder of the built model.
    job:
        The job file, in a folder that gets what the simulation writes.
    arguments:
        Of the model.
    poll:
        Called now and then, and at the end.

    Raises
    ------
    VqromError
        If the simulation ends before its programs do, or the accelerator reports an error.
    """
    check_end(job, run_process(model, job, arguments, poll))


def run_process(model: Path, job: Path, arguments: list[str], poll: Callable[[], None]) -> int:
    """As :func:`run_to_end`, but without a look at how it ended: the exit status."""
    with job.with_name("log").open("w") as sink:
        process = subprocess.Popen([str(model / TOP), *arguments], cwd=model, stdout=sink,
                                   stderr=subprocess.STDOUT, env=simulation_environment(job),
                                   start_new_session=True)
        try:
            while True:
                try:
                    process.wait(POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    poll()
        except BaseException:
            end_group(process)
            raise
    poll()
    return process.returncode


def check_end(job: Path, status: int) -> None:
    """Refuse a simulation that did not end as it should.

    Parameters
    ----------
    job:
        The job file, beside what the simulation wrote.
    status:
        The exit status of its process.

    Raises
    ------
    VqromError
        With the last error that the simulation wrote down.
    """
    results = job.with_name("results.xml")
    failures = ElementTree.parse(results).findall(".//failure") if results.exists() else None
    if status or failures is None or failures:
        log = job.with_name("log").read_text(errors="replace")
        lines = [line.strip() for line in log.splitlines() if "Error" in line or "error" in line]
        reason = lines[-1] if lines else f"exit status {status}"
        raise VqromError(f"simulation must reach its end, not stop with {reason!r}")
