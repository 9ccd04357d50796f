"""Simulate a whole network: run an engine, compare with the reference, report from counters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.engines import require_headers, require_tools
from vqrom_sim.report import SimulationReport, describe, hardware_figures
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import CompiledNetwork, compile_stages, cut_network
from vqrom_sw.importers import Topology
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.progress import Progress
from vqrom_sw.reference import outputs_of, quantize_input, run_reference

from .arguments import (
    DEFAULT_CONFIG,
    ArrayLike,
    CodebookLike,
    ConfigLike,
    NetworkLike,
    TopologyLike,
    as_array,
    check_file,
    check_seed,
    load_codebook,
    load_config,
    load_network,
    load_topology,
    named,
)
from .extras import (
    Extras,
    baseline,
    describe_waves,
    layer_waves,
    network_baselines,
    others_of,
    program_timeline,
    stage_of,
)
from .input_range import input_notes, rescaled
from .shapes import random_codebook, random_images, shapes_of
from .staged import compile_tuned, first_difference, run_stages_model, run_stages_rtl
from .topology import WEIGHTS, simulate_topology, topology_program

ENGINES = ("reference", "rtl", "model")


def simulate(network: NetworkLike | TopologyLike, codebook: CodebookLike | None = None,
             config: ConfigLike = DEFAULT_CONFIG, inputs: ArrayLike | None = None,
             engine: str | None = None, *, weights: str = "index", seed: int = 0,
             tune: bool = False, example_shape: tuple[int, ...] = (),
             input_scale: tuple[float, int] | None = None, waves: str | None = None,
             baselines: bool = False, timeline: bool = False,
             progress: Progress | None = None) -> SimulationReport:
    """Run a network on every input, or the layers of a topology once.

    Parameters
    ----------
    network:
        A compressed network, its ``.vqnet`` file, a topology (a ``.csv`` file), or an ``.onnx``
        file, of which the shapes alone count, as of a topology: its weights may be absent.
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
        alone). Layers that the accelerator does not do run on the host. By default ``"rtl"`` for
        a network and ``"model"`` for a topology.
    weights, seed:
        For a topology alone: whether its layers are indexed (``"index"``) or ``"raw"``, and the
        seed of its random weights and inputs.
    example_shape:
        Shape of one input of an ``.onnx`` file that leaves sizes open, ``(1, ...)``.
    input_scale:
        Scale and zero point that int8 inputs have, where they are not the network's own.
    tune:
        Take the fastest of several tilings, tried on the cycle model.
    waves:
        A layer of a network whose signals are recorded on the first input; engine ``"rtl"`` alone.
    baselines:
        Also time the same network with int8 weights in the place of indices, and with its codebook
        in an SRAM, on the cycle model: ``baselines`` of the report.
    timeline:
        Also write down which unit works on which layer when, for the page.
    progress:
        Called with what is being done, how much of it is done, and how much there is (0: unknown).

    Raises
    ------
    VqromError
        If an argument is wrong, the parts do not fit each other, the network does not fit the
        accelerator, or a tool is missing.
    """
    check_seed(seed)
    if input_scale is not None and inputs is None:
        raise VqromError(f"input scale {input_scale!r} goes with inputs, and there are none")
    extras = Extras(tune, baselines, timeline, waves)
    tell = progress or (lambda what, done, total: None)
    if isinstance(network, Topology) or (
            isinstance(network, str | Path) and Path(network).suffix == ".csv"):
        if codebook is not None or inputs is not None:
            raise VqromError(f"topology {named(network, 'given')} goes without codebook and inputs")
        _no_shape(example_shape, named(network, "topology"))
        if waves is not None:
            raise VqromError(f"topology {named(network, 'given')} goes without waves, which are "
                             f"those of a network's layer, not with {waves!r}")
        return _run_topology(load_topology(network), load_config(config), weights,
                             engine or "model", seed, extras, tell)
    shapes = isinstance(network, str | Path) and Path(network).suffix == ".onnx"
    engine = engine or ("model" if shapes else "rtl")
    if engine not in ENGINES:
        raise VqromError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    extras.check(engine)
    if waves is not None:
        require_headers()
    if shapes:
        if codebook is not None or inputs is not None:
            raise VqromError(f"shapes of {str(network)!r} go without codebook and inputs; "
                             "compress the file to run it with its weights")
        return _run_shapes(Path(str(network)), load_config(config), weights, engine, seed,
                           extras, tell, example_shape)
    _no_shape(example_shape, named(network, "network"))
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
    if input_scale is not None:
        images = rescaled(images, *input_scale)
    run = _run(loaded, words, accelerator, quantize_input(loaded, images), engine, extras, tell)
    return replace(run, notes=input_notes(loaded, images))


def _no_shape(example_shape: tuple[int, ...], name: str) -> None:
    """Refuse a shape for something that has its own."""
    if example_shape:
        raise VqromError(f"{name} has a shape of its own, so that it must go without that of an "
                         f"example input, not with {example_shape!r}")


def _run_shapes(path: Path, config: AcceleratorConfig, weights: str, engine: str, seed: int,
                extras: Extras, tell: Progress,
                example_shape: tuple[int, ...]) -> SimulationReport:
    """Run an ONNX file's layers with random weights on a random input."""
    if weights not in WEIGHTS:
        raise VqromError(f"weights must be one of {', '.join(WEIGHTS)}, not {weights!r}")
    if engine == "rtl":
        require_tools()
    codebook = random_codebook(config.codewords, config.subvector, seed)
    network = shapes_of(path, codebook, weights == "raw", seed, example_shape)
    return _run(network, codebook, config, random_images(network, seed), engine, extras, tell)


