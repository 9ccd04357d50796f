"""A network under construction on the codebook, beside the float network that teaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.encoding import Encoded
from vqrom_sw.network import FloatAdd, FloatConv, FloatHost, FloatLayer, FloatNetwork
from vqrom_sw.reference import float_forward, float_layer, fold_layers

from .layers import AssignedConv, ConstructionLayer, RawConv

RunConv = Callable[[ConstructionLayer, torch.Tensor], torch.Tensor]


class Construction(nn.Module):
    """The network whose convolutions are :class:`ConstructionLayer`.

    Parameters
    ----------
    network:
        Float network: structure and teacher.
    codebook:
        The universal codebook.
    encoded:
        Where to start, from :func:`vqrom_sw.encoding.nearest.encode_nearest`.
    images:
        float32 ``[N, C, H, W]``: the first statistics.
    candidates:
        Codewords that a sub-vector chooses among.
    """

    def __init__(self, network: FloatNetwork, codebook: UniversalCodebook,
                 encoded: Mapping[str, Encoded], images: torch.Tensor, candidates: int):
        super().__init__()
        self._network = network
        self._watched = watched_layers(network)
        last = network.layers[-1]
        self._classifies = scores_layer(network) != last.name or not isinstance(last, FloatHost)
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
        """The layers with indices."""
        return [layer for layer in self.layers.values() if isinstance(layer, AssignedConv)]

    @property
    def frozen_share(self) -> float:
        """Share of the sub-vectors that are frozen; 1 if there are none."""
        frozen = sum(int(layer.frozen.sum()) for layer in self.assigned)
        return frozen / max(1, sum(layer.frozen.numel() for layer in self.assigned))

    def sharpen(self, sharpness: float) -> None:
        """Set the factor on all logits."""
        for layer in self.assigned:
            layer.sharpness = sharpness

    def freeze(self, threshold: float) -> None:
        """Freeze every sub-vector that is decided by the threshold."""
        for layer in self.assigned:
            layer.freeze(threshold)

    def to(self, device: torch.device | str) -> Construction:  # type: ignore[override]
        """Move the teacher, too."""
        self._network = self._network.to(device)
        return super().to(device)

    def maps(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Outputs ``[N, C, H, W]`` of the watched layers by name."""
        found = {}

        def run(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
            output = self._run(layer, inputs, lambda conv, value: conv(value))
            if layer.name in self._watched:
                found[layer.name] = output
            return output

        fold_layers(self._network, x, run)
        return found

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The last layer's output, ``[N, C, H, W]``."""
        return self.maps(x)[self._watched[-1]]

    @torch.no_grad()
    def settle(self, images: torch.Tensor) -> None:
        """Take the statistics of these inputs, layer by layer, and stay in evaluation mode."""
        self.eval()
        fold_layers(self._network, images, lambda layer, inputs: self._run(
            layer, inputs, lambda conv, value: conv.settle(value)))

    @torch.no_grad()
    def wanted(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """The float network's outputs ``[N, C, H, W]`` of the watched layers by name."""
        found = float_forward(self._network, x)
        return {name: found[name] for name in self._watched}

    def loss(self, x: torch.Tensor, wanted: Mapping[str, torch.Tensor],
             labels: torch.Tensor | None = None) -> torch.Tensor:
        """Distillation: relative squared errors of the blocks' outputs, and the output's again.

        If the output is a vector of scores, that is the divergence from the teacher's
        distribution. If there are labels, the cross entropy is added.

        Parameters
        ----------
        wanted:
            From :meth:`wanted` for the same inputs.
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
            total = total + errors[self._watched[-1]]
        return total if labels is None else total + F.nll_loss(scores, labels)

    def indecision(self) -> torch.Tensor:
        """Mean of :meth:`AssignedConv.indecision`."""
        return torch.stack([layer.indecision() for layer in self.assigned]).mean()

    def export(self) -> dict[str, Encoded]:
        """What the forward pass computes: each convolution by its layer's name."""
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
    """Mean square of the difference over the variance of what is wanted; a scalar."""
    return (got - wanted).square().mean() / wanted.var().clamp(min=1e-12)


def key_of(name: str) -> str:
    """A layer's name as a module's, which may hold no dot."""
    return name.replace(".", "/")


def watched_layers(network: FloatNetwork) -> list[str]:
    """Layers whose outputs are distilled: the blocks' sums, or every convolution, and the last."""
    sums = [layer.name for layer in network.layers if isinstance(layer, FloatAdd)]
    watched = sums or [layer.name for layer in network.layers if isinstance(layer, FloatConv)]
    return list(dict.fromkeys([*watched, scores_layer(network), network.layers[-1].name]))


def scores_layer(network: FloatNetwork) -> str:
    """The layer whose output is the network's, before a softmax on the host."""
    last = network.layers[-1]
    return last.inputs[0] if isinstance(last, FloatHost) and last.kind == "softmax" else last.name
