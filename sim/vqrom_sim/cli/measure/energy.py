"""`vqrom energy`: what a network's run costs, part by part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..lazy import LazyModule
from ..options import CodebookOption, ConfigOption, OutputOption, QuietOption, command_app, integer
from ..progress import bars

if TYPE_CHECKING:
    from vqrom_sim import flows, report
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")

app = command_app()


@app.command()
def energy(
    network: Annotated[Path, typer.Argument(metavar="FILE.vqnet", help="a compressed network")],
    codebook: CodebookOption, config: ConfigOption, output: OutputOption,
    inputs: Annotated[Path, typer.Option(
        metavar="FILE.npy", help="[N, C, H, W] (`vqrom images` writes some); netlists are "
        "simulated on the first")],
    frequency: Annotated[float, typer.Option(
        metavar="MHZ", help="clock, which says how long things leak")],
    liberty: Annotated[list[str], typer.Option(
        metavar="FILE|NAME", default_factory=list, show_default=False,
        help="cells with internal power: a Liberty file, gzipped or not, several times where a "
             "library comes in several files; or sky130 or asap7. Default: sky130")],
    technology: Annotated[str | None, typer.Option(
        metavar="NAME|FILE", help="technology of the memories; default: that of the cells")] = None,
    characterisation: Annotated[str | None, typer.Option(
        metavar="FILE|NAME", help="characterisation.json of this configuration, or one that comes "
        "along, such as edge16-sky130 (docs/sim/energy.md), in the place of --liberty: nothing is "
        "simulated again")] = None,
    windows: Annotated[int, typer.Option(
        parser=integer, metavar="N",
        help="windows of the run that netlists are simulated on")] = 16,
    window_cycles: Annotated[int, typer.Option(
        parser=integer, metavar="N", help="clock cycles of each")] = 256,
    quiet: QuietOption = False,
) -> None:
    """Energy of a network's run by component: DIR/energy.json."""
    report.check_output(output)
    with bars(quiet=quiet) as progress:
        result = flows.energy(
            network, codebook, config, inputs, liberty=liberty, technology=technology,
            frequency_mhz=frequency, windows=windows, window_cycles=window_cycles,
            characterisation=characterisation, progress=progress)
    written = result.save(output)
    if not quiet:
        Console().print(report.energy_table(result.report))
        print(f"wrote {', '.join(written)} to {output}")