def _run_topology(topology: Topology, config: AcceleratorConfig, weights: str, engine: str,
                  seed: int, extras: Extras, tell: Progress) -> SimulationReport:
    """Run a topology, and what is asked for besides."""
    extras.check(engine)
    report = simulate_topology(topology, config, weights, engine, seed, tell, extras.tune)
    if extras.baselines and weights == "index":
        report["baselines"] = [
            baseline(name, simulate_topology(topology, other, kind, "model", seed, tell,
                                             extras.tune))
            for name, kind, other in others_of(config)]
    run = SimulationReport(report)
    if not extras.timeline:
        return run
    program = topology_program(topology, config, weights, seed, tell, extras.tune)
    return replace(run, timeline=program_timeline([program]))


def _run(network: QuantizedNetwork, codebook: UniversalCodebook, config: AcceleratorConfig,
         images: np.ndarray, engine: str, extras: Extras, tell: Progress) -> SimulationReport:
    """Run quantised images ``[N, H, W, C]`` on an engine, and what is asked for besides."""
    stages = cut_network(network, config)
    report = describe(network, stages, codebook, config, len(images), engine)
    # First, since it is quick and says whether the network fits the accelerator.
    compiled = None if engine == "reference" else _compile(
        network, codebook, config, engine == "rtl", extras.tune, tell)
    if compiled is not None and engine == "model":
        counts = run_stages_model(compiled, len(images), tell)
        run = SimulationReport(report | hardware_figures(report, compiled, counts), None, network)
        return _with_extras(run, compiled, codebook, config, extras, tell)
    if compiled is not None and extras.waves is not None:
        stage_of(compiled, extras.waves)
    tell("integer reference", 0, 0)
    outputs = {output.layer for output in network.outputs}
    # What crosses between stages is compared, too, where an engine computes it.
    crossing = {name for stage in stages if compiled for name in stage.outputs}
    expected = run_reference(network, codebook, images, outputs | crossing)
    wanted = outputs_of(network, expected)
    tell("integer reference", len(images), len(images))
    if compiled is None:
        return SimulationReport(report, _by_name(network, wanted), network)
    run = run_stages_rtl(compiled, codebook, images, tell)
    found = outputs_of(network, run.maps)
    mismatches = sum(int(np.count_nonzero(got != right))
                     for got, right in zip(found, wanted, strict=True))
    recorded, entry = None, {}
    if extras.waves is not None:
        recorded = layer_waves(compiled, codebook.codewords, run, extras.waves, tell)
        entry = {"waves": describe_waves(recorded, extras.waves)}
    result = SimulationReport(report | {
        "bit_exact": mismatches == 0, "mismatches": mismatches,
        "first_mismatch": first_difference(run.maps, expected),
        **hardware_figures(report, compiled, run.counts), **entry},
        _by_name(network, found), network, recorded)
    return _with_extras(result, compiled, codebook, config, extras, tell)


def _with_extras(run: SimulationReport, compiled: CompiledNetwork, codebook: UniversalCodebook,
                 config: AcceleratorConfig, extras: Extras, tell: Progress) -> SimulationReport:
    """The run with its baselines and its timeline, where they are asked for."""
    if extras.timeline:
        programs = [program for program in compiled.programs if program is not None]
        run = replace(run, timeline=program_timeline(programs))
    if not extras.baselines:
        return run
    return replace(run, report=run.report | {"baselines": network_baselines(
        compiled.network, codebook, config, run.report["images"],
        lambda network, other: _compile(network, codebook, other, False, extras.tune, tell),
        tell)})


def _compile(network: QuantizedNetwork, codebook: UniversalCodebook, config: AcceleratorConfig,
             contents: bool, tune: bool, tell: Progress) -> CompiledNetwork:
    if tune:
        return compile_tuned(network, codebook.codewords, config, contents=contents, progress=tell)
    return compile_stages(network, codebook.codewords, config, contents=contents)


def _by_name(network: QuantizedNetwork, outputs: list[np.ndarray]) -> dict[str, np.ndarray]:
    return dict(zip(network.output_names, outputs, strict=True))
