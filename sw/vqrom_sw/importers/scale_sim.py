"""Topology files of SCALE-Sim, which list the layers of a network without weights.

SCALE-Sim is a simulator of systolic arrays whose CSV files many networks are published in. Each
line is a convolution, or a matrix product ``M x K`` times ``K x N``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_text

MAX_BYTES = 1 << 20
"""Greatest size of a file that is read."""

MAX_LAYERS = 4000
"""Most lines of a topology."""

MAX_SIZE = (1 << 24) - 1
"""Greatest number in a column."""

MAX_NUMBERS = 1 << 32
"""Most numbers in the input, the output or the weights of a layer."""

MAX_MACS = 1 << 42
"""Most multiply-accumulates of a layer: two days of an array of 16 x 16 at 100 MHz."""

CONV_COLUMNS = ("IFMAP height", "IFMAP width", "filter height", "filter width", "channels",
                "filters", "stride")
"""Columns of a convolution after its name."""

GEMM_COLUMNS = ("M", "N", "K")
"""Columns of a matrix product after its name."""


@dataclass(frozen=True)
class TopologyLayer:
    """A convolution without weights.

    Members
    -------
    name:
        The layer's name in the file.
    shape:
        Shape ``(H, W, C)`` of its input.
    kernel, stride:
        Size of a window, and pixels between two windows, ``(y, x)``.
    filters:
        Number of output channels.
    depthwise:
        Whether each filter has a single input channel: the first ``filters / C`` of them the first
        one, and so on.
    """

    name: str
    shape: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    filters: int
    depthwise: bool = False

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Shape ``(H, W, C)`` of the output; as in SCALE-Sim, last windows may leave the input."""
        height, width = (-(-(size - kernel) // stride) + 1 for size, kernel, stride in zip(
            self.shape, self.kernel, self.stride, strict=False))
        return height, width, self.filters

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Pixels that the last windows read beyond the input, ``(top, left, bottom, right)``."""
        bottom, right = (
            (count - 1) * stride + kernel - size for count, size, kernel, stride in zip(
                self.output_shape, self.shape, self.kernel, self.stride, strict=False))
        return 0, 0, max(0, bottom), max(0, right)

    @property
    def gathered(self) -> TopologyLayer:
        """The same matrix product, with a smaller kernel and more channels.

        Along an axis on which windows of several pixels share none, a window's pixels become the
        channels of one pixel: a kernel as large as the input gives a product of ``1 x 1 x K``.
        """
        if self.depthwise:
            return self
        shape, kernel, stride, channels = (list(self.shape), list(self.kernel),
                                           list(self.stride), self.shape[2])
        for axis, count in enumerate(self.output_shape[:2]):
            if kernel[axis] > 1 and (count == 1 or stride[axis] >= kernel[axis]):
                channels *= kernel[axis]
                shape[axis], kernel[axis], stride[axis] = count, 1, 1
        return replace(self, shape=(shape[0], shape[1], channels), kernel=(kernel[0], kernel[1]),
                       stride=(stride[0], stride[1]))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the layer."""
        height, width, filters = self.output_shape
        reduced = 1 if self.depthwise else self.shape[2]
        return height * width * filters * self.kernel[0] * self.kernel[1] * reduced


@dataclass(frozen=True)
class Topology:
    """The layers of one file.

    Members
    -------
    name:
        Name for reports.
    layers:
        The layers in order.
    """

    name: str
    layers: tuple[TopologyLayer, ...]


def gemm(name: str, m: int, n: int, k: int) -> TopologyLayer:
    """A matrix product ``M x K`` times ``K x N``: ``M`` pixels of ``K`` channels, ``N`` filters."""
    return TopologyLayer(name, (m, 1, k), (1, 1), (1, 1), n)


