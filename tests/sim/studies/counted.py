"""A measure that needs nothing but time, for tests of how studies run; and a program that runs it.

Each run of its work leaves a line in a file, so that what was run twice shows.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_sim.studies import MEASURES, Column, Measure, run_study
from vqrom_sim.studies.context import Context
from vqrom_sim.studies.definition import Scalar
from vqrom_sim.studies.point import Point
from vqrom_sim.studies.work import Result, Work
from vqrom_sw.io import content_key

RUNS = "VQROM_TEST_RUNS"
"""Variable of the environment that names the file of runs."""
SECONDS = "VQROM_TEST_SECONDS"
"""How long each work takes."""
ENDINGS = {13: "an error", 14: "a fault", 15: "the end of the process"}
"""Latencies of DRAM whose work does not end well."""


@dataclass(frozen=True)
class CountedWork(Work):
    """Squares a latency."""

    latency: int

    @property
    def key(self) -> str:
        """The latency is all that counts."""
        return content_key("counted", self.latency)

    @property
    def label(self) -> str:
        """What it does."""
        return f"square of {self.latency}"

    def run(self) -> Result:
        """Note the run, wait, and end as :data:`ENDINGS` says."""
        with Path(os.environ[RUNS]).open("a", encoding="utf-8") as file:
            file.write(f"{self.latency}\n")
        time.sleep(float(os.environ.get(SECONDS, "0")))
        match ENDINGS.get(self.latency):
            case "an error":
                raise VqromError("latency must be a lucky number, not 13")
            case "a fault":
                raise RuntimeError("a fault\nin two lines")
            case "the end of the process":
                os._exit(9)
        return {"square": self.latency ** 2}


def _works(point: Point, context: Context) -> Sequence[Work]:
    return (CountedWork(point.built[0].dram_latency),)


def _figures(point: Point, context: Context, results: Sequence[Result]) -> dict[str, Scalar]:
    return {"square": results[0]["square"]}


COUNTED = Measure("counted", (Column("square", "cycles2", "latency squared", "test"),),
                  frozenset({"seed"}), _works, _figures)


def counted_study(latencies: Sequence[int]) -> dict:
    """A study of the measure above."""
    return {"name": "counted", "measures": ["counted"], "base": {"config": "tiny"},
            "axes": {"dram_latency": list(latencies), "seed": [1, 2]},
            "derived": {"half": {"expression": "square / 2", "unit": "cycles2"}},
            "objectives": {"square": "min", "dram_latency": "max"}}


if __name__ == "__main__":
    MEASURES["counted"] = COUNTED
    run_study(counted_study(range(20, 60)), sys.argv[1], workers=1)
