"""`vqrom area`: what the accelerator takes in logic, part by part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from .lazy import LazyModule
from .options import CodebookOption, ConfigOption, OutputOption, QuietOption, command_app
from .progress import bars

if TYPE_CHECKING:
    from vqrom_sim import flows, report
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")

app = command_app()


@app.command()
def area(
    config: ConfigOption, codebook: CodebookOption, output: OutputOption,
    liberty: Annotated[list[Path], typer.Option(
        metavar="FILE", default_factory=list,
        help="map to this cell library: um2 beside NAND2 equivalents; gzipped or not, and several "
             "times where a library comes in several files")],
    quiet: QuietOption = False,
) -> None:
    """Synthesise the accelerator and report the area of each component: DIR/area.json."""
    report.check_output(output)
    with bars(quiet=quiet) as progress:
        measured = flows.area(config, codebook, liberty=liberty, progress=progress)
    measured.save(output)
    if not quiet:
        Console().print(report.area_table(measured.report))
        print(f"wrote area.json and the Verilog that it is of to {output}")
