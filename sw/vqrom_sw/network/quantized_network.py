"""The quantised network: what a ``.vqnet`` file holds, the reference runs and the compiler maps."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization

from .host_steps import count_products
from .quantized_layers import Conv, Host, Layer
from .recurrent_layers import Lstm
from .shapes import INPUT, Native, Output, Shape, image_native

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
        The layers in execution order.
    outputs:
        What the network gives, in the order of the float network; at least one.
    codebook_sha256:
        SHA-256 of the codebook that the indices point into; :data:`NO_CODEBOOK` if there never
        was one.
    input_native:
        How the float network sees its input.
    """

    name: str
    input_shape: Shape
    input_quantization: Quantization
    layers: tuple[Layer, ...]
    outputs: tuple[Output, ...]
    codebook_sha256: str
    input_native: Native

    @property
    def indexed(self) -> bool:
        """Whether at least one layer has indices into a codebook."""
        return any(isinstance(layer, Conv) and layer.indices is not None for layer in self.layers)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the first output as the float network gives it, without the batch."""
        return self.outputs[0].native.sizes

    @property
    def output_names(self) -> tuple[str, ...]:
        """A name for each output: the source's or its layer's, with a number if two are alike."""
        names = [output.name or output.layer for output in self.outputs]
        return tuple(f"{name}_{number}" if names.count(name) > 1 else name
                     for number, name in enumerate(names))

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

    def shape_of(self, name: str) -> Shape:
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
        if isinstance(layer, Lstm):
            return layer.weights
        if not isinstance(layer, Conv):
            return 0
        channels = self.shape_of(layer.inputs[0])[2] // layer.groups
        return layer.shape[2] * layer.kernel[0] * layer.kernel[1] * channels

    def macs_of(self, layer: Layer) -> int:
        """Multiply-accumulates of a layer for one image, those with padding included.

        Those of a host layer are of its matrix products and convolutions.
        """
        if isinstance(layer, Host):
            return count_products(
                layer.steps, [self.shape_of(name) for name in layer.inputs],
                [torch.from_numpy(constant) for constant in layer.constants], layer.inputs_native,
                layer.native, layer.shape)
        return layer.shape[0] * layer.shape[1] * self.weights_of(layer)


def image_output(layer: Layer) -> Output:
    """A layer's map as an output of the network, seen as PyTorch's image."""
    return Output(layer.name, image_native(layer.shape))
