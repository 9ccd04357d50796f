"""The form of a convolution whose input the host lays out: gathered, folded, indexed or raw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import Conv

from ..dram_layout import Gathering, Shape
from ..feature_map import FeatureMap, dense_input
from ..tasks import Kernel, decode_weights, kernel_of
from .folding import Folding, choose_folding, lanes_of
from .gathering import gather, gatherable


@dataclass(frozen=True)
class InputForm:
    """A convolution in the form in which the array carries it out, and the form of its input.

    Members
    -------
    layer:
        The convolution, equal to that of the network.
    shape:
        ``(H, W, C)`` of its input.
    gathering:
        How the network's input becomes this one; None if it is that.
    folding:
        How kernel columns lie in the lanes of the input's words.
    indexed:
        Whether the layer runs on indices.
    """

    layer: Conv
    shape: Shape
    gathering: Gathering | None
    folding: Folding
    indexed: bool

    def source(self, zero_point: int, offset: int, config: AcceleratorConfig) -> FeatureMap:
        """The input, at byte ``offset`` of the INPUT region."""
        folding, name = self.folding, f"input of {self.layer.name}"
        if folding.columns == 1:
            source = dense_input(name, self.shape, zero_point, offset, config)
        else:
            source = FeatureMap(
                name, height=self.shape[0], width=folding.words, words=1, pitch=folding.words,
                zero_point=zero_point, cut=folding.cut,
                dram=folding.input_layout(self.layer, self.shape, offset, config))
        if self.gathering and source.dram:
            source.dram = replace(source.dram, gathering=self.gathering)
        return source

    @property
    def kernel(self) -> Kernel:
        """The kernel as it walks over the input's words; what is folded is padded in the image."""
        kernel, folding = kernel_of(self.layer), self.folding
        if folding.columns == 1:
            return kernel
        return replace(kernel, columns=folding.chunks,
                       stride_columns=kernel.stride_columns // folding.hop, left=0,
                       tap_columns=max(1, folding.columns // folding.hop))

    def cost(self, config: AcceleratorConfig) -> int:
        """Estimated cycles of the array, and one for each bus beat of weights and input."""
        height, width, channels = self.layer.shape
        blocks = -(-height * width // config.accumulator_depth)
        tiles = self.layer.kernel[0] * self.folding.chunks * -(-channels // config.columns)
        bits = config.index_width if self.indexed else 8 * config.subvector
        beats = -(-tiles * config.processing_elements * bits // (8 * config.beat_bytes))
        source = self.source(0, 0, config).dram
        assert source is not None
        return (tiles * max(height * width, blocks * config.fill_steps) + blocks * beats
                + source.size // config.beat_bytes)


def choose_form(layer: Conv, shape: Shape, indexed: bool, codewords: np.ndarray,
                config: AcceleratorConfig) -> InputForm:
    """The form with the fewest cycles of a convolution that alone reads a program's input.

    Raw weights need as many lanes as there are channels, and may fill up a word with zeros, where
    indices need whole sub-vectors: where that saves more than the bytes of the weights cost, the
    codewords of an indexed layer are looked up when it is compiled.

    Parameters
    ----------
    layer:
        The convolution; its weights may be absent.
    shape:
        ``(H, W, C)`` of its input.
    indexed:
        Whether it has indices, not raw weights.
    codewords:
        The codebook, int8 ``[k, d]``.
    config:
        Parameters of the accelerator that the program is for.
    """
    blank = replace(layer, indices=None, raw=None)
    looks_up = indexed and layer.groups == 1
    choices = [(choice, axes) for choice in ((True, False) if looks_up else (indexed,))
               for axes in sorted(_axes(layer), reverse=True)]
    choice, axes = min(
        choices, key=lambda choice: _form(blank, shape, *choice, config).cost(config))
    given = _raw(layer, shape[2], codewords) if indexed and not choice else layer
    return _form(given, shape, choice, axes, config)


def _axes(layer: Conv) -> set[tuple[bool, bool]]:
    """The choices of axes along which to gather."""
    y, x = gatherable(layer)
    return {(False, False), (y, False), (False, x), (y, x)}


def _form(layer: Conv, shape: Shape, indexed: bool, axes: tuple[bool, bool],
          config: AcceleratorConfig) -> InputForm:
    gathered = gather(layer, shape, lanes_of(shape, indexed, config), axes)
    folding = choose_folding(gathered.layer, gathered.shape, indexed, config)
    return InputForm(gathered.layer, gathered.shape, gathered.gathering, folding, indexed)


def _raw(layer: Conv, channels: int, codewords: np.ndarray) -> Conv:
    """The layer with raw weights in place of indices, if it has any weights."""
    if layer.indices is None:
        return layer
    weights = np.ascontiguousarray(decode_weights(layer, codewords)[..., :channels])
    return replace(layer, indices=None, raw=weights)
