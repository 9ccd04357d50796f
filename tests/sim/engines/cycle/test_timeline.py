"""The timeline of the cycle model: what units do in the Verilog, and a bounded number of intervals.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from tests.sim.engines.recorded import IMAGES, LOADER, recorded_program, whole_recording
from vqrom_hw.isa import POSITION
from vqrom_sim.engines import Timeline, run_model, trace_model
from vqrom_sim.engines.cycle import intervals
from vqrom_sim.engines.cycle.registers import places as at
from vqrom_sim.engines.cycle.registers.columns import LAYER, ROW

IDLE = -1


def layers_by_cycle(timeline: Timeline, unit: str) -> np.ndarray:
    """The layer that a unit works on in each cycle, or :data:`IDLE`."""
    layers = np.full(timeline.cycles, IDLE)
    for place in np.flatnonzero(timeline.unit == timeline.units.index(unit)):
        span = slice(timeline.start[place], timeline.end[place])
        assert (layers[span] == IDLE).all()
        layers[span] = timeline.layer[place]
    return layers


def recorded_layers(unit: str) -> np.ndarray:
    """The same of the Verilog: whether the unit works, and the layer of its queue's head."""
    signals, loader = whole_recording().values("vqrom"), whole_recording().values(LOADER)
    heads = whole_recording().bits("vqrom")[f"{unit}_queue.o__payload"][:, POSITION:POSITION + 12]
    works = {
        "weights": loader["i_index__valid"] & loader["i_index__ready"]
        | loader["i_raw__valid"] & loader["i_raw__ready"],
        "array": signals["compute_unit.issue"] | signals["compute_unit.wait_weights"]
        | signals["compute_unit.wait_accumulators"],
        "post": signals["compute_unit.post_busy"],
    }.get(unit, signals.get(f"{unit}_queue.o__valid", np.zeros(0)))
    return np.where(works, heads @ (1 << np.arange(12)), IDLE)


@pytest.mark.parametrize("unit", ["weights", "array", "post", "load", "store", "vector"])
def test_units_work_when_they_do_in_the_verilog(unit: str) -> None:
    timeline = trace_model(recorded_program()[0])
    expected = recorded_layers(unit)
    assert timeline.gap == 0 and len(expected) == IMAGES * timeline.cycles
    assert (expected != IDLE).any()
    # Every image takes the same cycles. They are recorded by the port `active`, which is a cycle
    # late as counters are; in a program's first cycle nothing works.
    layers = layers_by_cycle(timeline, unit)
    assert layers[0] == IDLE
    late = np.append(layers[1:], IDLE)
    np.testing.assert_array_equal(np.tile(late, IMAGES), expected)


def test_a_traced_run_is_the_same_run() -> None:
    program = recorded_program()[0]
    timeline = trace_model(program)
    total = run_model(program).total
    assert (timeline.cycles, timeline.layers) == (total["cycles"], program.layers)
    assert (np.diff(timeline.start) >= 0).all()
    np.testing.assert_array_equal(timeline.worked, timeline.end - timeline.start)
    first, end = timeline.window(0)
    assert timeline.layers[0] == "load" and 0 < first < end < timeline.cycles
    assert timeline.window(len(timeline.layers)) == (0, 0)


class Worked:
    """A log without an accelerator: each unit's queue has the command of a layer that is chosen."""

    LAYERS = 10

    def __init__(self, commands: int) -> None:
        self.log = intervals.new_log(commands)
        self._registers = np.zeros(at.V_RING, np.int64)
        table = np.zeros((self.LAYERS, ROW), np.int64)
        table[:, LAYER] = np.arange(self.LAYERS)
        self._table = table.ravel()

    def note(self, unit: int, layer: int, start: int, cycles: int) -> None:
        """A unit works on a layer."""
        self._registers[at.FIRST_QUEUE + unit * at.QUEUE_SIZE + at.K_RING] = layer * ROW
        intervals.note(self.log, cast(Any, self._registers), cast(Any, self._table), 1 << unit,
                       start, cycles)

    def rows(self, cycles: int) -> tuple[np.ndarray, int]:
        """The intervals after so many cycles, and the longest pause in one."""
        intervals.finish(self.log, cycles)
        return intervals.closed_rows(self.log)


def test_many_intervals_become_few() -> None:
    """A unit that works in every third cycle, and one that changes layers without a rest."""
    steps, worked = 3 * intervals.LIMIT, Worked(2)
    for step in range(steps):
        worked.note(intervals.WEIGHTS, 1 + step // (steps // 2), 3 * step, 1)
    worked.note(intervals.ARRAY, 1, 5, 10)
    worked.note(intervals.ARRAY, 2, 15, 20)
    rows, gap = worked.rows(3 * steps)
    assert gap >= 2
    assert rows.tolist() == [
        [intervals.WEIGHTS, 1, 0, 3 * (steps // 2) - 2, steps // 2],
        [intervals.ARRAY, 1, 5, 15, 10], [intervals.ARRAY, 2, 15, 35, 20],
        [intervals.WEIGHTS, 2, 3 * (steps // 2), 3 * steps - 2, steps // 2]]


def test_pauses_grow_no_more_than_they_must() -> None:
    """Random work: what is put together is what the final pause says, and nothing else is."""
    rng = np.random.default_rng(3)
    starts = np.cumsum(rng.integers(1, 600, 5 * intervals.LIMIT))
    layers = np.repeat([4, 5, 4, 6, 7], intervals.LIMIT)
    worked = Worked(5)
    for start, layer in zip(starts.tolist(), layers.tolist(), strict=True):
        worked.note(intervals.VECTOR, layer, start, 1)
    rows, gap = worked.rows(int(starts[-1]) + 1)
    apart = (np.diff(starts) - 1 > gap) | (np.diff(layers) != 0)
    begins = np.concatenate([[0], np.flatnonzero(apart) + 1])
    np.testing.assert_array_equal(rows[:, 2], starts[begins])
    np.testing.assert_array_equal(rows[:, 1], layers[begins])
    np.testing.assert_array_equal(rows[:, 4], np.diff(begins, append=len(starts)))
    assert intervals.LIMIT // 8 < len(rows) <= intervals.LIMIT


def test_layers_that_change_with_each_command_all_have_room() -> None:
    """Nothing can be put together, and no interval is lost."""
    count, worked = 5 * intervals.LIMIT, Worked(5 * intervals.LIMIT)
    for place in range(count):
        worked.note(intervals.POST, place % 2, 2 * place, 1)
    rows, gap = worked.rows(2 * count)
    assert gap >= 2 * intervals.LIMIT
    np.testing.assert_array_equal(rows[:, 1:4], np.stack(
        [np.arange(count) % 2, 2 * np.arange(count), 2 * np.arange(count) + 1], 1))
