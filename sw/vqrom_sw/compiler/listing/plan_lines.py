"""The plan in words: which layers run together, and where each map lies while they do."""

from __future__ import annotations

from dataclasses import dataclass

from ..feature_map import FeatureMap
from ..plan import Plan, Residency, Segment, Strip, WindowKey
from ..task_graph import TaskGraph
from ..tasks import Lead


@dataclass(frozen=True)
class MapLine:
    """A feature map that a segment reads or makes.

    Members
    -------
    name:
        The layer that makes the map, or the input's name.
    residency:
        ``"resident"``, ``"within"``, ``"fused"`` or ``"spilled"``.
    rows, row_words:
        Map rows, and words of the activation buffer that one of them takes.
    words:
        Words of the whole map; of a fused or a spilled map only strips are on chip.
    base:
        Word of the activation buffer at which a resident map begins; None for other maps.
    dram:
        The DRAM region and byte at which the map lies, None for a map that is on chip only.
    columns:
        First and end of the columns, where the layer runs in column parts and this is one of the
        map; None for a map by itself. Rows and words are then the part's.
    whole:
        The map that it lies within, None for a map that has words by itself.
    """

    name: str
    residency: str
    rows: int
    row_words: int
    words: int
    base: int | None
    dram: tuple[str, int] | None
    columns: tuple[int, int] | None
    whole: str | None

    def __str__(self) -> str:
        columns = f" columns {self.columns[0]}..{self.columns[1]}" if self.columns else ""
        whole = f" {self.whole}" if self.whole else ""
        return f"{self.name}{columns} {self.residency}{whole}"


@dataclass(frozen=True)
class WindowLine:
    """The map rows of an input that are on chip for one strip.

    Members
    -------
    layer, map:
        The layer that reads them, and the map that they belong to.
    rows:
        First and end of the map rows.
    fresh:
        The first of them that the strip before did not have.
    base, words:
        Where they lie in the activation buffer, and how many words they take.
    reload:
        Whether rows of the strip before are loaded again, since their words were taken.
    """

    layer: str
    map: str
    rows: tuple[int, int]
    fresh: int
    base: int
    words: int
    reload: bool


@dataclass(frozen=True)
class StripLine:
    """One strip of a segment.

    Members
    -------
    number:
        The strip's number in the plan.
    produced:
        First and end of the output rows that each layer makes, by its name.
    windows:
        The map rows on chip of inputs that are not resident.
    staging:
        Words in which rows wait to be stored to DRAM: base and size by the layer's name.
    words:
        Words of the activation buffer in use: resident maps, windows and staging.
    early:
        Whether its loads are given out before the computations of the strip before.
    lead:
        How its first convolution begins before all rows are loaded, or None if it does not.
    """

    number: int
    produced: dict[str, tuple[int, int]]
    windows: tuple[WindowLine, ...]
    staging: dict[str, tuple[int, int]]
    words: int
    early: bool
    lead: Lead | None


@dataclass(frozen=True)
class SegmentLine:
    """Consecutive layers that run strip by strip together.

    Members
    -------
    index:
        The segment's number in the plan.
    layers:
        Names of its layers, in execution order.
    maps:
        The maps that they read and make.
    strips:
        The strips in which they run.
    """

    index: int
    layers: tuple[str, ...]
    maps: tuple[MapLine, ...]
    strips: tuple[StripLine, ...]

    @property
    def words(self) -> int:
        """Most words of the activation buffer that a strip uses."""
        return max(strip.words for strip in self.strips)

    def as_row(self) -> dict[str, str]:
        """The segment as texts by heading, for a table."""
        maps, strips = ", ".join(map(str, self.maps)), str(len(self.strips))
        lead = self.strips[0].lead
        if lead is not None:
            strips += f", lead of {lead.words} words in {len(lead.rows)} parts"
        return {"segment": str(self.index), "layers": ", ".join(self.layers),
                "strips": strips, "maps": maps, "words": str(self.words)}


def describe_plan(plan: Plan, graph: TaskGraph) -> tuple[SegmentLine, ...]:
    """The segments of a plan, with their maps and strips, by the names of layers."""
    describer = _PlanDescriber(plan, graph)
    return tuple(describer.segment(segment) for segment in plan.segments)


class _PlanDescriber:
    """Looks up names and sizes in the graph."""

    def __init__(self, plan: Plan, graph: TaskGraph):
        self._plan, self._tasks = plan, graph.tasks

    def segment(self, segment: Segment) -> SegmentLine:
        """Describe one segment: its layers, its maps, and each of its strips."""
        tasks = self._tasks[segment.first:segment.end]
        maps = dict.fromkeys(feature_map for task in tasks
                             for feature_map in (*task.inputs, task.output))
        residents = self._resident_words(segment)
        strips = tuple(self._strip(number, strip, residents)
                       for number, strip in enumerate(self._plan.strips)
                       if strip.segment == segment.index)
        return SegmentLine(segment.index, tuple(task.name for task in tasks),
                           tuple(map(self._map, maps)), strips)

    def _resident_words(self, segment: Segment) -> int:
        """Words that resident maps take while a segment runs; shared words count once."""
        return sum(size for _, size in {
            (self._plan.bases[self._plan.wholes.get(feature_map, feature_map)], life.size)
            for feature_map, life in self._plan.lives.items() if life.covers(segment.index)})

    def _map(self, feature_map: FeatureMap) -> MapLine:
        residency, dram = self._plan.residencies[feature_map], None
        if feature_map.dram or residency == Residency.SPILLED:
            layout = self._plan.dram_of(feature_map)
            dram = (layout.region.name, layout.offset)
        part = feature_map.part
        columns = (part.first, part.first + feature_map.width) if part else None
        whole = self._plan.wholes.get(feature_map)
        return MapLine(
            feature_map.name, residency.value, rows=feature_map.height,
            row_words=feature_map.pitch, words=feature_map.size,
            base=self._plan.bases.get(feature_map), dram=dram, columns=columns,
            whole=whole.name if whole else None)

    def _strip(self, number: int, strip: Strip, residents: int) -> StripLine:
        names = {position: self._tasks[position].name for position in strip.produced}
        windows = tuple(self._window(key, strip) for key in strip.windows)
        staging = {names[position]: (base, self._staged_words(strip, position))
                   for position, base in strip.staging.items()}
        words = residents + sum(window.words for window in windows) \
            + sum(size for _, size in staging.values())
        produced = {names[position]: rows for position, rows in strip.produced.items()}
        return StripLine(number, produced, windows, staging, words, strip.early, strip.lead)

    def _window(self, key: WindowKey, strip: Strip) -> WindowLine:
        task, window = self._tasks[key[0]], strip.windows[key]
        source = task.inputs[key[1]]
        return WindowLine(
            task.name, source.name, (window.first, window.end), fresh=window.fresh,
            base=window.base, words=(window.end - window.first) * source.pitch,
            reload=window.reload)

    def _staged_words(self, strip: Strip, position: int) -> int:
        first, end = strip.produced[position]
        return (end - first) * self._tasks[position].output.pitch
