"""Emission: a plan as operations, in an order in which one after the other would be right.

For each strip: LOADs and copies of the map rows that it reads, then the tasks' operations, then
STOREs of what goes to DRAM. Loads of the next strip come before the computations of this one where
the plan has found room for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from vqrom_hw.isa import Opcode

from .feature_map import BufferRows, FeatureMap
from .operations import DramRows, Operation, rows_area
from .plan import Plan, Residency, RowWindow, Strip, WindowKey
from .task_graph import TaskGraph
from .tasks import ConvTask, copy_rows


def emit(graph: TaskGraph, plan: Plan) -> list[Operation]:
    """Make the operations of all strips of a plan, in the plan's order, each with the words of the
    buffer that it reads and writes."""
    emitter = _Emitter(graph, plan)
    strips = plan.strips
    emitter.prepare(strips[0])
    for strip, following in zip(strips, [*strips[1:], None], strict=True):
        if following and following.early:
            emitter.prepare(following)
        emitter.compute(strip)
        if following and not following.early:
            emitter.prepare(following)
    return emitter.operations


class _Emitter:
    """Goes through the strips and remembers what already lies in the activation buffer."""

    def __init__(self, graph: TaskGraph, plan: Plan):
        self.operations: list[Operation] = []
        self._config = graph.config
        self._tasks = graph.tasks
        self._plan = plan
        self._residencies = plan.residencies
        self._resident = {
            feature_map: BufferRows(feature_map, base, 0, feature_map.height,
                                    plan.wholes.get(feature_map))
            for feature_map, base in plan.bases.items()}
        self._loaded: dict[FeatureMap, int] = {}
        self._latest: dict[WindowKey, BufferRows] = {}
        self._strips_of = Counter(strip.segment for strip in plan.strips)

    def prepare(self, strip: Strip) -> None:
        """Load what a strip reads from DRAM, or copy it from the strip before."""
        for position, (first, end) in strip.produced.items():
            task = self._tasks[position]
            parts = [task.needs(*rows)[1] for rows in strip.lead.rows] \
                if strip.lead and position == 0 else []
            for number, source in enumerate(task.inputs):
                if self._residencies[source] == Residency.SPILLED:
                    self._fill((position, number), strip.windows[position, number], parts)
                elif self._residencies[source] == Residency.RESIDENT and source.is_input:
                    self._load_resident(task.layer, source,
                                        task.needs(first, end, number)[1], parts)

    def _load_resident(self, layer: int, source: FeatureMap, end: int, parts: list[int]) -> None:
        """Load a resident input up to map row ``end``, unless it is there already."""
        first = self._loaded.get(source, 0)
        if end > first:
            self._load(layer, self._resident[source], first, end, parts)
            self._loaded[source] = end

    def _fill(self, key: WindowKey, window: RowWindow, parts: list[int]) -> None:
        """Fill the window of a spilled map: copy the rows that are on chip, load the others."""
        task = self._tasks[key[0]]
        rows = BufferRows(task.inputs[key[1]], window.base, window.first, window.end)
        fresh = window.fresh
        if window.reload:
            fresh = window.first
        elif fresh > window.first:
            self._copy(key, rows, fresh)
        if window.end > fresh:
            self._load(task.layer, rows, fresh, window.end, parts)
        self._latest[key] = rows

    def _copy(self, key: WindowKey, rows: BufferRows, end: int) -> None:
        """Copy a window's first rows, up to map row ``end``, from the window before."""
        layer = self._tasks[key[0]].layer
        self.operations.append(copy_rows(layer, self._latest[key], rows, rows.first, end))

    def compute(self, strip: Strip) -> None:
        """Make what a strip makes, and store what of it goes to DRAM."""
        windows, targets = self._windows(strip)
        for position, (first, end) in strip.produced.items():
            task = self._tasks[position]
            output = task.output
            is_spilled = self._residencies[output] == Residency.SPILLED
            if is_spilled:
                target = BufferRows(output, strip.staging[position], first, end)
            else:
                target = targets[output] if output in targets else self._resident[output]
            sources = tuple(windows.get((position, number)) or self._resident[source]
                            for number, source in enumerate(task.inputs))
            split = self._strips_of[strip.segment] == 1 and self._feeds_vector_unit(output)
            if strip.lead and position == 0:
                assert isinstance(task, ConvTask)
                self.operations += task.led_operations(strip.lead.words, strip.lead.rows, sources,
                                                       target, split)
            else:
                self.operations += task.operations(first, end, sources, target, split)
            if is_spilled or output.is_output:
                made = BufferRows(output, target.address(first), first, end)
                self._store(task.layer, made)

    def _windows(self, strip: Strip) -> tuple[dict[WindowKey, BufferRows],
                                              dict[FeatureMap, BufferRows]]:
        """Windows as rows in the buffer; of fused maps also where their producer writes."""
        windows: dict[WindowKey, BufferRows] = {}
        targets: dict[FeatureMap, BufferRows] = {}
        for key, window in strip.windows.items():
            source = self._tasks[key[0]].inputs[key[1]]
            windows[key] = rows = BufferRows(source, window.base, window.first, window.end)
            if self._residencies[source] == Residency.FUSED:
                if window.fresh > window.first:
                    self._copy(key, rows, window.fresh)
                self._latest[key] = targets[source] = rows
        return windows, targets

    def _feeds_vector_unit(self, output: FeatureMap) -> bool:
        """Whether a reader, or what reads that, may begin before all channels are there."""
        producer = output.producer
        assert producer is not None
        return not self._tasks[producer].on_array or any(
            not self._tasks[reader].on_array for reader in output.consumers)

    def _load(self, layer: int, rows: BufferRows, first: int, end: int,
              parts: list[int]) -> None:
        """LOAD map rows ``first`` to ``end`` to their place; ``parts`` are rows to cut at."""
        edges = [first, *sorted({row for row in parts if first < row < end}), end]
        for low, high in pairwise(edges):
            self._load_part(layer, rows, low, high)

    def _load_part(self, layer: int, rows: BufferRows, first: int, end: int) -> None:
        """LOAD map rows in one go, if they lie so in DRAM."""
        source, config = rows.map, self._config
        for y0, y1, in_dram in self._transfers(source, first, end):
            if source.cut:
                packets, words = y1 - y0, source.cut.words
                window, hop = source.cut.window, source.cut.hop
            else:
                packets, words = 1, (y1 - y0) * source.pitch
                window = hop = config.rows
            fields = {**in_dram, "base": rows.address(y0), "words": words, "packets": packets,
                      "window": window, "hop": hop, "pad_value": source.zero_point}
            self.operations.append(Operation(
                Opcode.LOAD, layer, fields, writes=(rows_area(rows, y0, y1),),
                dram=DramRows(source.in_dram, y0, y1)))

    def _store(self, layer: int, rows: BufferRows) -> None:
        """STORE map rows that lie in the buffer."""
        output = rows.map
        for y0, y1, in_dram in self._transfers(output, rows.first, rows.end):
            fields = {**in_dram, "base": rows.address(y0), "words": (y1 - y0) * output.pitch}
            self.operations.append(Operation(
                Opcode.STORE, layer, fields, reads=(rows_area(rows, y0, y1),),
                dram=DramRows(output.in_dram, y0, y1)))

    def _transfers(self, feature_map: FeatureMap, first: int,
                   end: int) -> Iterator[tuple[int, int, dict[str, int]]]:
        """Map rows that transfers move, and the columns that say where in DRAM those lie.

        All in one; but in DRAM there are gaps between the rows of a column part, so that each
        takes a transfer of its own.
        """
        dram, part = self._plan.dram_of(feature_map), feature_map.part
        beats = part.beats if part else dram.pitch // self._config.beat_bytes
        rows = [(y, y + 1) for y in range(first, end)] if part else [(first, end)]
        for y0, y1 in rows:
            yield y0, y1, {"region": dram.region, "offset": dram.offset + y0 * dram.pitch,
                           "beats": (y1 - y0) * beats}
