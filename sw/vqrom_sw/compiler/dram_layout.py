"""How a feature map lies in DRAM: dense or word for word, and with its windows gathered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_hw.isa import Region

Shape = tuple[int, int, int]
"""Height, width and channels of a feature map."""


@dataclass(frozen=True)
class WindowAxis:
    """The windows along one axis of a map.

    Members
    -------
    count, kernel, stride, dilation:
        Windows; positions of each; pixels from window to window, and from position to position.
    before:
        Padding: pixels by which the first window begins before the map.
    """

    count: int
    kernel: int
    stride: int
    dilation: int
    before: int

    def positions(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Where each position of each window lies on an axis of ``size`` pixels.

        Returns
        -------
        tuple
            Pixels, int64 ``[count, kernel]``, and whether each is one of the map: others are
            padding, and their pixel is one that exists.
        """
        found = (np.arange(self.count)[:, None] * self.stride
                 + np.arange(self.kernel) * self.dilation - self.before)
        return found.clip(0, size - 1), (found >= 0) & (found < size)


@dataclass(frozen=True)
class Gathering:
    """How a map becomes one in which a window's pixels lie side by side as channels.

    Members
    -------
    rows, columns:
        The windows along each axis; None where the map stays as it is.
    lanes:
        Channels that a pixel takes, at least its own; those beyond hold the zero point.
    """

    rows: WindowAxis | None
    columns: WindowAxis | None
    lanes: int

    def shape(self, shape: Shape) -> Shape:
        """``(H, W, C)`` of the gathered map, from that of the map."""
        rows, columns = self._axes(shape)
        return rows.count, columns.count, rows.kernel * columns.kernel * self.lanes

    def _axes(self, shape: Shape) -> tuple[WindowAxis, WindowAxis]:
        """Both axes; one that stays as it is has windows of a pixel."""
        return (self.rows or WindowAxis(shape[0], 1, 1, 1, 0),
                self.columns or WindowAxis(shape[1], 1, 1, 1, 0))

    def gather(self, maps: np.ndarray, zero_point: int) -> np.ndarray:
        """Gather int8 maps ``[N, H, W, C]``; padding becomes the zero point."""
        count, height, width, channels = maps.shape
        rows, columns = self._axes((height, width, channels))
        (y, in_rows), (x, in_columns) = rows.positions(height), columns.positions(width)
        pixels = np.full((count, rows.count, columns.count, rows.kernel, columns.kernel,
                          self.lanes), zero_point, np.int8)
        found = maps[:, y[:, None, :, None], x[None, :, None, :]]
        inside = (in_rows[:, None, :, None] & in_columns[None, :, None, :])[..., None]
        pixels[..., :channels] = np.where(inside, found, np.int8(zero_point))
        return pixels.reshape(count, *self.shape((height, width, channels)))


@dataclass(frozen=True)
class DramLayout:
    """Where an int8 map lies in a DRAM region: map row after map row, each beginning at a beat.

    Members
    -------
    region, offset:
        The region, and the byte in it at which the first map row begins.
    shape:
        ``(H, W, C)`` of the map, gathered if it is.
    lanes:
        Bytes that a pixel takes, at least ``C``; those beyond ``C`` hold the zero point.
    left:
        Pixels of zero point that lie before the first pixel of each map row.
    columns:
        Pixels of a map row in DRAM, those of padding included.
    pitch:
        Bytes from the beginning of a map row to that of the next.
    gathering:
        How the network's map becomes the one that lies here; None if it is that.
    """

    region: Region
    offset: int
    shape: Shape
    lanes: int
    left: int
    columns: int
    pitch: int
    gathering: Gathering | None = None

    @property
    def size(self) -> int:
        """Bytes of the whole map."""
        return self.shape[0] * self.pitch

    def image(self, maps: np.ndarray, zero_point: int) -> np.ndarray:
        """Lay out int8 maps ``[N, H, W, C]`` as uint8 ``[N, size]``, as the DRAM holds them."""
        if self.gathering:
            maps = self.gathering.gather(maps, zero_point)
        count, height, width, channels = maps.shape
        pixels = np.full((count, height, self.columns, self.lanes), zero_point, np.int8)
        pixels[:, :, self.left:self.left + width, :channels] = maps
        rows = np.zeros((count, height, self.pitch), np.uint8)
        # A stride may leave a row's last pixels unread: the pitch does not count those.
        content = pixels.reshape(count, height, -1)[:, :, :self.pitch].view(np.uint8)
        rows[:, :, :content.shape[2]] = content
        return rows.reshape(count, -1)

    def maps(self, image: np.ndarray) -> np.ndarray:
        """Read maps back: the inverse of :meth:`image`, from uint8 ``[N, size or more]``.

        A gathered map comes back gathered.
        """
        height, width, channels = self.shape
        rows = np.ascontiguousarray(image[:, :self.size]).view(np.int8)
        pixels = rows.reshape(len(image), height, self.pitch)[:, :, :self.columns * self.lanes]
        pixels = pixels.reshape(len(image), height, self.columns, self.lanes)
        return pixels[:, :, self.left:self.left + width, :channels].copy()
