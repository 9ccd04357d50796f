"""Cycles as time: frequencies, timing files, and what neither is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.report import Clock, read_clock

REPORT = {"engine": "model", "cycles": 2_000_000, "images": 4,
          "config": {"name": "a", "rows": 8, "dram_latency": 32}}
TIMING = {"schema": "vqrom.timing/1", "fmax_mhz": 200.0, "config": {
    "name": "b", "rows": 8, "dram_latency": 64}, "library": {"name": "cells",
                                                            "estimator": "OpenSTA"}}


def test_time_is_cycles_over_frequency() -> None:
    timed = Clock(100.0).time(REPORT)
    assert timed["time"] == {
        "frequency_mhz": 100.0, "source": "given", "seconds": pytest.approx(0.02),
        "seconds_per_inference": pytest.approx(0.005),
        "inferences_per_second": pytest.approx(200)}
    assert {key: timed[key] for key in REPORT} == REPORT and "time" not in REPORT


def test_clock_of_a_timing_file(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    path.write_text(json.dumps(TIMING))
    clock = read_clock(path)
    assert (clock.frequency_mhz, clock.source) == (200.0, "OpenSTA, cells")
    # Neither the name nor the DRAM beside the chip changes the circuit.
    assert clock.time(REPORT)["time"]["inferences_per_second"] == pytest.approx(400)
    path.write_text(json.dumps(TIMING | {"config": {"rows": 16}}))
    with pytest.raises(VqromError, match="config, whose rows is 8, not 16"):
        read_clock(path).time(REPORT)


@pytest.mark.parametrize(("text", "message"), [
    ("", "must be JSON"), ("[]", "must be a JSON object, not list"),
    *((text, r"must be a vqrom\.timing/1 file") for text in (
        "{}", json.dumps(TIMING | {"schema": "vqrom.area/1"}),
        json.dumps(TIMING | {"fmax_mhz": "fast"})))])
def test_files_that_are_no_timing(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "timing.json"
    path.write_text(text)
    with pytest.raises(VqromError, match=message):
        read_clock(path)
    with pytest.raises(VqromError, match="cannot be read: No such file"):
        read_clock(tmp_path / "absent.json")


@pytest.mark.parametrize("frequency", [0.0, -1.0, float("nan"), 1e9])
def test_frequencies_that_are_none(frequency: float) -> None:
    with pytest.raises(VqromError, match="frequency must be more than 0"):
        Clock(frequency)


def test_reference_counts_no_cycles() -> None:
    with pytest.raises(VqromError, match="engine 'reference' counts no cycles"):
        Clock(1.0).time(REPORT | {"engine": "reference", "cycles": None})
