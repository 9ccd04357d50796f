"""`vqrom timing`: how fast the accelerator can be clocked, and what limits it."""

from __future__ import annotations

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
    liberty: Annotated[list[str], typer.Option(
        metavar="FILE|NAME", default_factory=list, show_default=False,
        help="cells with delay tables: a Liberty file, gzipped or not, several times where a "
             "library comes in several files; or sky130 (default) or asap7")],
    technology: Annotated[str | None, typer.Option(
        metavar="NAME|FILE", help="technology of the memories; default: that of the cells")] = None,
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
