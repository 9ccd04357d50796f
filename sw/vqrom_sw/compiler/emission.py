"""A plan as operations in order: loads one step ahead, then computations, then stores."""

from __future__ import annotations

from vqrom_hw.isa import Opcode
from vqrom_sw.compiler.plan import Plan, Residency, Step, Window
from vqrom_sw.compiler.tasks import copy_rows

from .feature_map import FeatureMap, Rows
from .graph import Graph
from .operations import DramRows, Operation, rows_area


def emit(graph: Graph, plan: Plan) -> list[Operation]:
    """All operations, in an order in which one after the other would be right."""
    emitter = _Emitter(graph, plan)
    steps = plan.steps
    emitter.prepare(steps[0])
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if following and following.early:
            emitter.prepare(following)
        emitter.compute(step)
        if following and not following.early:
            emitter.prepare(following)
    return emitter.operations


class _Emitter:
    def __init__(self, graph: Graph, plan: Plan):
        self.operations: list[Operation] = []
        self._config = graph.config
        self._tasks = graph.tasks
        self._residency = plan.residency
        self._resident = {feature_map: Rows(feature_map, base, 0, feature_map.height)
                          for feature_map, base in plan.bases.items()}
        self._loaded: dict[FeatureMap, int] = {}
        self._latest: dict[tuple[int, int], Rows] = {}
        self._sizes = [0] * len(plan.groups)
        for step in plan.steps:
            self._sizes[step.group] += 1

    def prepare(self, step: Step) -> None:
        """Load what the step reads from DRAM, or copy it from the window before."""
        for position, (first, end) in step.produced.items():
            task = self._tasks[position]
            for number, source in enumerate(task.inputs):
                if self._residency[source] == Residency.SPILLED:
                    self._fill(position, number, step.windows[position, number])
                elif self._residency[source] == Residency.RESIDENT and source.is_input:
                    self._load_resident(task.layer, source, task.needs(first, end)[1])

    def _load_resident(self, layer: int, source: FeatureMap, end: int) -> None:
        first = self._loaded.get(source, 0)
        if end > first:
            self._load(layer, self._resident[source], first, end)
            self._loaded[source] = end

    def _fill(self, position: int, number: int, window: Window) -> None:
        task = self._tasks[position]
        source = task.inputs[number]
        rows = Rows(source, window.base, window.first, window.end)
        fresh = window.fresh
        if window.reload:
            fresh = window.first
        elif fresh > window.first:
            self._copy(position, number, rows, fresh)
        if window.end > fresh:
            self._load(task.layer, rows, fresh, window.end)
        self._latest[position, number] = rows

    def _copy(self, position: int, number: int, rows: Rows, end: int) -> None:
        """The first rows of a window from the one before."""
        before = self._latest[position, number]
        self.operations.append(copy_rows(self._tasks[position].layer, before, rows, rows.first,
                                         end))

    def compute(self, step: Step) -> None:
        """What the step makes, and the stores of it."""
        targets: dict[FeatureMap, Rows] = {}
        windows: dict[tuple[int, int], Rows] = {}
        for key, window in step.windows.items():
            source = self._tasks[key[0]].inputs[key[1]]
            windows[key] = rows = Rows(source, window.base, window.first, window.end)
            if self._residency[source] == Residency.FUSED:
                if window.fresh > window.first:
                    self._copy(*key, rows, window.fresh)
                self._latest[key] = targets[source] = rows
        for position, (first, end) in step.produced.items():
            task = self._tasks[position]
            output = task.output
            if self._residency[output] == Residency.SPILLED:
                target = Rows(output, step.staging[position], first, end)
            else:
                target = targets[output] if output in targets else self._resident[output]
            sources = tuple(windows.get((position, number)) or self._resident[source]
                            for number, source in enumerate(task.inputs))
            split = self._sizes[step.group] == 1 and self._feeds_vector(output)
            self.operations += task.operations(first, end, sources, target, split)
            if self._residency[output] == Residency.SPILLED:
                self._store(task.layer, target)

    def _feeds_vector(self, output: FeatureMap) -> bool:
        """A reader, or what reads that, may begin before all channels are there."""
        producer = output.producer
        assert producer is not None
        return not self._tasks[producer].on_array or any(
            not self._tasks[reader].on_array for reader in output.consumers)

    def _load(self, layer: int, rows: Rows, first: int, end: int) -> None:
        source, config, count = rows.map, self._config, end - first
        assert source.dram is not None
        fields = {
            "region": source.dram.region,
            "offset": source.dram.offset + first * source.dram.pitch,
            "beats": count * source.dram.pitch // config.beat_bytes,
            "base": rows.address(first), "pad_value": source.zero_point,
        }
        if source.cut:
            fields |= {"packets": count, "words": source.cut.words, "window": source.cut.window,
                       "hop": source.cut.hop}
        else:
            fields |= {"packets": 1, "words": count * source.pitch, "window": config.rows,
                       "hop": config.rows}
        self.operations.append(Operation(
            Opcode.LOAD, layer, fields, writes=(rows_area(rows, first, end),),
            dram=DramRows(source, first, end)))

    def _store(self, layer: int, rows: Rows) -> None:
        output, count = rows.map, rows.end - rows.first
        assert output.dram is not None
        fields = {
            "region": output.dram.region,
            "offset": output.dram.offset + rows.first * output.dram.pitch,
            "beats": count * output.dram.pitch // self._config.beat_bytes,
            "base": rows.base, "words": count * output.pitch,
        }
        self.operations.append(Operation(
            Opcode.STORE, layer, fields, reads=(rows_area(rows, rows.first, rows.end),),
            dram=DramRows(output, rows.first, rows.end)))
