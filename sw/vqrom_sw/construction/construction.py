"""A network under construction on the codebook, beside the float network that teaches it.

The float network is the structure of the new one, layer by layer, and its teacher: training makes
the outputs of the new network's blocks like those of the float network, which needs no labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.encoding import Encoded
from vqrom_sw.network import FloatConv, FloatHost, FloatLayer, FloatNetwork, is_sum
from vqrom_sw.reference import float_forward, float_layer, fold_layers

from .assigned import AssignedConv
from .layer import ConstructionLayer, RawConv

RunConv = Callable[[ConstructionLayer, torch.Tensor], torch.Tensor]
"""How a convolution under construction is run on its input."""


class Construction(nn.Module):
    """A network whose convolutions are :class:`.layer.ConstructionLayer`, to be trained.

    Layers without weights run as in the float network. What is distilled are the outputs of the
    watched layers (:func:`watched_layers`).

    Parameters
    ----------
    network:
        Float network: the structure, and the teacher.
    codebook:
        The universal codebook.
    encoded:
        Each convolution to start with by its layer's name, from
        :func:`vqrom_sw.encoding.encode_nearest` or :func:`vqrom_sw.encoding.encode_outputs`.
    images:
        float32 ``[N, C, H, W]`` inputs, which give the first statistics.
    candidates:
        Number of codewords that a sub-vector chooses among.

    Members
    -------
    layers:
        The convolutions under construction, by :func:`key_of` their names.
    """

    def __init__(self, network: FloatNetwork, codebook: UniversalCodebook,
                 encoded: Mapping[str, Encoded], images: torch.Tensor, candidates: int):
        super().__init__()
        self._network = network
        self._watched = watched_layers(network)
        last = _output_layer(network)
        self._classifies = len(network.outputs) == 1 and (
            scores_layer(network) != last.name or not isinstance(last, FloatHost))
        self.layers = nn.ModuleDict()

        @torch.no_grad()
        def start(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
            if not isinstance(layer, FloatConv):
                return float_layer(layer, inputs)
            given = encoded[layer.name]
            made = RawConv(layer, given, inputs[0]) if given.indices is None \
                else AssignedConv(layer, given, inputs[0], codebook, candidates)
            self.layers[key_of(layer.name)] = made
            return made.eval()(inputs[0])

        fold_layers(network, images, start)

    @property
    def assigned(self) -> list[AssignedConv]:
        """The convolutions with indices, in execution order; raw ones are left out."""
        return [layer for layer in self.layers.values() if isinstance(layer, AssignedConv)]

    @property
    def frozen_share(self) -> float:
        """Share of the sub-vectors that are frozen; 0 if there are none."""
        frozen = sum(int(layer.frozen.sum()) for layer in self.assigned)
        return frozen / max(1, sum(layer.frozen.numel() for layer in self.assigned))

    def sharpen(self, sharpness: float) -> None:
        """Set the factor on the logits of every layer."""
        for layer in self.assigned:
            layer.sharpness = sharpness

    def freeze(self, threshold: float) -> None:
        """Make the choice of every sub-vector final whose largest ratio reaches the threshold."""
        for layer in self.assigned:
            layer.freeze(threshold)

    def to(self, device: torch.device | str) -> Construction:  # type: ignore[override]
        """Move the parameters and the float network to a device."""
        self._network = self._network.to(device)
        return super().to(device)

    def maps(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run the network: the watched layers' outputs ``[N, C, H, W]`` by name."""
        found = {}

        def run(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
            output = self._run(layer, inputs, lambda conv, value: conv(value))
            if layer.name in self._watched:
                found[layer.name] = output
            return output

        fold_layers(self._network, x, run)
        return found

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the network, and return its first output as a feature map ``[N, C, H, W]``."""
        return self.maps(x)[self._network.outputs[0].layer]

    @torch.no_grad()
    def settle(self, images: torch.Tensor) -> None:
        """Take these inputs' statistics, layer by layer, and stay in evaluation mode.

        Scales and biases of :meth:`export` are those of the statistics taken last.
        """
        self.eval()
        fold_layers(self._network, images, lambda layer, inputs: self._run(
            layer, inputs, lambda conv, value: conv.settle(value)))

    @torch.no_grad()
    def wanted(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run the float network: the watched layers' outputs ``[N, C, H, W]`` by name."""
        found = float_forward(self._network, x)
        return {name: found[name] for name in self._watched}

    def loss(self, x: torch.Tensor, wanted: Mapping[str, torch.Tensor],
             labels: torch.Tensor | None = None) -> torch.Tensor:
        """Compute the distillation loss, a scalar.

        It is the mean of the watched layers' relative squared errors, plus what the network's
        output is off by: if that is one vector of scores, the divergence from the teacher's
        distribution, otherwise the outputs' relative squared error again. If there are labels, the
        cross entropy is added.

        Parameters
        ----------
        x:
            float32 ``[N, C, H, W]``.
        wanted:
            From :meth:`wanted` for the same inputs.
        labels:
            int64 ``[N]``, or None to learn from the teacher alone.
        """
        got = self.maps(x)
        errors = {name: relative_error(output, wanted[name]) for name, output in got.items()}
        total = torch.stack(list(errors.values())).mean()
        last = scores_layer(self._network)
        scores = got[last].flatten(1).log_softmax(1)
        if self._classifies and got[last].shape[2:] == (1, 1) and scores.shape[1] > 1:
            teacher = wanted[last].flatten(1).log_softmax(1)
            total = total + F.kl_div(scores, teacher, reduction="batchmean", log_target=True)
        else:
            total = total + torch.stack([errors[output.layer]
                                         for output in self._network.outputs]).mean()
        return total if labels is None else total + F.nll_loss(scores, labels)

    def indecision(self) -> torch.Tensor:
        """Average :meth:`.assigned.AssignedConv.indecision` over the layers with indices."""
        return torch.stack([layer.indecision() for layer in self.assigned]).mean()

    def export(self) -> dict[str, Encoded]:
        """Return each convolution as it was trained, by its layer's name."""
        return {layer.name: self._layer(layer).export() for layer in self._network.layers
                if isinstance(layer, FloatConv)}

    def _run(self, layer: FloatLayer, inputs: list[torch.Tensor], conv: RunConv) -> torch.Tensor:
        return conv(self._layer(layer), inputs[0]) if isinstance(layer, FloatConv) \
            else float_layer(layer, inputs)

    def _layer(self, layer: FloatConv) -> ConstructionLayer:
        made = self.layers[key_of(layer.name)]
        assert isinstance(made, ConstructionLayer)
        return made


def relative_error(got: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Compute the mean squared difference, relative to the variance of what is wanted."""
    return (got - wanted).square().mean() / wanted.var().clamp(min=1e-12)


def key_of(name: str) -> str:
    """Turn a layer's name into a module's name, which may hold no dot."""
    return name.replace(".", "/")


def watched_layers(network: FloatNetwork) -> list[str]:
    """List the layers whose outputs are distilled, in execution order.

    These are the sums at the blocks' ends, or every convolution where there are no sums, and the
    network's outputs.
    """
    sums = [layer.name for layer in network.layers if is_sum(layer)]
    watched = sums or [layer.name for layer in network.layers if isinstance(layer, FloatConv)]
    outputs = [output.layer for output in network.outputs]
    return list(dict.fromkeys([*watched, scores_layer(network), *outputs]))


def scores_layer(network: FloatNetwork) -> str:
    """Name the layer of the network's first output, leaving out a final softmax on the host."""
    last = _output_layer(network)
    return last.inputs[0] if isinstance(last, FloatHost) and last.kind == "softmax" else last.name


def _output_layer(network: FloatNetwork) -> FloatLayer:
    """The layer that makes the network's first output."""
    return next(layer for layer in network.layers if layer.name == network.outputs[0].layer)
