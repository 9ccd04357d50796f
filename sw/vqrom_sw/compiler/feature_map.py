"""Feature maps: how the compiler sees a tensor, on chip and in DRAM.

A feature map ``[H, W, C]`` is ``H`` map rows of ``W`` pixels. On chip a pixel takes whole words of
the activation buffer (``config.rows`` int8 lanes each), and a map row takes a whole number of bus
beats, so that any run of map rows is one range of words on chip and one range of beats in DRAM.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Region

from .dram_layout import DramLayout, Shape

ALIGNMENT = 128
"""Every block in DRAM starts at a multiple of this many bytes: a beat of the widest bus."""


def round_up(value: int, unit: int) -> int:
    """The smallest multiple of ``unit`` that is not below ``value``."""
    return -(-value // unit) * unit


def align(size: int, unit: int = ALIGNMENT) -> int:
    """The bytes that a block of ``size`` bytes takes in DRAM: a multiple of ``unit``."""
    return round_up(size, unit)


@dataclass(frozen=True)
class WordCut:
    """How a LOAD cuts the words of a map row out of its bytes in DRAM.

    The words of a narrow input are not in DRAM as such: a LOAD takes ``window`` bytes for each,
    fills up the other lanes with the zero point, and begins the next word ``hop`` bytes later
    (see :data:`vqrom_hw.isa.transfer_layout`).

    Members
    -------
    words:
        Words that one map row becomes.
    window:
        Bytes that go into one word.
    hop:
        Bytes from the beginning of one word's window to that of the next; less than ``window``
        where pixels are repeated.
    """

    words: int
    window: int
    hop: int


@dataclass(frozen=True)
class ColumnPart:
    """Which columns of a map in DRAM another map is: a layer reads or makes them by themselves.

    Members
    -------
    whole:
        The map that lies in DRAM.
    first:
        The first of its columns, in pixels of the activation buffer.
    offset:
        Bytes from the beginning of a map row in DRAM to that column: whole bus beats.
    beats:
        Bus beats of one map row of the part.
    """

    whole: FeatureMap
    first: int
    offset: int
    beats: int


@dataclass(eq=False)
class FeatureMap:
    """One tensor of the program, with the shape that it has in the activation buffer.

    Members
    -------
    name:
        The layer that makes it, or the input's name; used in messages and listings.
    height:
        Map rows.
    width:
        Pixels of a map row.
    words:
        Words of a pixel.
    pitch:
        Words from the beginning of a map row to that of the next.
    zero_point:
        The value that stands for zero; lanes beyond the channels hold it.
    dram:
        Where a program input or output lies in DRAM; None for all other maps.
    cut:
        How a LOAD makes the words, where DRAM does not hold the map as the buffer does.
    producer:
        Position of the task that makes the map, None for a program input.
    consumers:
        Positions of the tasks that read it, in execution order.
    part:
        The columns of another map that this one is, None for a map by itself.
    """

    name: str
    height: int
    width: int
    words: int
    pitch: int
    zero_point: int
    dram: DramLayout | None = None
    cut: WordCut | None = None
    producer: int | None = None
    consumers: list[int] = field(default_factory=list)
    part: ColumnPart | None = None

    @property
    def in_dram(self) -> FeatureMap:
        """The map that DRAM holds: this one, or the one that it is a part of."""
        return self.part.whole if self.part else self

    @property
    def size(self) -> int:
        """Words of the whole map."""
        return self.height * self.pitch

    @property
    def is_input(self) -> bool:
        """Whether the map is in DRAM before the program starts."""
        return self.dram is not None and self.dram.region == Region.INPUT

    @property
    def is_output(self) -> bool:
        """Whether the map must be in DRAM when the program ends."""
        return self.dram is not None and self.dram.region == Region.OUTPUT


@dataclass(frozen=True)
class BufferRows:
    """Map rows ``first`` to ``end`` of a map that lie in the activation buffer.

    Members
    -------
    map:
        The feature map.
    base:
        Word of the buffer at which map row ``first`` begins.
    first, end:
        The map rows, ``end`` not included.
    whole:
        The map that this one lies within, some words of each of its pixels; None for a map that has
        words by itself.
    """

    map: FeatureMap
    base: int
    first: int
    end: int
    whole: FeatureMap | None = None

    @property
    def step(self) -> int:
        """Words from one pixel to the next."""
        return (self.whole or self.map).words

    @property
    def pitch(self) -> int:
        """Words from one map row to the next."""
        return (self.whole or self.map).pitch

    def address(self, y: int, x: int = 0) -> int:
        """Word at which a pixel begins; for a pixel outside the map a word that is not read."""
        return self.base + (y - self.first) * self.pitch + x * self.step


def plain_map(name: str, shape: Shape, zero_point: int, config: AcceleratorConfig) -> FeatureMap:
    """A map whose pixels each fill ``ceil(C / config.rows)`` words: all but some inputs."""
    words = -(-shape[2] // config.rows)
    pitch = round_up(shape[1] * words, config.row_unit)
    return FeatureMap(name, shape[0], shape[1], words, pitch, zero_point)


def word_layout(feature_map: FeatureMap, shape: Shape, region: Region, offset: int,
                config: AcceleratorConfig) -> DramLayout:
    """The layout that holds a map in DRAM word for word as the activation buffer does."""
    return DramLayout(region, offset, shape, lanes=feature_map.words * config.rows, left=0,
                      columns=shape[1], pitch=feature_map.pitch * config.rows)


def dense_input(name: str, shape: Shape, zero_point: int, offset: int,
                config: AcceleratorConfig) -> FeatureMap:
    """A program input at byte ``offset`` of the INPUT region, with little between its pixels.

    Where a pixel has fewer channels than a word has lanes, pixels lie side by side in DRAM, and a
    LOAD spreads them over words; other inputs lie there as they do on chip.
    """
    feature_map = plain_map(name, shape, zero_point, config)
    _, width, channels = shape
    if feature_map.words > 1 or channels == config.rows:
        feature_map.dram = word_layout(feature_map, shape, Region.INPUT, offset, config)
        return feature_map
    feature_map.pitch = width
    feature_map.cut = WordCut(width, channels, channels)
    feature_map.dram = DramLayout(
        Region.INPUT, offset, shape, lanes=channels, left=0, columns=width,
        pitch=round_up(width * channels, config.beat_bytes))
    return feature_map
