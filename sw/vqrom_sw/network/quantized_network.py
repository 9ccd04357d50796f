"""The quantised network: what a ``.vqnet`` file holds, the reference runs and the compiler maps."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization

from .quantized_layers import Conv, Layer
from .shapes import INPUT

NO_CODEBOOK = "0" * 64
"""Stands for a codebook's SHA-256 in a network that was never put on a codebook."""


@dataclass(frozen=True)
class QuantizedNetwork:
    """An int8 network on a universal codebook, or one whose layers are all raw.

    Members
    -------
    name:
        Name for reports and files.
    input_shape:
        Shape ``(H, W, C)`` of the input feature map.
    input_quantization:
        Scale and zero point of the input.
    layers:
        The layers in execution order; the last one makes the network's output.
    output_shape:
        Shape of one output as the float network gives it, e.g. ``(10,)`` or ``(C, H, W)``.
    codebook_sha256:
        SHA-256 of the codebook that the indices point into; :data:`NO_CODEBOOK` if there never
        was one.
    """

    name: str
    input_shape: tuple[int, int, int]
    input_quantization: Quantization
    layers: tuple[Layer, ...]
    output_shape: tuple[int, ...]
    codebook_sha256: str

    @property
    def indexed(self) -> bool:
        """Whether at least one layer has indices into a codebook."""
        return any(isinstance(layer, Conv) and layer.indices is not None for layer in self.layers)

    def check_codebook(self, sha256: str) -> None:
        """Refuse another codebook than the network's own; a network without indices runs on any.

        Parameters
        ----------
        sha256:
            SHA-256 of the codebook at hand, in hexadecimal digits.

        Raises
        ------
        VqromError
            If the network has indices, and they point into another codebook.
        """
        if self.indexed and sha256 != self.codebook_sha256:
            raise VqromError(f"network {self.name!r} must run on its own codebook "
                             f"{self.codebook_sha256[:12]!r}, not {sha256[:12]!r}")

    def shape_of(self, name: str) -> tuple[int, int, int]:
        """Shape ``(H, W, C)`` of the output of the layer of that name, or of the input."""
        return self.input_shape if name == INPUT else self.layer(name).shape

    def quantization_of(self, name: str) -> Quantization:
        """Quantisation of the output of the layer of that name, or of the input."""
        return self.input_quantization if name == INPUT else self.layer(name).quantization

    def layer(self, name: str) -> Layer:
        """Find the layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    def weights_of(self, layer: Layer) -> int:
        """Number of weights of a layer, without those that fill up its last sub-vectors."""
        if not isinstance(layer, Conv):
            return 0
        channels = self.shape_of(layer.inputs[0])[2] // layer.groups
        return layer.shape[2] * layer.kernel[0] * layer.kernel[1] * channels

    def macs_of(self, layer: Layer) -> int:
        """Multiply-accumulates of a layer for one image, those with padding included."""
        return layer.shape[0] * layer.shape[1] * self.weights_of(layer)
