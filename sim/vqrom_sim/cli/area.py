"""`vqrom area`: what the accelerator takes in logic and memories, part by part."""

from __future__ import annotations

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
    liberty: Annotated[list[str], typer.Option(
        metavar="FILE|NAME", default_factory=list, show_default=False,
        help="cells: a Liberty file, gzipped or not, several times where a library comes in "
             "several files; or sky130, asap7 or generic. Default: sky130 if found, else generic")],
    technology: Annotated[str | None, typer.Option(
        metavar="NAME|FILE", help="technology of the memories; default: that of the cells")] = None,
    check_flat: Annotated[bool, typer.Option(
        "--check-flat", help="also synthesise the whole in one piece and compare: slow")] = False,
    quiet: QuietOption = False,
) -> None:
    """Synthesise the accelerator, report its parts' area: DIR/area.json and DIR/report.html."""
    report.check_output(output)
    with bars(quiet=quiet) as progress:
        measured = flows.area(config, codebook, liberty=liberty, technology=technology,
                              check_flat=check_flat, progress=progress)
    measured.save(output)
    if not quiet:
        note = measured.report["library"]["note"]
        if note:
            print(f"note: {note}")
        Console().print(report.area_table(measured.report))
        print(f"wrote area.json, report.html and the Verilog that it is of to {output}")
