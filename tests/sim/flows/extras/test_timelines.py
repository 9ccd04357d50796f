"""The timeline of a network: that of its programs, one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.random_networks import random_codebook
from tests.sim.report.pages.page_checks import check_page
from tests.staged_networks import crossing_twice, random_inputs
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import simulate

TINY = load_config("tiny")
CODEBOOK = random_codebook(TINY)


def test_programs_follow_each_other(tmp_path: Path) -> None:
    network = crossing_twice(CODEBOOK)
    run = simulate(network, CODEBOOK, TINY, random_inputs(network, 2), "model", timeline=True)
    timeline = run.timeline
    assert timeline is not None and run.cycles == 2 * timeline.cycles
    assert {name for name in timeline.layers} == {row.name for row in run.layers if not row.host}
    assert len(set(timeline.layers)) == len(timeline.layers)
    assert timeline.end.max() <= timeline.cycles and (timeline.start < timeline.end).all()
    busy = run.report["busy"]
    for number, unit in enumerate(timeline.units):
        own = timeline.unit == number
        if unit in busy:
            assert 2 * timeline.worked[own].sum() == busy[unit]
        order = np.argsort(timeline.start[own])
        assert (timeline.end[own][order][:-1] <= timeline.start[own][order][1:]).all()
    run.save(tmp_path)
    page = check_page((tmp_path / "report.html").read_text())
    assert page.data["timeline-0-spans"]["layers"] == list(timeline.layers)


def test_a_topology_has_one_too(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
                    "Channels, Num Filter, Strides,\nc1, 6, 6, 3, 3, 8, 8, 1,\n")
    run = simulate(path, config=TINY, timeline=True)
    assert run.timeline is not None and run.timeline.cycles == run.cycles


def test_values_alone_have_none() -> None:
    network = crossing_twice(CODEBOOK)
    with pytest.raises(VqromError, match="a timeline must come from an engine that counts"):
        simulate(network, CODEBOOK, TINY, random_inputs(network), "reference", timeline=True)
