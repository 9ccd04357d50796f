"""`vqrom generate`, `vqrom simulate` and `vqrom area`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError

from .cli_files import check_output, load_array, require_file, staged
from .cli_progress import bars

if TYPE_CHECKING:
    from vqrom_sw.codebook import UniversalCodebook


@dataclass(frozen=True)
class SimulateRequest:
    """The arguments of `vqrom simulate`, as typed."""

    network: Path
    codebook: Path
    config: str
    inputs: Path
    output: Path
    engine: str
    dequantize: bool
    quiet: bool


def read_hardware(config: str, codebook: Path) -> tuple[AcceleratorConfig, UniversalCodebook]:
    """A codebook and the configuration that holds it.

    Raises
    ------
    VqromError
        If either cannot be read or they do not fit.
    """
    require_file(codebook, "codebook")
    # Before the codebook: a wrong configuration is said at once, without the imports below.
    load_config(config)
    from vqrom_sw.codebook import UniversalCodebook

    loaded = UniversalCodebook.load(codebook)
    return load_config(config, subvector=loaded.subvector, codewords=loaded.size), loaded


def run_generate(config_source: str, codebook_file: Path, output: Path) -> None:
    """Write Verilog, memory files and metadata to a directory."""
    check_output(output)
    config, codebook = read_hardware(config_source, codebook_file)
    from vqrom_hw.generate import generate

    with bars() as progress, staged(output) as directory:
        with progress.step("generating Verilog"):
            generate(config, codebook.codewords, directory)
        written = sorted(path.name for path in directory.iterdir())
    print(f"wrote {', '.join(written)} to {output}")


def run_simulate(request: SimulateRequest) -> None:
    """Write the outputs and the report of a whole network's run to a directory."""
    require_file(request.network, "network")
    require_file(request.inputs, "inputs")
    check_output(request.output)
    config, codebook = read_hardware(request.config, request.codebook)
    inputs = load_array(request.inputs, "inputs")
    import numpy as np

    from vqrom_sw.files import load_network
    from vqrom_sw.reference import dequantize

    from .simulate import simulate
    from .tools import require_tools

    network = load_network(request.network)
    if network.indexed and network.codebook_sha256 != codebook.sha256:
        raise VqromError(
            f"network {str(request.network)!r} must run on its own ROM, the codebook with SHA-256 "
            f"{network.codebook_sha256[:16]}..., not on {str(request.codebook)!r}, "
            f"{codebook.sha256[:16]}...")
    if request.engine == "rtl":
        require_tools()
    with bars(quiet=request.quiet) as progress:
        result = simulate(network, codebook, config, inputs, request.engine,
                          progress=progress.callback(network.name))
    outputs = dequantize(network, result.outputs) if request.dequantize else result.outputs
    with staged(request.output) as directory:
        np.save(directory / "outputs.npy", outputs, allow_pickle=False)
        write_json(directory / "report.json", result.report)
    if not request.quiet:
        _print_report(result.report)
        print(f"wrote outputs.npy and report.json to {request.output}")


def run_area(config_source: str, codebook_file: Path, output: Path, liberty: Path | None, *,
             quiet: bool) -> None:
    """Write the area of each component to a directory."""
    check_output(output)
    if liberty is not None:
        require_file(liberty, "liberty")
    config, codebook = read_hardware(config_source, codebook_file)
    from vqrom_hw.generate import generate

    from .area import estimate_area

    with bars(quiet=quiet) as progress, staged(output) as directory:
        with progress.step("generating Verilog"):
            generate(config, codebook.codewords, directory)
        area = estimate_area(config, directory, liberty, progress.callback())
        write_json(directory / "area.json", area)
    if not quiet:
        _print_area(area)
        print(f"wrote area.json and the Verilog that it is of to {output}")


def write_json(path: Path, value: object) -> None:
    """Write strict JSON (no NaN) with a final newline."""
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _print_report(report: dict) -> None:
    from rich.console import Console

    from . import tables
    Console().print(tables.simulate_table(report))


def _print_area(area: dict) -> None:
    from rich.console import Console

    from . import tables
    Console().print(tables.area_table(area))
