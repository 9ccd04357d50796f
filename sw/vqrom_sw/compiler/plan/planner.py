"""The plan of a program: which maps stay on chip, and in which strips the others pass through."""

from __future__ import annotations

from vqrom_hw.errors import VqromError
from vqrom_sw.compiler.feature_map import FeatureMap
from vqrom_sw.compiler.graph import Graph
from vqrom_sw.compiler.tasks import AddTask, ConvTask

from .allocation import Timeline, place_residents
from .placement import Placer
from .plan import Group, Plan, Residencies, Residency, Residents, Step, Window
from .strips import make_groups, make_steps, strip_counts, work_of

BEAT_COST = 1.0
"""Cycles that a beat is worth that DRAM need not deliver, unless somebody says otherwise."""

VARIANTS = ((False, False), (False, True), (True, False))
"""Placements that are tried: tight or not, and from which end."""


class _NoRoomError(Exception):
    """Maps do not fit while a group runs."""

    def __init__(self, group: Group, needed: int):
        super().__init__(group, needed)
        self.group = group
        self.needed = needed


def make_plan(graph: Graph, beat_cost: float = BEAT_COST) -> Plan:
    """Keep all maps on chip; while that does not fit, let the biggest one go that matters.

    Raises
    ------
    VqromError
        If not even single rows fit.
    """
    planner = _Planner(graph, beat_cost)
    while True:
        try:
            return planner.attempt()
        except _NoRoomError as error:
            if not planner.release(error.group):
                config, names = graph.config, graph.tasks[error.group.end - 1].name
                raise VqromError(
                    f"layer {names!r}: its feature maps must fit activation_words "
                    f"{config.activation_words} of config {config.name!r}, "
                    f"not {error.needed!r} words") from None


