"""The families of :mod:`tests.architectures` on one codebook, and what of them is the host's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

from tests.architectures import ARCHITECTURES, build
from vqrom_sw.codebook import UniversalCodebook, extract_codebook
from vqrom_sw.compiler import Stage
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatNetwork, Host, HostStep, QuantizedNetwork

CODEWORDS = 64
SOURCES = ("ResNet", "MobileNetV2", "transformer encoder")
"""Families that the codebook is extracted from."""

PRODUCTS = ("matmul.default", "bmm.default", "mm.default", "baddbmm.default", "addmm.default",
            "linear.default", "scaled_dot_product_attention.default", "lstm.input", "gru.input",
            "rnn_tanh.input", "rnn_relu.input")
"""Host operations that multiply and accumulate."""


@cache
def captured(name: str) -> FloatNetwork:
    """A family's float network."""
    module, example = build(name)
    return capture(module, example, name)


@cache
def family_codebook() -> UniversalCodebook:
    """One codebook for all families, extracted from :data:`SOURCES`."""
    return extract_codebook([captured(name) for name in SOURCES], 4, CODEWORDS)


def random_inputs(name: str, number: int) -> np.ndarray:
    """Standard normal inputs of a family, float32 ``[N, ...]``; the same ones each time."""
    shape = ARCHITECTURES[name][1]
    return torch.randn(number, *shape[1:], generator=torch.Generator().manual_seed(2)).numpy()


@cache
def compressed(name: str) -> QuantizedNetwork:
    """A family's network on :func:`family_codebook`; ranges are of four random inputs."""
    return compress(captured(name), family_codebook(), random_inputs(name, 4))


def macs_by_side(network: QuantizedNetwork, stages: Sequence[Stage]) -> dict[str, int]:
    """Multiply-accumulates for one input: those of weights on either side, and those of two maps.

    Returns
    -------
    dict
        ``accelerator`` and ``host`` are products with weights. ``attention`` are the host's
        products of two maps with each other, which no unit of the accelerator does.
    """
    macs = {"accelerator": 0, "host": 0, "attention": 0}
    for stage in stages:
        for layer in stage.layers:
            attention = isinstance(layer, Host) and not has_weights(layer.steps)
            macs["attention" if attention else stage.where] += network.macs_of(layer)
    return macs


def has_weights(steps: Sequence[HostStep]) -> bool:
    """Whether an operand of a product follows from a host layer's constants alone.

    No product has an operand after its third argument; attention's fourth is the mask.
    """
    constant: list[bool] = []
    found = False
    for step in steps:
        constant.append(all(_fixed([*step.arguments, *step.keywords.values()], constant)))
        found |= step.op in PRODUCTS and any(_fixed(step.arguments[:3], constant))
    return found


def _fixed(argument: Any, steps: Sequence[bool]) -> list[bool]:
    """For each tensor in an argument, whether it follows from constants, as those of ``steps`` do.
    """
    if isinstance(argument, dict):
        (kind, number), = argument.items()
        return [kind == "constant" or (kind == "step" and steps[number])]
    if isinstance(argument, list | tuple):
        return [fixed for part in argument for fixed in _fixed(part, steps)]
    return []