def read_topology(path: Path) -> Topology:
    """Read a CSV file with a header line: convolutions, or matrix products as ``Layer, M, N, K``.

    Lines may end with a comma, be blank, and have a second stride. Columns about sparsity are
    ignored. A convolution with ``DP`` in its name is depthwise, with so many filters for each
    channel, as SCALE-Sim's ``topology_utils.py`` takes it.

    Raises
    ------
    VqromError
        If the file cannot be read, or a line is not a layer.
    """
    text = read_text(path, "topology", MAX_BYTES, "utf-8-sig")
    return parse_topology(text, path.stem)


def parse_topology(text: str, name: str) -> Topology:
    """Parse the text of a topology file; see :func:`read_topology`.

    Parameters
    ----------
    text:
        Content of the file.
    name:
        Name of the topology.
    """
    lines = [(number, [cell.strip() for cell in line.split(",")])
             for number, line in enumerate(text.splitlines(), start=1) if line.strip(" ,\t")]
    if len(lines) < 2:
        raise VqromError(f"topology {name!r} must have a header line and at least one layer")
    if len(lines) > MAX_LAYERS:
        raise VqromError(f"topology {name!r} must have at most {MAX_LAYERS} layers, "
                         f"not {len(lines) - 1!r}")
    header = [cell.lower() for cell in lines[0][1][1:4]]
    columns = GEMM_COLUMNS if header == ["m", "n", "k"] else CONV_COLUMNS
    return Topology(name, tuple(_parse_layer(f"topology {name!r}, line {number}", cells, columns)
                                for number, cells in lines[1:]))


def _parse_layer(where: str, cells: list[str], columns: tuple[str, ...]) -> TopologyLayer:
    if len(cells) <= len(columns):
        raise VqromError(f"{where}: must have the columns name, {', '.join(columns)}, "
                         f"not {len(cells)!r} columns")
    values = []
    for column, cell in zip(columns, cells[1:], strict=False):
        values.append(_number(f"{where}: {column}", cell))
    if columns is GEMM_COLUMNS:
        return _bounded(where, gemm(cells[0], *values))
    height, width, kernel_y, kernel_x, channels, filters, stride = values
    second = cells[8] if len(cells) > 8 else ""
    stride_x = _number(f"{where}: second stride", second) \
        if second.isascii() and second.strip("0").isdecimal() else stride
    depthwise = "DP" in cells[0]
    if kernel_y > height or kernel_x > width:
        raise VqromError(f"{where}: the filter must be at most as large as the IFMAP "
                         f"{height} x {width}, not {kernel_y} x {kernel_x}")
    if depthwise:
        filters *= channels
    return _bounded(where, TopologyLayer(
        cells[0], (height, width, channels), (kernel_y, kernel_x), (stride, stride_x), filters,
        depthwise))


def _number(where: str, cell: str) -> int:
    """A whole number in 1..:data:`MAX_SIZE`."""
    # Python refuses to read numbers of thousands of digits.
    if not cell.isascii() or not cell.isdecimal() or len(cell.lstrip("0")) > len(str(MAX_SIZE)) \
            or not 1 <= int(cell.lstrip("0") or "0") <= MAX_SIZE:
        raise VqromError(f"{where} must be in 1..{MAX_SIZE}, not {cell[:40]!r}")
    return int(cell.lstrip("0"))


def _bounded(where: str, layer: TopologyLayer) -> TopologyLayer:
    """A layer; refused if no accelerator that can be simulated has the time or room for it."""
    reduced = 1 if layer.depthwise else layer.shape[2]
    for what, count, most in (
            ("multiply-accumulates", layer.macs, MAX_MACS),
            ("inputs", math.prod(layer.shape), MAX_NUMBERS),
            ("outputs", math.prod(layer.output_shape), MAX_NUMBERS),
            ("weights", math.prod(layer.kernel) * reduced * layer.filters, MAX_NUMBERS)):
        if count > most:
            raise VqromError(f"{where}: {what} must be at most {most}, not {count}")
    return layer
