"""Windows: which input pixels an output pixel is computed from."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_sw.network import AveragePool, Conv, MaxPool

LARGEST_STEP = 63
"""Most map rows or columns that an iteration of a loop adds: fields of 6 bits, ``dy`` and ``dx`` of
:data:`vqrom_hw.isa.commands.level_layout`."""


@dataclass(frozen=True)
class Kernel:
    """The window of input pixels that one output pixel is computed from.

    Members
    -------
    rows, columns:
        Positions of the window in y and x.
    stride_rows, stride_columns:
        Input pixels from one output pixel's window to the next one's.
    top, left:
        Padding: pixels by which the first window begins above and left of the map.
    tap_rows, tap_columns:
        Input pixels between neighbouring positions of the window: its dilation.
    """

    rows: int = 1
    columns: int = 1
    stride_rows: int = 1
    stride_columns: int = 1
    top: int = 0
    left: int = 0
    tap_rows: int = 1
    tap_columns: int = 1

    @property
    def height(self) -> int:
        """Map rows from the first to the last position of the window, both included."""
        return (self.rows - 1) * self.tap_rows + 1

    @property
    def width(self) -> int:
        """Map columns from the first to the last position of the window, both included."""
        return (self.columns - 1) * self.tap_columns + 1


POINT = Kernel()
"""The window of a single pixel."""


def kernel_of(layer: Conv | MaxPool | AveragePool) -> Kernel:
    """The window of a layer; steps that are never taken are 1."""
    top, left, _, _ = layer.padding
    dilation = (1, 1) if isinstance(layer, AveragePool) else layer.dilation
    stride_rows, stride_columns = (
        1 if count == 1 else step for count, step in zip(layer.shape, layer.stride, strict=False))
    tap_rows, tap_columns = (
        1 if size == 1 else step for size, step in zip(layer.kernel, dilation, strict=True))
    return Kernel(*layer.kernel, stride_rows, stride_columns, top, left, tap_rows, tap_columns)
