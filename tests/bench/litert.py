"""Int8 TFLite models against LiteRT's reference kernels: ./run python -m tests.bench.litert

LiteRT is TensorFlow Lite's runtime, whose results the integer reference has to equal. Compared is
every byte of every layer, for every input that there is: the 500 keyword-spotting features, the
2,000 CIFAR-10 images, and random inputs for the autoencoder, which has no data here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console

from tests.conftest import REPOSITORY
from tests.sw.importers.tflite.tflite_models import litert
from vqrom_sim.report import plain_table
from vqrom_sw.arithmetic import Requantization
from vqrom_sw.importers import read_tflite_int8
from vqrom_sw.importers.tflite.single_rounding import (
    accumulator_reach,
    count_differing,
    output_edges,
    rounded_once,
)
from vqrom_sw.network import Conv, QuantizedNetwork
from vqrom_sw.reference import run_reference

PART = 100
"""Inputs that run at once, which bounds the memory of all layers' outputs."""

Data = tuple[np.ndarray, np.ndarray | None]
"""A model's inputs, int8 ``[N, H, W, C]``, and their classes, int ``[N]``, if they have any."""


def resnet8(folder: Path) -> Data:
    """Read the images of ResNet-8 and their classes."""
    with np.load(folder / "cifar10_resnet" / "test_2000.npz") as archive:
        return (archive["images"].astype(np.int16) - 128).astype(np.int8), archive["labels"]


def ds_cnn_kws(folder: Path) -> Data:
    """Read the keyword-spotting features of DS-CNN and their classes."""
    with np.load(folder / "kws" / "test_500.npz") as archive:
        return archive["features"], archive["labels"]


def autoencoder_ad(_: Path) -> Data:
    """Make random inputs for the autoencoder, which have no classes."""
    return np.random.default_rng(0).integers(-128, 128, (2000, 1, 1, 640)).astype(np.int8), None


MODELS = {"resnet8": resnet8, "ds_cnn_kws": ds_cnn_kws, "autoencoder_ad": autoencoder_ad}


def main(data: Annotated[Path, typer.Option(help="folder of real networks and data")]
         = REPOSITORY.parent / "shared" / "data",
         count: Annotated[int, typer.Option(help="inputs of each model; 0: all")] = 0) -> None:
    """Compare each model with LiteRT, and print a table of its layers."""
    torch.set_num_threads(1)
    for name, load in MODELS.items():
        path = data / "mlperf_tiny" / f"{name}_int8.tflite"
        inputs, labels = load(data)
        inputs = inputs[:count] if count else inputs
        report(path, read_tflite_int8(path), inputs,
               None if labels is None else labels[:len(inputs)])


def report(path: Path, network: QuantizedNetwork, inputs: np.ndarray,
           labels: np.ndarray | None) -> None:
    """Compare a model layer by layer, and print what differs and how accurate both are."""
    differing = {layer.name: 0 for layer in network.layers}
    right, seconds = np.zeros(2, int), np.zeros(2)
    last = network.layers[-1].name
    for first in range(0, len(inputs), PART):
        part = inputs[first:first + PART]
        start = time.perf_counter()
        ours = run_reference(network, None, part)
        middle = time.perf_counter()
        theirs = litert(path, network, part)
        seconds += middle - start, time.perf_counter() - middle
        for name in differing:
            differing[name] += int(np.count_nonzero(
                ours[name].reshape(len(part), -1) != theirs[name]))
        if labels is not None:
            truth = labels[first:first + PART]
            right += [int((scores.reshape(len(part), -1).argmax(1) == truth).sum())
                      for scores in (ours[last], theirs[last])]
    table = plain_table("layer", "bytes", "differing", "edges that differ", left=1)
    for layer in network.layers:
        edges = str(edge_differences(network, layer)) \
            if isinstance(layer, Conv) and layer.kind == "linear" else ""
        table.add_row(layer.name, f"{int(np.prod(layer.shape)) * len(inputs):,}",
                      str(differing[layer.name]), edges)
    accuracy = "" if labels is None else "; right: " + ", LiteRT ".join(
        f"{100 * share:.2f} %" for share in right / len(inputs))
    console = Console()
    console.print(f"{network.name}: {len(inputs)} inputs{accuracy}; {seconds[0]:.1f} s, LiteRT "
                  f"{seconds[1]:.1f} s")
    console.print(table)


def edge_differences(network: QuantizedNetwork, layer: Conv) -> int:
    """Count the accumulators for which a linear layer's output differs from one rounded once.

    Accumulators next to a change of the output are tried, which are all that can differ, of each
    output channel. At 0 the layer gives LiteRT's bytes for every input.
    """
    factors = (network.quantization_of(layer.inputs[0]).scale * layer.weight_scale
               / layer.quantization.scale)
    low, high = (bound - layer.quantization.zero_point for bound in layer.clamp)
    assert layer.raw is not None
    reach = accumulator_reach(layer.raw, layer.bias)
    total = 0
    for channel, factor in enumerate(factors):
        scale = Requantization(layer.requantization.multiplier[channel:channel + 1],
                               layer.requantization.shift[channel:channel + 1])
        accumulators = output_edges(float(factor), low, high, int(reach[channel]))
        expected = rounded_once(accumulators, float(factor))
        total += count_differing(scale, accumulators, expected, low, high)
    return total


if __name__ == "__main__":
    typer.run(main)
