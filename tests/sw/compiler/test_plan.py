"""The parts of the plan: places in the activation buffer, segments, strips, what is let go."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.random_networks import NetworkBuilder, mixed_network, random_codebook
from tests.sw.compiler.program_checks import check_program, config_of
from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.compiler import cut_network
from vqrom_sw.compiler.compile import compile_passes
from vqrom_sw.compiler.network_graph import stage_graph
from vqrom_sw.compiler.plan import Life, Plan, Residency, make_plan
from vqrom_sw.compiler.plan.strips import make_strips, strip_counts
from vqrom_sw.compiler.plan.timeline import Timeline, first_fit, place_lives
from vqrom_sw.compiler.task_graph import TaskGraph

TINY = config_of("tiny")
CODEBOOK = random_codebook(TINY)


def planned(builder: NetworkBuilder, config: AcceleratorConfig) -> tuple[TaskGraph, Plan]:
    """A network's task graph and its plan."""
    network = builder.build()
    stage, = cut_network(network, config)
    graph = stage_graph(network, stage, CODEBOOK.codewords, config)
    return graph, make_plan(graph)


@pytest.mark.parametrize(("size", "taken", "base"), [
    (4, [], 0), (4, [(0, 3)], 3), (4, [(2, 3), (9, 1)], 5), (2, [(2, 3), (9, 1)], 0),
    (7, [(0, 3)], 3), (8, [(0, 3)], None), (0, [(0, 10)], 0)])
def test_first_fit_takes_the_lowest_gap(size: int, taken: list[tuple[int, int]],
                                        base: int | None) -> None:
    assert first_fit(size, 10, taken) == base


def test_words_are_free_again_after_their_time() -> None:
    timeline = Timeline(10)
    assert timeline.take(6, 0, 2, []) == 0
    assert timeline.take(6, 2, 3, []) is None, "both ends of a time are taken"
    assert timeline.take(4, 1, 5, [], top=True) == 6
    fork = timeline.fork()
    assert fork.take(6, 3, 4, []) == 0
    assert timeline.take(5, 3, 4, [(0, 1)]) == 1, "a fork takes nothing from what it copies"
    timeline.forget(6)
    assert timeline.take(10, 5, 5, []) == 0


def test_lives_overlap_in_time_or_in_words() -> None:
    lives = [Life(0, 1, 4), Life(1, 2, 6), Life(2, 3, 4), Life(-1, 0, 3)]
    bases, failed = place_lives(lives, 10)
    assert failed is None and bases == [6, 0, 6, 0]
    assert place_lives(lives, 9)[1] == 0, "the first that finds no room, largest first"


def test_everything_is_resident_while_there_is_room() -> None:
    graph, plan = planned(mixed_network(CODEBOOK), config_of("tiny", activation_words=4096))
    for feature_map in graph.maps:
        expected = Residency.SPILLED if feature_map.dram else Residency.RESIDENT
        assert plan.residencies[feature_map] == expected
    assert not plan.scratch and plan.scratch_bytes == 0
    last = plan.segments[-1].end
    assert [position for segment in plan.segments
            for position in range(segment.first, segment.end)] == list(range(last))


def test_addition_overwrites_an_operand() -> None:
    net = NetworkBuilder(CODEBOOK, (6, 6, 8))
    first = net.conv(8)
    net.add(first, net.conv(8, padding=(1, 1, 1, 1)))
    net.conv(8, (1, 1))
    graph, plan = planned(net, TINY)
    addition = graph.tasks[2]
    (shortcut, main), total = addition.inputs, addition.output
    assert plan.bases[total] == plan.bases[main] != plan.bases[shortcut]
    assert plan.lives[total] is plan.lives[main]


def test_little_room_fuses_or_spills() -> None:
    _, plan = planned(mixed_network(CODEBOOK), config_of("tiny", activation_words=256))
    assert set(plan.residencies.values()) == set(Residency) - {Residency.WITHIN}
    for feature_map, residency in plan.residencies.items():
        if residency == Residency.FUSED:
            assert feature_map.consumers == [(feature_map.producer or 0) + 1]
            segment = next(segment for segment in plan.segments
                           if segment.first <= feature_map.consumers[0] < segment.end)
            assert segment.first <= feature_map.consumers[0] - 1
        assert (feature_map in plan.bases) == (residency == Residency.RESIDENT)
        assert (feature_map in plan.scratch) == (
            residency == Residency.SPILLED and feature_map.dram is None)
    places = sorted((layout.offset, layout.size) for layout in plan.scratch.values())
    assert all(low + size <= high for (low, size), (high, _) in pairwise(places))


def test_numbers_of_strips_grow_to_single_rows() -> None:
    graph, plan = planned(mixed_network(CODEBOOK), config_of("tiny", accumulator_depth=30))
    segment = plan.segments[0]
    counts = list(strip_counts(segment, graph.tasks, graph.config))
    height = graph.tasks[segment.end - 1].output.height
    assert counts == sorted(set(counts)) and counts[-1] == height
    for count in counts:
        strips = make_strips(segment, graph.tasks, plan.residencies, count)
        assert strips[-1].produced[segment.end - 1][1] == height
        assert len(strips) <= count


def test_chain_that_runs_row_by_row_is_cut_between_tasks_on_the_array() -> None:
    """A projection and the expansion after it, both beside depthwise convolutions: all maps could
    be fused in strips of one row; the one between them goes over DRAM."""
    config = config_of("edge16", activation_words=560, accumulator_depth=64)
    codebook = random_codebook(config)
    net = NetworkBuilder(codebook, (16, 16, 8))
    first = net.conv(16, (1, 1))
    second = net.conv(16, padding=(1, 1, 1, 1), groups=16)
    narrow = net.conv(16, (1, 1))
    wide = net.conv(48, (1, 1))
    net.conv(48, (3, 3), (2, 2), (1, 1, 1, 1), groups=48)
    plan = compile_passes(net.build(), codebook.codewords, config).plan
    residencies = {feature_map.name: residency
                   for feature_map, residency in plan.residencies.items()}
    assert residencies[narrow] == Residency.SPILLED
    assert {residencies[name] for name in (first, second, wide)} == {Residency.FUSED}
    check_program(net, codebook, config)
