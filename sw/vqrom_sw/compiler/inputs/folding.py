"""Folding: kernel columns side by side in the lanes of a word, for inputs of few channels.

An image has 3 channels, and the array 16 or 32 lanes: most of them would multiply zeros. A LOAD
can cut overlapping windows out of the dense image, so that one word holds the pixels of several
kernel columns, and a kernel row takes fewer passes of the array. The weights stay what they are, in
another order.

Raw weights fill up a kernel's last word with zeros; indices cannot, since no index stands for
weights of zero. Raw weights also need only as many lanes as there are channels, where indices need
whole sub-vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Region
from vqrom_sw.network import Conv

from ..feature_map import DramLayout, Shape, WordCut, round_up


@dataclass(frozen=True)
class Folding:
    """How a convolution's input is folded.

    Members
    -------
    columns:
        Kernel columns in one word; 1 if the input is not folded.
    lanes:
        Lanes that a pixel takes.
    chunks:
        Words that a kernel row takes.
    hop:
        Pixels of the image from the beginning of one word to that of the next.
    words:
        Words of one map row.
    """

    columns: int
    lanes: int
    chunks: int
    hop: int
    words: int

    @property
    def cut(self) -> WordCut:
        """How a LOAD makes the words of a map row."""
        return WordCut(self.words, self.columns * self.lanes, self.hop * self.lanes)

    def input_layout(self, layer: Conv, shape: Shape, offset: int,
                     config: AcceleratorConfig) -> DramLayout:
        """The input in DRAM: dense pixels, padding at the left and the right included."""
        used, left = (self.words - 1) * self.hop + self.columns, layer.padding[1]
        return DramLayout(Region.INPUT, offset, shape, lanes=self.lanes, left=left,
                          columns=max(used, left + shape[1]),
                          pitch=round_up(used * self.lanes, config.beat_bytes))


def choose_folding(layer: Conv, shape: Shape, indexed: bool,
                   config: AcceleratorConfig) -> Folding:
    """The folding of a convolution's input ``shape`` with the fewest words of a kernel row."""
    kernel, stride = layer.kernel[1], layer.stride[1]
    lanes = lanes_of(shape, indexed, config)
    columns = _columns(layer, lanes, indexed, config)
    if columns == 1:
        words = -(-shape[2] // config.rows)
        return Folding(1, lanes, kernel * words, 1, shape[1] * words)
    chunks = -(-kernel // columns)
    # Words begin at every ``hop`` columns of the image: at windows and at their chunks.
    hop = stride if chunks == 1 else math.gcd(stride, columns)
    hop = max((step for step in range(1, hop + 1)
               if hop % step == 0 and step * lanes <= config.rows), default=1)
    words = ((layer.shape[1] - 1) * stride + (chunks - 1) * columns) // hop + 1
    return Folding(columns=columns, lanes=lanes, chunks=chunks, hop=hop, words=words)


def lanes_of(shape: Shape, indexed: bool, config: AcceleratorConfig) -> int:
    """Lanes that a pixel takes: whole sub-vectors where weights are indices."""
    return round_up(shape[2], config.subvector) if indexed else shape[2]


def _columns(layer: Conv, lanes: int, indexed: bool, config: AcceleratorConfig) -> int:
    """Kernel columns for one word: the fewest words first, then the fewest columns."""
    kernel = layer.kernel[1]
    # Lanes beyond the kernel would hold pixels, and no index stands for weights of zero.
    choices = [columns for columns in range(2, min(kernel, config.rows // lanes) + 1)
               if not indexed or kernel % columns == 0]
    if layer.groups != 1 or layer.dilation[1] != 1 or not choices:
        return 1
    return min(choices, key=lambda columns: (-(-kernel // columns), columns))