class _Planner:
    def __init__(self, graph: Graph, beat_cost: float):
        self._graph = graph
        self._beat_cost = beat_cost
        self._tasks = graph.tasks
        self._capacity = graph.config.activation_words
        self._residency: Residencies = {
            feature_map: Residency.SPILLED if self._streams(feature_map) else Residency.RESIDENT
            for feature_map in graph.maps}
        self._groups: list[Group] = []
        self._group_of: dict[int, int] = {}
        self._roots: dict[FeatureMap, FeatureMap] = {}
        self._lives: dict[FeatureMap, tuple[int, int, int]] = {}

    @staticmethod
    def _streams(feature_map: FeatureMap) -> bool:
        return feature_map.is_output or (feature_map.is_input and len(feature_map.consumers) == 1)

    def attempt(self) -> Plan:
        """A plan with the residencies as they are."""
        self._groups = make_groups(self._tasks, self._residency)
        self._group_of = {position: group.index for group in self._groups
                          for position in range(group.first, group.end)}
        self._roots = self._aliases()
        self._lives = lives = self._find_lives()
        owners = list(lives)
        blocks = [lives[owner] for owner in owners]
        bases, failed = place_residents(blocks, self._capacity)
        if failed is not None:
            raise self._crowded(blocks, failed)
        places = {owner: base for owner, base in zip(owners, bases, strict=True)}
        roots = self._roots
        steps: list[Step] = []
        timeline = Timeline(self._capacity)
        for group in self._groups:
            here = [[(places[owner], lives[owner][2]) for owner in owners
                     if lives[owner][0] <= index <= lives[owner][1]]
                    for index in range(group.index - 1, group.index + 2)]
            chosen, timeline = self._strips(group, len(steps), timeline, here)
            steps += chosen
        return Plan(steps, self._residency,
                    {feature_map: places[roots[feature_map]] for feature_map in roots},
                    self._groups)

    def _crowded(self, blocks: list[tuple[int, int, int]], failed: int) -> _NoRoomError:
        """The group at which most words are alive while the map that found no place is."""
        first, last, _ = blocks[failed]
        alive = {index: sum(size for start, stop, size in blocks if start <= index <= stop)
                 for index in range(max(first, 0), last + 1)}
        index = max(alive, key=lambda index: alive[index])
        return _NoRoomError(self._groups[min(index, len(self._groups) - 1)], alive[index])

    def _aliases(self) -> dict[FeatureMap, FeatureMap]:
        """For each map that stays, the map whose words it takes: sums overwrite an operand."""
        roots: dict[FeatureMap, FeatureMap] = {}
        for feature_map in self._graph.maps:
            if self._residency[feature_map] == Residency.RESIDENT:
                operand = self._overwritten(feature_map)
                roots[feature_map] = feature_map if operand is None else roots[operand]
        return roots

    def _overwritten(self, feature_map: FeatureMap) -> FeatureMap | None:
        position = feature_map.producer
        if position is None or not isinstance(self._tasks[position], AddTask):
            return None
        group = self._groups[self._group_of[position]]
        for operand in self._tasks[position].inputs:
            others = [reader for reader in operand.consumers if reader != position]
            if (self._residency[operand] == Residency.RESIDENT
                    and operand.pitch == feature_map.pitch
                    and all(reader < group.first for reader in others)):
                return operand
        return None

    def _find_lives(self) -> dict[FeatureMap, tuple[int, int, int]]:
        """First and last group and size of the words of each map that stays."""
        lives: dict[FeatureMap, tuple[int, int, int]] = {}
        for feature_map, root in self._roots.items():
            readers = [self._group_of[reader] for reader in feature_map.consumers]
            # An input is loaded while the group before its first reader runs.
            first = min(readers) - 1 if feature_map.producer is None \
                else self._group_of[feature_map.producer]
            last = max(readers, default=first)
            if root in lives:
                first, last = min(first, lives[root][0]), max(last, lives[root][1])
            lives[root] = first, last, max(feature_map.size, lives.get(root, (0, 0, 0))[2])
        return lives

    def _strips(self, group: Group, time: int, timeline: Timeline,
                here: list[Residents]) -> tuple[list[Step], Timeline]:
        """The strips that cost least."""
        config, best, fewest = self._graph.config, None, 0
        for count in strip_counts(group, self._tasks, config):
            if best and count > 2 * fewest + 1:
                break
            for tight, flipped in VARIANTS:
                if tight and best:
                    continue
                steps = self._steps(group, count)
                # Nothing that was taken to let units work ahead, if room is tight.
                fork = Timeline(self._capacity) if tight else timeline.fork()
                stall = Placer(config, self._tasks, self._residency, fork, tight,
                               flipped).place(steps, time, here)
                if stall is None:
                    continue
                cycles, beats = work_of(steps, self._tasks, config)
                cost = cycles + stall + self._beat_cost * beats
                fewest = fewest or count
                if best is None or cost < best[0]:
                    best = cost, stall, steps, fork
                if stall == 0:
                    break
            if best and best[1] == 0:
                break
        if best is None or (self._options(group) and self._is_tiny(group, len(best[2]))):
            raise _NoRoomError(group, self._least(group, here[1]))
        return best[2], best[3]

    def _steps(self, group: Group, count: int) -> list[Step]:
        steps = make_steps(group, self._tasks, self._residency, count)
        steps[0].early = not self._follows(steps[0])
        return steps

    def _follows(self, step: Step) -> bool:
        """It loads what the group before stores."""
        group = self._groups[step.group]
        return any(source.producer is not None and source.producer < group.first
                   and self._group_of[source.producer] == group.index - 1
                   and self._residency[source] == Residency.SPILLED
                   for position in step.produced for source in self._tasks[position].inputs)

    def _least(self, group: Group, here: Residents) -> int:
        """Words that the group needs in single rows."""
        steps = make_steps(group, self._tasks, self._residency,
                           self._tasks[group.end - 1].output.height)
        rows = max(sum(self._words(key, window) for key, window in step.windows.items())
                   + sum((end - first) * self._tasks[position].output.pitch
                         for position, (first, end) in step.produced.items()
                         if self._residency[self._tasks[position].output] == Residency.SPILLED)
                   for step in steps)
        return rows + sum(size for _, size in here)

    def _words(self, key: tuple[int, int], window: Window) -> int:
        source = self._tasks[key[0]].inputs[key[1]]
        # Rows go from one window of a fused map to the next.
        twice = self._residency[source] == Residency.FUSED and window.fresh > window.first
        return (window.end - window.first) * source.pitch * (1 + twice)

    def _is_tiny(self, group: Group, strips: int) -> bool:
        """Strips so small that fetching weights again costs more than a map in DRAM."""
        config = self._graph.config
        for task in self._tasks[group.first:group.end]:
            pixels = task.output.height * task.output.width
            enough = min(pixels, max(config.fill_steps, config.accumulator_depth // 8))
            if task.on_array and pixels < enough * strips:
                return True
        return False

    def _options(self, group: Group) -> list[FeatureMap]:
        """Maps that stay while the group runs, and need not."""
        return [feature_map for feature_map, root in self._roots.items()
                if self._lives[root][0] <= group.index <= self._lives[root][1]]

    def release(self, group: Group) -> bool:
        """Let a map go from the activation buffer; whether there was one."""
        options = self._options(group)
        if not options:
            return self._unchain(group)
        fusible = [feature_map for feature_map in options if self._fusible(feature_map)]
        # A reader on the vector unit works while the array goes on; one on the array cannot.
        chosen = max(fusible or options, key=lambda feature_map: (
            bool(fusible) and not self._tasks[feature_map.consumers[0]].on_array,
            feature_map.size))
        self._residency[chosen] = Residency.FUSED if fusible else Residency.SPILLED
        return True

    def _unchain(self, group: Group) -> bool:
        """Cut a chain of fused maps where that costs least."""
        fused = [task.output for task in self._tasks[group.first:group.end]
                 if self._residency[task.output] == Residency.FUSED]
        if not fused:
            return False
        self._residency[min(fused, key=lambda feature_map: feature_map.size)] = Residency.SPILLED
        return True

    def _fusible(self, feature_map: FeatureMap) -> bool:
        """Its only reader follows at once, and reading weights again costs less than DRAM."""
        producer = feature_map.producer
        if producer is None or feature_map.consumers != [producer + 1]:
            return False
        reader = self._tasks[producer + 1]
        if not reader.on_array:
            return True
        config = self._graph.config
        weights = 0
        for task in (self._tasks[producer], reader):
            if isinstance(task, ConvTask):
                pixels = task.output.height * task.output.width
                weights += -(-pixels // config.accumulator_depth) * task.weight_bytes
        return weights < 2 * feature_map.size * config.rows
