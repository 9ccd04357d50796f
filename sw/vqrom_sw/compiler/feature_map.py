"""Feature maps: rows of pixels of whole words, in DRAM and in the activation buffer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Region

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class DramMap:
    """How an int8 map lies in a DRAM region: row by row, each from a beat on.

    Members
    -------
    region, offset:
        Where its first row begins.
    shape:
        ``(H, W, C)``.
    lanes:
        Bytes of a pixel, at least ``C``; those beyond hold the zero point.
    left, columns:
        Pixels of zero point before a row's first one; pixels of a row, padding included.
    pitch:
        Bytes from a row to the next.
    """

    region: Region
    offset: int
    shape: Shape
    lanes: int
    left: int
    columns: int
    pitch: int

    @property
    def size(self) -> int:
        """Bytes of the whole map."""
        return self.shape[0] * self.pitch

    def image(self, maps: np.ndarray, zero_point: int) -> np.ndarray:
        """Lay out int8 ``[N, H, W, C]`` as uint8 ``[N, size]``."""
        count, height, width, channels = maps.shape
        pixels = np.full((count, height, self.columns, self.lanes), zero_point, np.int8)
        pixels[:, :, self.left:self.left + width, :channels] = maps
        rows = np.zeros((count, height, self.pitch), np.uint8)
        # A stride may leave a row's last pixels unread: the pitch does not count those.
        content = pixels.reshape(count, height, -1)[:, :, :self.pitch].view(np.uint8)
        rows[:, :, :content.shape[2]] = content
        return rows.reshape(count, -1)

    def maps(self, image: np.ndarray) -> np.ndarray:
        """Inverse: uint8 ``[N, size or more]`` to int8 ``[N, H, W, C]``."""
        height, width, channels = self.shape
        rows = np.ascontiguousarray(image[:, :self.size]).view(np.int8)
        pixels = rows.reshape(len(image), height, self.pitch)[:, :, :self.columns * self.lanes]
        pixels = pixels.reshape(len(image), height, self.columns, self.lanes)
        return pixels[:, :, self.left:self.left + width, :channels].copy()


@dataclass(frozen=True)
class Cut:
    """How a LOAD makes words of a row in DRAM: see :data:`vqrom_hw.isa.transfer_layout`."""

    words: int
    window: int
    hop: int


@dataclass(eq=False)
class FeatureMap:
    """A map of the program, as the activation buffer holds it.

    Members
    -------
    name:
        For messages.
    height, width, words:
        Rows, pixels of a row, words of a pixel.
    pitch:
        Words from a row to the next.
    zero_point:
        What lanes beyond the channels hold.
    dram:
        Where it lies in DRAM: program inputs and outputs, and maps that do not stay on chip.
    cut:
        How a LOAD makes words of a row, where DRAM does not hold it as the buffer does.
    producer, consumers:
        Positions of tasks; an input has no producer.
    """

    name: str
    height: int
    width: int
    words: int
    pitch: int
    zero_point: int
    dram: DramMap | None = None
    cut: Cut | None = None
    producer: int | None = None
    consumers: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Words of the whole map."""
        return self.height * self.pitch

    @property
    def is_input(self) -> bool:
        """It is in DRAM before the program starts."""
        return self.dram is not None and self.dram.region == Region.INPUT

    @property
    def is_output(self) -> bool:
        """It must be in DRAM when the program ends."""
        return self.dram is not None and self.dram.region == Region.OUTPUT


@dataclass(frozen=True)
class Rows:
    """Rows ``first`` to ``end`` of a map in the activation buffer, from word ``base`` on."""

    map: FeatureMap
    base: int
    first: int
    end: int

    def address(self, y: int, x: int = 0) -> int:
        """Word at which a pixel begins; it may lie outside."""
        return self.base + (y - self.first) * self.map.pitch + x * self.map.words


def round_up(value: int, unit: int) -> int:
    """To a multiple of ``unit``."""
    return -(-value // unit) * unit


def plain_map(name: str, shape: Shape, zero_point: int, config: AcceleratorConfig) -> FeatureMap:
    """A map of whole words."""
    words = -(-shape[2] // config.rows)
    pitch = round_up(shape[1] * words, config.row_unit)
    return FeatureMap(name, shape[0], shape[1], words, pitch, zero_point)


def word_dram(feature_map: FeatureMap, shape: Shape, region: Region, offset: int,
              config: AcceleratorConfig) -> DramMap:
    """The map in DRAM exactly as in the activation buffer."""
    lanes = feature_map.words * config.rows
    return DramMap(region, offset, shape, lanes, 0, shape[1], feature_map.pitch * config.rows)


def dense_input(name: str, shape: Shape, zero_point: int, offset: int,
                config: AcceleratorConfig) -> FeatureMap:
    """A program input without bytes that fill up words, where a pixel is one word."""
    feature_map = plain_map(name, shape, zero_point, config)
    _, width, channels = shape
    if feature_map.words > 1 or channels == config.rows:
        feature_map.dram = word_dram(feature_map, shape, Region.INPUT, offset, config)
        return feature_map
    feature_map.pitch = width
    feature_map.cut = Cut(width, channels, channels)
    feature_map.dram = DramMap(Region.INPUT, offset, shape, channels, 0, width,
                               round_up(width * channels, config.beat_bytes))
    return feature_map
