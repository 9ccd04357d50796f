"""The command `vqrom study`: many points, one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vqrom_hw.errors import VqromError

from ..lazy import LazyModule
from ..options import QuietOption, command_app, integer
from ..progress import bars

if TYPE_CHECKING:
    from vqrom_sim import studies

    from . import printed
else:
    studies = LazyModule("vqrom_sim.studies")
    printed = LazyModule("vqrom_sim.cli.study.printed")

app = command_app()

LIST = "list"
"""What stands in the place of a study to see which ones come with vqrom."""


@app.command()
def study(
    source: Annotated[str, typer.Argument(
        metavar="FILE.toml|NAME|list", help="a study file, or the name of a study that comes with "
        "vqrom; list shows those")],
    output: Annotated[Path | None, typer.Option(
        "-o", "--output", metavar="DIR", help="directory for the table; the same directory again "
        "goes on where an interrupted study was")] = None,
    workers: Annotated[int | None, typer.Option(
        metavar="N", parser=integer, help="processes on this machine; one for each processor "
        "unless given")] = None,
    scheduler: Annotated[str | None, typer.Option(
        metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do "
        "the work instead")] = None,
    quiet: QuietOption = False,
) -> None:
    """Measure many accelerators on many workloads: DIR/points.parquet, DIR/points.csv."""
    if source == LIST:
        Console().print(printed.shipped_table())
        return
    if output is None:
        raise VqromError("study must be given a directory, -o DIR")
    if workers is not None and scheduler is not None:
        raise VqromError(f"--workers goes without --scheduler, not with {scheduler!r}")
    loaded = studies.Study.load(source)
    with bars(quiet=quiet) as progress:
        table = studies.run_study(loaded, output, workers=workers, scheduler=scheduler,
                                  progress=progress.callback())
    if not quiet:
        printed.print_result(loaded, table)
        page = ", report.html" if loaded.file.objectives else ""
        print(f"wrote points.parquet, points.csv{page} to {output}")
