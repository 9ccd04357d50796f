"""Comparison of a captured network with the module that it was captured from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT, FloatNetwork
from vqrom_sw.reference import float_layer

from .check import BATCHES, SMALLEST_SCALE, TOLERANCE, by, difference


def check_capture(network: FloatNetwork, module: nn.Module, inputs: torch.Tensor) -> None:
    """Compare a captured network with the module that it was captured from.

    It runs both on the first input alone, and on the first three.

    Parameters
    ----------
    network:
        The network in float.
    module:
        The module, in evaluation mode; it runs on copies of the inputs.
    inputs:
        float32 ``[N, ...]``, like the module's example input, at least three of them.

    Raises
    ------
    VqromError
        If an output differs by more than :data:`TOLERANCE`, other than by single numbers that are
        rounded to another step; the message names the first layer that makes what the module does
        not compute. If the outputs of one image depend on the others.
    """
    of_each: list[list[np.ndarray]] = []
    for batch in BATCHES:
        x = inputs[:batch]
        recorder = _Recorder()
        with recorder:
            right = _module_outputs(module, x)
        of_each.append(right)
        results = _layers(network, x)
        found = _outputs(network, results)
        worst = max(map(difference, found, right))
        if worst > TOLERANCE and not (_nearly(found, right) and _same_unrounded(
                lambda x=x: _outputs(network, _layers(network, x)),
                lambda x=x: _module_outputs(module, x))):
            raise VqromError(
                f"network {network.name!r}: {_first_layer(network, recorder.tensors, results)} "
                f"must be what the module computes with {len(x)} images, and an output "
                f"{by(worst)}")
    alone, several = of_each
    together = [value[:1] for value in several]
    worst = max(map(difference, together, alone))
    if worst > TOLERANCE and not (_nearly(together, alone) and _same_unrounded(
            lambda: [value[:1] for value in _module_outputs(module, inputs[:BATCHES[1]])],
            lambda: _module_outputs(module, inputs[:BATCHES[0]]))):
        raise VqromError(f"network {network.name!r}: an image's outputs must not depend on the "
                         f"other images, and an output {by(worst)}")


def _module_outputs(module: nn.Module, x: torch.Tensor) -> list[np.ndarray]:
    """A module's outputs; it may write into its input."""
    with torch.no_grad():
        return [value.numpy() for value in tree_leaves(module(x.clone()))]


def _outputs(network: FloatNetwork, results: Mapping[str, torch.Tensor]) -> list[np.ndarray]:
    """A network's outputs as the module has them, of its layers' maps."""
    return [output.native.tensor(results[output.layer]).numpy() for output in network.outputs]


def _nearly(found: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> bool:
    """Whether outputs differ little on average, as they do if few numbers are rounded otherwise."""
    return all(a.shape == b.shape and float(np.abs(a - b).mean())
               <= TOLERANCE * max(float(np.abs(b).max()), SMALLEST_SCALE)
               for a, b in zip(found, right, strict=True))


def _same_unrounded(found: Callable[[], list[np.ndarray]],
                    right: Callable[[], list[np.ndarray]]) -> bool:
    """Whether outputs are the same if nothing is rounded within.

    Rounding turns a difference of 1e-7, close to the middle of two numbers, into a whole step.
    """
    with _Unrounded() as mode:
        pairs = list(zip(found(), right(), strict=True))
    return mode.met and max(difference(*pair) for pair in pairs) <= TOLERANCE


class _Unrounded(TorchDispatchMode):
    """Lets PyTorch leave numbers as they are where it would round them.

    Members
    -------
    met:
        Whether there was anything to round.
    """

    def __init__(self):
        super().__init__()
        self.met = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        aten = torch.ops.aten
        if func in (aten.round.default, aten.floor.default, aten.ceil.default):
            self.met = True
            return args[0].clone()
        return func(*args, **(kwargs or {}))


def _layers(network: FloatNetwork, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Run all layers on inputs ``[N, ...]``; maps ``[N, C, H, W]`` by name, the input among them.
    """
    results = {INPUT: network.input_native.feature_map(x, network.input_shape)}
    for layer in network.layers:
        try:
            with torch.no_grad():
                results[layer.name] = float_layer(layer, [results[name] for name in layer.inputs])
        except Exception as error:
            raise VqromError(f"network {network.name!r}: layer {layer.name!r} must run with "
                             f"{len(x)} images, but: {' '.join(str(error).split())[:200]}"
                             ) from None
    return results


class _Recorder(TorchDispatchMode):
    """Keeps the result of every operation that PyTorch runs, sorted, by number of values."""

    def __init__(self):
        super().__init__()
        self.tensors: dict[int, list[np.ndarray]] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float32:
                values = np.sort(tensor.detach().numpy(), axis=None)
                self.tensors.setdefault(values.size, []).append(values)
        return result


def _first_layer(network: FloatNetwork, tensors: Mapping[int, Sequence[np.ndarray]],
                 results: Mapping[str, torch.Tensor]) -> str:
    """Name the first layer whose values the module makes in no order."""
    for layer in network.layers:
        values = np.sort(results[layer.name].numpy(), axis=None)
        if all(difference(values, made) > TOLERANCE for made in tensors.get(values.size, ())):
            return f"layer {layer.name!r}"
    return "the output"
