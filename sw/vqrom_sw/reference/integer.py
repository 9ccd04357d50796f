"""The integer reference in PyTorch: what the accelerator computes, byte for byte.

Every layer's output is int8, as the accelerator stores it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import quantize
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import (
    INPUT,
    Conv,
    Layer,
    QuantizedNetwork,
    check_sums,
    map_inputs,
)

from .integer_layers import layer_weights, run_layer

AT_ONCE = 100
"""Inputs that :func:`infer` quantises at once."""
BATCH = 16
"""Images that run at once, which bounds the memory of the accumulators."""


def quantize_input(network: QuantizedNetwork, array: np.ndarray) -> np.ndarray:
    """Turn inputs of the float network into those of the accelerator.

    Parameters
    ----------
    network:
        The quantised network, whose numbers are all integers.
    array:
        As the float network takes it, or as maps ``[N, C, H, W]``: float32, or int8 already
        quantised.

    Returns
    -------
    numpy.ndarray
        int8 ``[N, H, W, C]``, contiguous.

    Raises
    ------
    VqromError
        If shape or type are not those of the network's inputs, or a value is not finite.
    """
    try:
        array = map_inputs(array, network.input_native, network.input_shape)
    except VqromError as error:
        raise VqromError(f"network {network.name!r}: {error}") from None
    if not len(array):
        raise VqromError(f"inputs of network {network.name!r} must be at least one")
    if array.dtype not in (np.float32, np.int8):
        raise VqromError(f"inputs of network {network.name!r} must be float32 or int8, "
                         f"not {str(array.dtype)!r}")
    array, floats = array.transpose(0, 2, 3, 1), array.dtype == np.float32
    result = np.empty(array.shape, np.int8)
    # In parts: quantisation makes arrays of float64 on its way.
    for first in range(0, len(array), AT_ONCE):
        part = array[first:first + AT_ONCE]
        if floats and not np.isfinite(part).all():
            raise VqromError(f"inputs of network {network.name!r} must be finite")
        result[first:first + AT_ONCE] = quantize(part, network.input_quantization) \
            if floats else part
    return result


def run_reference(network: QuantizedNetwork, codebook: UniversalCodebook | None,
                  inputs: np.ndarray, keep: Collection[str] | None = None
                  ) -> dict[str, np.ndarray]:
    """Run a quantised network, and keep the outputs of its layers.

    Parameters
    ----------
    network:
        The quantised network, whose numbers are all integers.
    codebook:
        The codebook that the network was compressed onto; any, or None, if none of its layers has
        indices.
    inputs:
        int8 ``[N, H, W, C]``, from :func:`quantize_input`.
    keep:
        Names of the layers whose outputs are kept for all inputs; None for every layer. Other
        outputs are there for a few inputs at a time alone.

    Returns
    -------
    dict
        int8 ``[N, H, W, C]`` of every layer kept, by name, and the input as ``"input"``.

    Raises
    ------
    VqromError
        If the network belongs to another codebook.
    """
    maps = {INPUT: inputs}
    return maps | run_layers(network, codebook, network.layers, maps, keep)


@torch.no_grad()
def run_layers(network: QuantizedNetwork, codebook: UniversalCodebook | None,
               layers: Sequence[Layer], maps: Mapping[str, np.ndarray],
               keep: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Run some layers of a quantised network on maps that are there already.

    Inputs are cut into the same batches whichever layers these are, so that float32 steps of host
    layers give the same bytes.

    Parameters
    ----------
    network, codebook:
        As for :func:`run_reference`.
    layers:
        Layers of the network in execution order.
    maps:
        int8 ``[N, H, W, C]`` by name: at least what the layers read and do not make themselves.
    keep:
        As for :func:`run_reference`.

    Returns
    -------
    dict
        int8 ``[N, H, W, C]`` of every one of the layers that is kept, by name.

    Raises
    ------
    VqromError
        If the network belongs to another codebook, or sums of a layer may leave int32.
    """
    network.check_codebook("none" if codebook is None else codebook.sha256)
    check_sums(network, layers, None if codebook is None else codebook.codewords)
    weights = {layer.name: layer_weights(layer, network, codebook)
               for layer in layers if isinstance(layer, Conv)}
    made = {layer.name for layer in layers}
    read = {name for layer in layers for name in layer.inputs if name not in made}
    parts: dict[str, list[np.ndarray]] = {
        name: [] for name in made if keep is None or name in keep}
    for first in range(0, len(next(iter(maps.values()))), BATCH):
        results = {name: torch.from_numpy(maps[name][first:first + BATCH].astype(np.int64))
                   for name in read}
        for layer in layers:
            results[layer.name] = run_layer(network, layer, weights.get(layer.name),
                                            [results[name] for name in layer.inputs])
            if layer.name in parts:
                parts[layer.name].append(results[layer.name].numpy().astype(np.int8))
    return {name: np.concatenate(values) for name, values in parts.items()}


def outputs_of(network: QuantizedNetwork, results: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Pick the network's outputs, in the shapes that the float network gives them.

    Parameters
    ----------
    network:
        The quantised network, whose numbers are all integers.
    results:
        Every layer's output int8 ``[N, H, W, C]``, from :func:`run_reference` or a simulation;
        those of the layers that make outputs are enough.

    Returns
    -------
    list
        int8 ``[N, *sizes]`` of each output.
    """
    found = []
    for output in network.outputs:
        planes = torch.from_numpy(np.ascontiguousarray(
            results[output.layer].transpose(0, 3, 1, 2)))
        found.append(np.ascontiguousarray(output.native.tensor(planes).numpy()))
    return found


def output_of(network: QuantizedNetwork, results: dict[str, np.ndarray]) -> np.ndarray:
    """Pick the first of the network's outputs, as :func:`outputs_of` has it."""
    return outputs_of(network, results)[0]


def infer(network: QuantizedNetwork, codebook: UniversalCodebook | None,
          inputs: np.ndarray) -> np.ndarray:
    """What a network says of many inputs, by the integer reference, a few at a time.

    Parameters
    ----------
    network:
        The quantised network.
    codebook:
        Its codebook; None for a network without indices.
    inputs:
        As :func:`quantize_input` takes them, ``N`` of them.

    Returns
    -------
    numpy.ndarray
        Its first output in the float network's units, float32 ``[N, ...]``.

    Raises
    ------
    VqromError
        If the inputs or the codebook are not those of the network.
    """
    kept = {network.outputs[0].layer}
    return np.concatenate([
        dequantize(network, output_of(network, run_reference(
            network, codebook, quantize_input(network, inputs[first:first + AT_ONCE]), kept)))
        for first in range(0, len(inputs), AT_ONCE)])


def dequantize(network: QuantizedNetwork, outputs: np.ndarray, number: int = 0) -> np.ndarray:
    """Turn int8 numbers of one output into the float network's units, float32 of any shape.

    Parameters
    ----------
    network:
        The quantised network.
    outputs:
        int8 of any shape.
    number:
        Which of the network's outputs they are.
    """
    quantization = network.quantization_of(network.outputs[number].layer)
    return ((outputs.astype(np.float32) - quantization.zero_point)
            * np.float32(quantization.scale))
