"""Simulate a topology: layers without weights of their own, as one program."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.engines import Counts, require_tools, run_model, run_rtl
from vqrom_sim.report import empty_report, program_figures
from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Program, Reload
from vqrom_sw.importers import Topology
from vqrom_sw.progress import Progress
from vqrom_sw.reference import run_reference
from vqrom_sw.topology import compile_topology, random_networks

from .shapes import random_codebook
from .tuning import fastest_program

ENGINES = ("model", "rtl")
WEIGHTS = ("index", "raw")


def simulate_topology(topology: Topology, config: AcceleratorConfig, weights: str = "index",
                      engine: str = "model", seed: int = 0,
                      progress: Progress | None = None, tune: bool = False,
                      codebook_reload: Reload = "network") -> dict[str, Any]:
    """Run all layers of a topology once, each from DRAM to DRAM.

    Parameters
    ----------
    topology:
        The layers.
    config:
        The accelerator; the codebook's shape is that of the configuration.
    weights:
        ``"index"`` or ``"raw"``: what every layer has, but depthwise ones, which are raw.
    engine:
        ``"model"``, or ``"rtl"`` with random codebook, weights and inputs, compared with the
        integer reference.
    seed:
        Seed of the random codebook, weights and inputs.
    progress:
        Called with what is being done, how much of it is done, and how much there is (0: unknown).
    tune:
        Take the fastest of several tilings, tried on the cycle model.
    codebook_reload:
        With ``codebook_storage = sram``: load the codebook once, or before each indexed layer.

    Returns
    -------
    What ``report.json`` holds (``docs/report-schema.md``).

    Raises
    ------
    VqromError
        If a layer does not fit the accelerator, an argument is not one of those above, or a tool
        is missing.
    """
    for name, value, choices in (("engine", engine, ENGINES), ("weights", weights, WEIGHTS)):
        if value not in choices:
            raise VqromError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    if engine == "rtl":
        require_tools()
    raw = weights == "raw"
    tell = progress or (lambda what, done, total: None)
    program = topology_program(topology, config, weights, seed, tell, tune, codebook_reload,
                               contents=engine == "rtl")
    report = _describe(topology, config, raw, engine)
    if engine == "model":
        return report | program_figures(report, [(program, run_model(program, 1, tell))])
    codewords = random_codebook(config.codewords, config.subvector, seed).codewords
    run, mismatches = _run_rtl(topology, program, codewords, raw, seed, tell)
    return report | program_figures(report, [(program, run)]) | {
        "bit_exact": mismatches == 0, "mismatches": mismatches}


def topology_program(topology: Topology, config: AcceleratorConfig, weights: str, seed: int,
                     progress: Progress, tune: bool, codebook_reload: Reload = "network", *,
                     contents: bool = False) -> Program:
    """The program of all layers of a topology; arguments as of :func:`simulate_topology`.

    Without ``contents`` it serves for timing alone.
    """
    codewords = random_codebook(config.codewords, config.subvector, seed).codewords
    compile_for = partial(compile_topology, topology, codewords, config, raw=weights == "raw",
                          seed=seed, codebook_reload=codebook_reload)
    if tune:
        return fastest_program(compile_for, contents=contents, progress=progress)
    return compile_for(contents=contents)


def _run_rtl(topology: Topology, program: Program, codewords: np.ndarray, raw: bool, seed: int,
             progress: Progress) -> tuple[Counts, int]:
    """Counts, and output bytes that differ from the integer reference's."""
    rng = np.random.default_rng(seed)
    networks = random_networks(topology, codewords, raw, seed)
    codebook = UniversalCodebook(codewords)
    inputs, expected = [], []
    for number, network in enumerate(networks):
        progress("integer reference", number, len(networks))
        inputs.append(rng.integers(LOWEST, HIGHEST + 1, (1, *network.input_shape)).astype(np.int8))
        expected.append(run_reference(network, codebook, inputs[-1])[network.layers[-1].name])
    progress("integer reference", len(networks), len(networks))
    zero_points = [network.input_quantization.zero_point for network in networks]
    run = run_rtl(program, codewords, program.input_images(inputs, zero_points), progress)
    outputs = program.all_output_maps(run.outputs)
    return run, sum(int(np.count_nonzero(given != values))
                    for given, values in zip(outputs, expected, strict=True))


def _describe(topology: Topology, config: AcceleratorConfig, raw: bool,
              engine: str) -> dict[str, Any]:
    """The report as far as no hardware is needed."""
    layers = []
    for layer in (layer.gathered for layer in topology.layers):
        reduced = 1 if layer.depthwise else layer.shape[2]
        count = layer.filters * layer.kernel[0] * layer.kernel[1] * reduced
        layers.append({
            "name": layer.name, "kind": "depthwise" if layer.depthwise else "conv",
            "macs": layer.macs, "weights": count, "host": None,
            "raw": count if raw or layer.depthwise else 0,
            "indices": 0 if raw or layer.depthwise
            else layer.filters * layer.kernel[0] * layer.kernel[1] * -(-reduced // config.subvector)
        })
    raw_count = sum(layer.pop("raw") for layer in layers)
    bits = sum(layer.pop("indices") for layer in layers) * config.index_width
    return empty_report(topology.name, engine, config, None, 1, layers, raw_count, bits)
