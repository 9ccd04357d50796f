"""What the same accelerator takes with other weights: run on the cycle model, not calculated.

A network whose layers hold int8 weights is compiled for itself, so that its tiles and strips are
those that suit it, and so is one whose codebook is loaded over the bus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.report import describe, hardware_figures
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import CompiledNetwork
from vqrom_sw.network import Conv, Layer, QuantizedNetwork
from vqrom_sw.progress import Progress
from vqrom_sw.reference import layer_weights

from ..staged import run_stages_model

DENSE, LOADED = "dense int8", "codebook in an SRAM"
"""Names of the baselines."""

Compile = Callable[[QuantizedNetwork, AcceleratorConfig], CompiledNetwork]
"""Makes programs for a network and an accelerator, in the way of the run that is compared."""


def others_of(config: AcceleratorConfig) -> list[tuple[str, str, AcceleratorConfig]]:
    """Name, weights (``"raw"`` or ``"index"``) and accelerator of each baseline.

    Of an accelerator without a ROM there is one only.
    """
    others = [(DENSE, "raw", config)]
    if config.codebook_storage == "rom":
        loaded = AcceleratorConfig.model_validate(
            config.model_dump() | {"codebook_storage": "sram"})
        others.append((LOADED, "index", loaded))
    return others


def network_baselines(network: QuantizedNetwork, codebook: UniversalCodebook,
                      config: AcceleratorConfig, images: int, compile_for: Compile,
                      progress: Progress) -> list[dict[str, Any]]:
    """Figures of the same network with int8 weights, and with its codebook in an SRAM.

    Parameters
    ----------
    network, codebook, config:
        What is compared. Of a network without indices there are no baselines.
    images:
        Inputs that are run.
    compile_for:
        Makes the programs.
    progress:
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    list
        The entries ``baselines`` of ``report.json``.
    """
    entries = []
    for name, weights, accelerator in others_of(config) if network.indexed else ():
        other = dense_network(network, codebook) if weights == "raw" else network
        compiled = compile_for(other, accelerator)
        counts = run_stages_model(compiled, images, progress)
        report = describe(other, compiled.stages, codebook, accelerator, images, "model")
        entries.append(baseline(name, report | hardware_figures(report, compiled, counts)))
    return entries


def baseline(name: str, report: dict[str, Any]) -> dict[str, Any]:
    """The entry of a report in the list ``baselines`` of another."""
    return {"name": name, **{key: report[key] for key in (
        "engine", "cycles", "utilization", "traffic", "stalls", "busy")}}


def dense_network(network: QuantizedNetwork, codebook: UniversalCodebook) -> QuantizedNetwork:
    """The network with the int8 weights that its indices stand for; it computes the same."""
    return replace(network, layers=tuple(
        _dense(layer, network, codebook) for layer in network.layers))


def _dense(layer: Layer, network: QuantizedNetwork, codebook: UniversalCodebook) -> Layer:
    if not isinstance(layer, Conv) or layer.indices is None:
        return layer
    weights = layer_weights(layer, network, codebook).numpy().transpose(0, 2, 3, 1)
    return replace(layer, indices=None, raw=np.ascontiguousarray(weights, np.int8))
