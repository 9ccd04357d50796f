"""`./run demo`: three real networks on one codebook ROM, from state dict to report."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqrom_hw.codebook import index_width
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import CODEBOOK_FILE, CompressRequest, compress_into
from vqrom_sim.report import area_table, counters_table, plain_table
from vqrom_sw import zoo

from .files import staged
from .progress import Bars, bars
from .sources import resolve_sources

if TYPE_CHECKING:
    import numpy as np

    from vqrom_sim.report import Sample
    from vqrom_sw.codebook import UniversalCodebook

NETWORKS = ("mnist", "usps", "svhn")
CONFIG = "edge16"
SUMMARY_CAPTION = (
    "exact: hardware = integer reference, every byte; float, label: images of the\n"
    "float network's and the true class; cycles: per image; MACs: share of the peak;\n"
    "smaller: weights than in float32, raw layers included")



@dataclass(frozen=True)
class Artefacts:
    """What the demo leaves in memory for its report and summary.

    Members
    -------
    config, codebook:
        The accelerator and the content of its ROM.
    report:
        What ``report.json`` holds.
    seconds:
        Wall-clock time of the whole demo.
    """

    config: AcceleratorConfig
    codebook: UniversalCodebook
    report: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Run:
    """A network's simulation.

    Members
    -------
    report:
        Of the simulation, with ``predictions``: label, class of the float network and class of the
        engine for each image.
    samples:
        The images, for the HTML report.
    """

    report: dict[str, Any]
    samples: tuple[Sample, ...]


def run_demo(output: Path, *, engine: str = "rtl", config_name: str = CONFIG) -> Artefacts:
    """Compress, generate, simulate, compare, synthesise and report.

    Parameters
    ----------
    output:
        Directory for all results; files of an earlier run are replaced when this one succeeds.
    engine:
        ``"rtl"``, or ``"reference"`` to leave the hardware out (tests).
    config_name:
        The accelerator.

    Raises
    ------
    VqromError
        If a tool or the networks' wheel is missing.
    """
    from vqrom_hw.export import generate
    from vqrom_sim.area import estimate_area
    from vqrom_sim.engines import require_tools
    from vqrom_sim.report import write_report
    from vqrom_sw.codebook import UniversalCodebook

    if engine == "rtl":
        require_tools()
    start = time.monotonic()
    with bars() as progress, staged(output) as directory:
        request = CompressRequest(NETWORKS, output)
        compress_into(directory, resolve_sources(NETWORKS, (), ()), request, progress)
        codebook = UniversalCodebook.load(directory / CODEBOOK_FILE)
        config = load_config(config_name, subvector=codebook.subvector, codewords=codebook.size)
        with progress.step("generating Verilog"):
            generate(config, codebook.codewords, directory / "verilog")
        runs = [run_network(name, directory, config, codebook, engine, progress)
                for name in NETWORKS]
        area = estimate_area(config, directory / "verilog", None, progress.callback("area"))
        with progress.step("writing the report"):
            report = write_report(
                directory / "report.html", [run.report for run in runs],
                describe_codebook(codebook), area,
                {run.report["network"]: run.samples for run in runs})
    return Artefacts(config, codebook, report, time.monotonic() - start)


def run_network(name: str, directory: Path, config: AcceleratorConfig,
                codebook: UniversalCodebook, engine: str, progress: Bars) -> Run:
    """Simulate a network of the zoo on all its sample images."""
    import numpy as np

    from vqrom_sim.flows import simulate
    from vqrom_sim.report import Sample, png_data_uri
    from vqrom_sw.formats import load_network

    samples = zoo.load(name)
    network = load_network(directory / f"{name}.vqnet")
    result = simulate(network, codebook, config, samples.images, engine,
                      progress=progress.callback(name))
    outputs = result.outputs
    assert outputs is not None, engine
    np.save(directory / f"{name}-outputs.npy", outputs, allow_pickle=False)
    seen = predictions(samples.labels, classes(samples.logits), classes(outputs))
    pictures = tuple(
        Sample(png_data_uri(image), str(one["label"]), str(one["class"]))
        for image, one in zip(samples.images, seen, strict=True))
    return Run(result.report | {"predictions": seen}, pictures)


def classes(outputs: np.ndarray) -> list[int]:
    """The class of each image: its largest output."""
    return [int(row.argmax()) for row in outputs]


def predictions(labels: Any, floats: list[int], ours: list[int]) -> list[dict[str, int]]:
    """Label, float network's class and engine's class of each image."""
    return [{"label": int(label), "float_class": reference, "class": own}
            for label, reference, own in zip(labels, floats, ours, strict=True)]


def describe_codebook(codebook: UniversalCodebook) -> dict[str, Any]:
    """What the report says of the ROM."""
    return {
        "sha256": codebook.sha256, "subvector": codebook.subvector, "codewords": codebook.size,
        "bytes": codebook.size * codebook.subvector,
        "bits_per_weight": index_width(codebook.size) / codebook.subvector,
    }


def print_figures(artefacts: Artefacts) -> None:
    """What was counted and synthesised, as tables; :func:`print_summary` comes after it."""
    from rich.console import Console

    console, report = Console(), artefacts.report
    measured = [network for network in report["networks"] if network["cycles"] is not None]
    if measured:
        console.print(counters_table(measured))
    console.print(area_table(report["area"]))


def print_summary(artefacts: Artefacts, output: Path) -> None:
    """One screen: what was done, what came out, where it lies."""
    from rich.console import Console

    report, codebook = artefacts.report, artefacts.report["codebook"]
    console = Console(highlight=False)
    console.print(
        f"\n[bold]{len(report['networks'])} pretrained networks on one codebook ROM[/bold] "
        f"({codebook['codewords']} codewords of {codebook['subvector']} weights, "
        f"{codebook['bits_per_weight']:g} bits per weight), "
        f"accelerator {artefacts.config.name}: {artefacts.config.rows} x "
        f"{artefacts.config.columns} MACs, simulated under Verilator")
    table = plain_table("network", "images", "exact", "float", "label", "cycles", "MACs",
                        "weights", "smaller", caption=SUMMARY_CAPTION)
    for network in report["networks"]:
        table.add_row(*summary_row(network))
    console.print(table)
    console.print(f"area: {area_line(report['area'])}")
    console.print(f"results in [bold]{output}[/bold] after {artefacts.seconds:.0f} s: "
                  "report.html, report.json, verilog/, codebook.safetensors, "
                  + ", ".join(f"{network['network']}.vqnet" for network in report["networks"]))


def summary_row(network: dict[str, Any]) -> list[str]:
    """A network's line of the summary."""
    images, seen = network["images"], network["predictions"]
    weights = network["weights"]
    packed_bits = weights["index_bits"] + 8 * weights["raw"]
    return [
        network["network"], str(images),
        "[green]yes[/green]" if network["bit_exact"]
        else f"[red]{network['mismatches']} differ[/red]",
        f"{sum(one['class'] == one['float_class'] for one in seen)}/{images}",
        f"{sum(one['class'] == one['label'] for one in seen)}/{images}",
        "-" if network["cycles"] is None else f"{network['cycles'] // images:,}",
        "-" if network["utilization"] is None else f"{network['utilization']:.1%}",
        f"{weights['count']:,}",
        f"{32 * weights['count'] / packed_bits:.1f} x",
    ]


def area_line(area: dict[str, Any]) -> str:
    """The area in one line."""
    return f"{area['total']['nand2']:,.0f} NAND2 equivalents"


def main() -> None:
    """Run the demo; exit status 1 if the hardware's bytes are not the reference's."""
    parser = argparse.ArgumentParser(prog="vqrom-demo", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/demo"), metavar="DIR")
    arguments = parser.parse_args()
    try:
        artefacts = run_demo(arguments.output)
    except VqromError as error:
        print(f"vqrom: error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("vqrom: interrupted", file=sys.stderr)
        sys.exit(130)
    print_figures(artefacts)
    print_summary(artefacts, arguments.output)
    sys.exit(not all(network["bit_exact"] for network in artefacts.report["networks"]))


if __name__ == "__main__":
    main()
