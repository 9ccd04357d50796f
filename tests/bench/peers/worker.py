"""What all workers do: read a job, simulate its layers one after the other, measure each.

A worker runs in the environment of one simulator, which has nothing of this project:

    python SIMULATOR_worker.py JOB.json RESULTS.jsonl

Each layer becomes one line of the results as soon as it is done, so an interrupted run goes on
where it was.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KIB = 1024
"""Linux gives the peak of resident memory in KiB."""


def used_cpu_s() -> float:
    """Processor seconds of this process and of those that it started and that have ended."""
    return sum(usage.ru_utime + usage.ru_stime for usage in (
        resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)))


def peak_rss_bytes() -> int:
    """Most memory that this process has held, or the largest of those that it started."""
    return KIB * max(resource.getrusage(who).ru_maxrss
                     for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def serve(version: str, run_layer: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]],
          ) -> None:
    """Run ``run_layer(job, layer)`` on each layer of the job that the command line names.

    Each line of the results has what ``run_layer`` returns, the layer's ``key`` and ``shape``, the
    simulator's ``version``, and ``wall_s``, ``cpu_s`` (seconds that it took) and
    ``peak_rss_bytes`` (of the process so far).
    """
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with Path(sys.argv[2]).open("a", encoding="utf-8") as results:
        for layer in job["layers"]:
            cpu_s, start = used_cpu_s(), time.perf_counter()
            figures = run_layer(job, layer)
            line = {"key": layer["key"], "shape": layer["shape"], "version": version,
                    "wall_s": time.perf_counter() - start, "cpu_s": used_cpu_s() - cpu_s,
                    "peak_rss_bytes": peak_rss_bytes(), **figures}
            results.write(json.dumps(line) + "\n")
            results.flush()
