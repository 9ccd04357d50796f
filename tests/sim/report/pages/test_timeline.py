"""Timelines: a bounded number of spans whose cycles are all there."""

from __future__ import annotations

import numpy as np
import pytest
from plotly.graph_objects import Figure

from vqrom_sim.engines import Timeline
from vqrom_sim.report.pages import timeline
from vqrom_sim.report.pages.timeline import timeline_data, timeline_spec


def made(spans: list[tuple[int, int, int, int]]) -> Timeline:
    """A timeline of spans ``(unit, layer, start, end)``."""
    unit, layer, start, end = np.array(spans, np.int64).reshape(-1, 4).T
    return Timeline(("array", "load"), ("conv0", "conv1"), unit, layer, start, end, end - start,
                    0, int(end.max(initial=0)))


def test_spans_are_ordered_and_joined_where_they_touch() -> None:
    data = timeline_data(made([(1, 1, 5, 7), (0, 0, 0, 4), (0, 0, 4, 9), (0, 1, 9, 10),
                               (0, 1, 12, 13), (1, 0, 0, 5)]))
    assert list(zip(*(data[name] for name in ("unit", "layer", "start", "end", "busy")),
                    strict=True)) == [(0, 0, 0, 9, 9), (0, 1, 9, 10, 1), (0, 1, 12, 13, 1),
                                      (1, 0, 0, 5, 5), (1, 1, 5, 7, 2)]
    assert data["gap"] == 0 and data["layers"] == ["conv0", "conv1"]


def test_too_many_spans_close_their_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST_SPANS", 10)
    spans = [(0, 0, 10 * number, 10 * number + 4) for number in range(100)]
    spans += [(0, 1, 1000 + 3 * number, 1001 + 3 * number) for number in range(100)]
    data = timeline_data(made(spans))
    assert len(data["unit"]) == 2 and 6 <= data["gap"] <= 16
    assert data["busy"] == [400, 100] and data["end"] == [994, 1298]


def test_no_spans() -> None:
    data = timeline_data(made([]))
    assert all(data[name] == [] for name in ("unit", "layer", "start", "end", "busy"))
    Figure(timeline_spec(made([])))
