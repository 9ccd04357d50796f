"""`vqrom timing`: how fast the accelerator can be clocked, and what limits it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..lazy import LazyModule
from ..options import CodebookOption, ConfigOption, OutputOption, QuietOption, command_app
from ..progress import bars

if TYPE_CHECKING:
    from vqrom_sim import flows, report
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")

app = command_app()


@app.command()
def timing(
    config: ConfigOption, codebook: CodebookOption, output: OutputOption,
    liberty: Annotated[list[Path], typer.Option(
        metavar="FILE", help="cells with delay tables, plain or gzipped; several files that are "
                             "one library may be given")],
    technology: Annotated[str, typer.Option(
        metavar="NAME|FILE.toml", help="access times of memories (see `vqrom technology`)")],
    period: Annotated[float | None, typer.Option(
        metavar="NS", help="a clock period to compare with")] = None,
    quiet: QuietOption = False,
) -> None:
    """Time the accelerator with OpenSTA: fastest clock and slowest paths, DIR/timing.json."""
    report.check_output(output)
    with bars(quiet=quiet) as progress:
        measured = flows.timing(config, codebook, liberty=liberty, technology=technology,
                                period_ns=period, progress=progress)
    measured.save(output)
    if not quiet:
        Console().print(report.timing_table(measured.report))
        if measured.slack_ns is not None:
            print(f"slack of the period of {period:g} ns: {measured.slack_ns:g} ns")
        print(f"wrote timing.json to {output}")
