"""Column parts: some columns of a map as a map of its own, what a part needs, and what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from vqrom_hw.config import AcceleratorConfig

from ..feature_map import ColumnPart, FeatureMap, WordCut, round_up
from ..tasks import ConvTask, Task


def column_unit(feature_map: FeatureMap, config: AcceleratorConfig) -> int:
    """Columns that are a whole number of bus beats in DRAM, and the fewest."""
    return config.beat_bytes // math.gcd(config.beat_bytes, _column_bytes(feature_map, config))


def _column_bytes(feature_map: FeatureMap, config: AcceleratorConfig) -> int:
    """Bytes in DRAM from one pixel of the activation buffer to the next."""
    return feature_map.cut.hop if feature_map.cut else feature_map.words * config.rows


def _row_words(feature_map: FeatureMap, columns: int, config: AcceleratorConfig) -> int:
    """Words that a map row of so many columns takes on chip."""
    return columns if feature_map.cut \
        else round_up(columns * feature_map.words, config.row_unit)


def column_part(whole: FeatureMap, first: int, end: int, config: AcceleratorConfig) -> FeatureMap:
    """Columns ``first``, which begins at a bus beat, to ``end`` of a map, as a map of its own."""
    width, cut = end - first, whole.cut
    pitch = _row_words(whole, width, config)
    size = pitch * config.rows
    if cut:
        cut, size = WordCut(width, cut.window, cut.hop), (width - 1) * cut.hop + cut.window
    part = ColumnPart(whole, first, first * _column_bytes(whole, config),
                      beats=-(-size // config.beat_bytes))
    return replace(whole, width=width, pitch=pitch, dram=None, cut=cut, consumers=[], part=part)


def input_columns(task: Task, first: int, end: int) -> tuple[int, int]:
    """First and end of the input columns for columns ``first`` to ``end`` of a task's output.

    The first begins at a bus beat in all inputs, so that it may lie left of the windows. There is
    at least one, also where windows see nothing but padding.
    """
    kernel, width = task.kernel, task.inputs[0].width
    start = first * kernel.stride_columns - kernel.left
    stop = (end - 1) * kernel.stride_columns - kernel.left + task.kernel.width
    begin = min(max(start, 0), width - 1) // input_unit(task) * input_unit(task)
    return begin, max(min(stop, width), begin + 1)


def input_unit(task: Task) -> int:
    """Columns that parts of the inputs begin at multiples of."""
    return math.lcm(*(column_unit(source, task.config) for source in task.walked))


@dataclass(frozen=True)
class PartSize:
    """How large parts of ``width`` output columns are, and what they cost.

    Members
    -------
    task:
        The task to be cut.
    width:
        Columns of the output that a part makes.
    """

    task: Task
    width: int

    def words(self, rows: int) -> int:
        """Words of the activation buffer for all that so many output rows need, and for those."""
        return self._whole_words + self._input_rows(rows) * self._input_pitch \
            + rows * self._output_pitch

    def cost(self) -> float:
        """Estimated cycles of all parts in strips of the best height.

        With strips that take half of the buffer, transfers go on while the array works.
        """
        room = self.task.config.activation_words
        parts = -(-self.task.output.width // self.width)
        return parts * min(self._cycles(self._most_rows(room), overlapped=False),
                           self._cycles(self._most_rows(room // 2), overlapped=True))

    def _cycles(self, rows: int, *, overlapped: bool) -> float:
        """Estimated cycles of one part in strips of so many rows; infinite if there are none."""
        if not rows:
            return math.inf
        array, transfers = self._array_cycles(rows), self._transfer_cycles(rows)
        strip = max(array, transfers) if overlapped else array + transfers
        return strip * self.task.output.height / rows

    def _array_cycles(self, rows: int) -> int:
        """Cycles of the array in one strip: words, fills, or weights on the bus."""
        task, depth = self.task, self.task.config.accumulator_depth
        if not isinstance(task, ConvTask):
            return 0
        blocks = -(-rows // max(1, depth // self.width)) * -(-self.width // depth)
        pixels = -(-rows * self.width // blocks)
        return blocks * max(task.tiles * max(pixels, task.config.fill_steps),
                            task.constant_beats)

    def _transfer_cycles(self, rows: int) -> int:
        """Cycles of loads and stores in one strip; rows of the strip before are copied."""
        config, fresh = self.task.config, rows * self.task.kernel.stride_rows
        words = fresh * self._input_pitch + rows * self._output_pitch
        return words * config.rows // config.beat_bytes + (fresh + rows) * config.dram_latency

    def _most_rows(self, room: int) -> int:
        """The most output rows that fit so many words; 0 if not even one does."""
        low, high = 0, self.task.output.height
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.words(middle) <= room else (low, middle - 1)
        return low

    @cached_property
    def _input_pitch(self) -> int:
        """Words of one map row of a part, of all walked inputs together."""
        task = self.task
        columns = min((self.width - 1) * task.kernel.stride_columns + task.kernel.width
                      + input_unit(task) - 1, task.inputs[0].width)
        return sum(_row_words(source, columns, task.config) for source in task.walked)

    @cached_property
    def _whole_words(self) -> int:
        """Words of the inputs of which each part needs all."""
        return sum(source.size for source in self.task.inputs if source not in self.task.walked)

    @cached_property
    def _output_pitch(self) -> int:
        return _row_words(self.task.output, self.width, self.task.config)

    def _input_rows(self, rows: int) -> int:
        """The most input rows that so many output rows see: those in the map's middle."""
        middle = (self.task.output.height - rows) // 2
        return max(end - first for first, end in (self.task.needs(y, y + rows)
                                                  for y in (0, middle, 2 * middle)))
