"""`vqrom simulate`, of a network and of a topology."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sw.io import load_array, require_file

from .files import check_output, staged, write_json
from .hardware import read_hardware
from .progress import bars

T = TypeVar("T")


@dataclass(frozen=True)
class SimulateRequest:
    """The arguments of `vqrom simulate FILE.vqnet`, as typed."""

    network: Path | None
    codebook: Path | None
    config: str
    inputs: Path | None
    output: Path
    engine: str
    dequantize: bool
    tune: bool
    quiet: bool


@dataclass(frozen=True)
class TopologyRequest:
    """The arguments of `vqrom simulate --topology FILE.csv`, as typed."""

    topology: Path
    config: str
    output: Path
    weights: str
    engine: str
    network: Path | None
    codebook: Path | None
    inputs: Path | None
    dequantize: bool
    tune: bool
    quiet: bool


def run_simulate(request: SimulateRequest) -> None:
    """Write the outputs and the report of a whole network's run to a directory."""
    network_file = require_file(_given(request.network, "FILE.vqnet"), "network")
    codebook_file = _given(request.codebook, "--codebook")
    inputs_file = require_file(_given(request.inputs, "--inputs"), "inputs")
    if request.engine == "model" and request.dequantize:
        raise VqromError("--dequantize needs outputs, which engine 'model' does not compute")
    check_output(request.output)
    config, codebook = read_hardware(request.config, codebook_file)
    inputs = load_array(inputs_file, "inputs")
    import numpy as np

    from vqrom_sim.engines import require_tools
    from vqrom_sim.flows import simulate
    from vqrom_sw.formats import load_network
    from vqrom_sw.reference import dequantize

    network = load_network(network_file)
    if network.indexed and network.codebook_sha256 != codebook.sha256:
        raise VqromError(
            f"network {str(network_file)!r} must run on its own ROM, the codebook with SHA-256 "
            f"{network.codebook_sha256[:16]}..., not on {str(codebook_file)!r}, "
            f"{codebook.sha256[:16]}...")
    if request.engine == "rtl":
        require_tools()
    with bars(quiet=request.quiet) as progress:
        result = simulate(network, codebook, config, inputs, request.engine,
                          progress=progress.callback(network.name), tune=request.tune)
    outputs = result.outputs
    if outputs is not None and request.dequantize:
        outputs = dequantize(network, outputs)
    with staged(request.output) as directory:
        if outputs is not None:
            np.save(directory / "outputs.npy", outputs, allow_pickle=False)
        write_json(directory / "report.json", result.report)
    if not request.quiet:
        _print_report(result.report)
        written = "report.json" if outputs is None else "outputs.npy and report.json"
        print(f"wrote {written} to {request.output}")


def run_topology(request: TopologyRequest) -> None:
    """Write the report of a topology's run to a directory."""
    for given, name in ((request.network, "FILE.vqnet"), (request.codebook, "--codebook"),
                        (request.inputs, "--inputs"), (request.dequantize or None, "--dequantize")):
        if given is not None:
            raise VqromError(f"--topology goes without {name}, not with {str(given)!r}")
    require_file(request.topology, "topology")
    check_output(request.output)
    config = load_config(request.config)
    from vqrom_sim.engines import require_tools
    from vqrom_sim.flows import simulate_topology
    from vqrom_sw.importers import read_topology

    topology = read_topology(request.topology)
    if request.engine == "rtl":
        require_tools()
    with bars(quiet=request.quiet) as progress:
        report = simulate_topology(topology, config, request.weights, request.engine,
                                   progress=progress.callback(topology.name),
                                   tune=request.tune)
    with staged(request.output) as directory:
        write_json(directory / "report.json", report)
    if not request.quiet:
        _print_report(report)
        print(f"wrote report.json to {request.output}")


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise VqromError(f"simulate must be given {name}, or --topology FILE.csv")
    return value


def _print_report(report: dict[str, Any]) -> None:
    from rich.console import Console

    from vqrom_sim.report import tables
    Console().print(tables.simulate_table(report))
