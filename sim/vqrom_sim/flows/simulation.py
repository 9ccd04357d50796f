"""Simulate a whole network: run an engine, compare with the reference, report from counters."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.engines import require_tools, run_model, run_rtl
from vqrom_sim.report import SimulationReport, describe, hardware_figures
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Program, compile_network
from vqrom_sw.importers import Topology
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.progress import Progress
from vqrom_sw.reference import output_of, quantize_input, run_reference

from .arguments import (
    ArrayLike,
    CodebookLike,
    ConfigLike,
    NetworkLike,
    TopologyLike,
    as_array,
    check_file,
    load_codebook,
    load_config,
    load_network,
    load_topology,
    named,
)
from .topology import simulate_topology
from .tuning import fastest_program

ENGINES = ("reference", "rtl", "model")


def simulate(network: NetworkLike | TopologyLike, codebook: CodebookLike | None = None,
             config: ConfigLike = "edge16", inputs: ArrayLike | None = None,
             engine: str | None = None, *, weights: str = "index", seed: int = 0,
             tune: bool = False, progress: Progress | None = None) -> SimulationReport:
    """Run a network on every input, or the layers of a topology once.

    Parameters
    ----------
    network:
        A compressed network, its ``.vqnet`` file, or a topology (a ``.csv`` file).
    codebook:
        Content of the ROM: the codebook that the network was compressed for. A topology goes
        without: its codebook has the shape that the configuration says, and random content.
    config:
        The accelerator.
    inputs:
        ``[N, C, H, W]`` or ``[N, S, C]``, float32 as the float network takes it or int8 already
        quantised. A topology goes without.
    engine:
        ``"rtl"`` (the generated Verilog under Verilator, compared with the integer reference),
        ``"model"`` (its cycles and counters without its values) or ``"reference"`` (its values
        alone). By default ``"rtl"`` for a network and ``"model"`` for a topology.
    weights, seed:
        For a topology alone: whether its layers are indexed (``"index"``) or ``"raw"``, and the
        seed of its random weights and inputs.
    tune:
        Take the fastest of several tilings, tried on the cycle model.
    progress:
        Called with what is being done, how much of it is done, and how much there is (0: unknown).

    Raises
    ------
    VqromError
        If an argument is wrong, the parts do not fit each other, the network does not fit the
        accelerator, or a tool is missing.
    """
    if isinstance(network, Topology) or (
            isinstance(network, str | Path) and Path(network).suffix == ".csv"):
        if codebook is not None or inputs is not None:
            raise VqromError(f"topology {named(network, 'given')} goes without codebook and inputs")
        return SimulationReport(simulate_topology(
            load_topology(network), load_config(config), weights, engine or "model", seed,
            progress, tune))
    engine = engine or "rtl"
    if engine not in ENGINES:
        raise VqromError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    if codebook is None or inputs is None:
        raise VqromError(f"network {named(network, 'given')} must come with codebook and inputs")
    # What is quick to find wrong is found first.
    for value, what in ((network, "network"), (codebook, "codebook"), (inputs, "inputs")):
        check_file(value, what)
    load_config(config)
    words = load_codebook(codebook)
    accelerator = load_config(config, words)
    images, loaded = as_array(inputs, "inputs"), load_network(network)
    if loaded.indexed and loaded.codebook_sha256 != words.sha256:
        raise VqromError(
            f"network {named(network, repr(loaded.name))} must run on its own ROM, the codebook "
            f"with SHA-256 {loaded.codebook_sha256[:16]}..., not on "
            f"{named(codebook, 'codebook')}, {words.sha256[:16]}...")
    if engine == "rtl":
        require_tools()
    return _run(loaded, words, accelerator, quantize_input(loaded, images), engine, tune,
                progress or (lambda what, done, total: None))


def _run(network: QuantizedNetwork, codebook: UniversalCodebook, config: AcceleratorConfig,
         images: np.ndarray, engine: str, tune: bool, tell: Progress) -> SimulationReport:
    """Run quantised images ``[N, H, W, C]`` on an engine."""
    compile_for = partial(compile_network, network, codebook.codewords, config)

    def compiled(contents: bool) -> Program:
        if tune:
            return fastest_program(compile_for, contents=contents, progress=tell)
        return compile_for(contents=contents)

    if engine == "model":
        program = compiled(contents=False)
        report = describe(network, codebook, config, len(images), engine)
        run = run_model(program, len(images), tell)
        return SimulationReport(report | hardware_figures(report, program, run), None, network)
    # First, since it is quick and says whether the network fits the accelerator.
    program = compiled(contents=True) if engine == "rtl" else None
    tell("integer reference", 0, 0)
    expected = output_of(network, run_reference(network, codebook, images))
    tell("integer reference", len(images), len(images))
    report = describe(network, codebook, config, len(images), engine)
    if program is None:
        return SimulationReport(report | {"bit_exact": True, "mismatches": 0}, expected, network)

    placed = program.input_image(images, network.input_quantization.zero_point)
    run = run_rtl(program, codebook.codewords, placed, tell)
    maps = program.output_maps(run.outputs)
    outputs = maps.transpose(0, 3, 1, 2).reshape(expected.shape)
    mismatches = int(np.count_nonzero(outputs != expected))
    return SimulationReport(report | {
        "bit_exact": mismatches == 0, "mismatches": mismatches,
        **hardware_figures(report, program, run)}, outputs, network)
