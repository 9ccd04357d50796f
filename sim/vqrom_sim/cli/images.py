"""`vqrom images`: inputs of a network, to run it on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqrom_hw.errors import VqromError

from .lazy import LazyModule
from .options import command_app, integer

if TYPE_CHECKING:
    from vqrom_sim import flows, report
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")

app = command_app()


@app.command()
def images(
    network: Annotated[str, typer.Argument(
        metavar="NETWORK", help="a zoo name; with --random a FILE.vqnet")],
    output: Annotated[Path, typer.Option(
        "-o", "--output", metavar="FILE.npy", help="float32 [N, C, H, W], or [N, S, C]")],
    count: Annotated[int | None, typer.Option(
        metavar="N", parser=integer,
        help="how many (all samples that there are; with --random, 1)")] = None,
    labels: Annotated[Path | None, typer.Option(
        metavar="FILE.npy", help="write the samples' true classes here")] = None,
    random: Annotated[bool, typer.Option(
        "--random", help="random inputs of the shape and range of a FILE.vqnet's input")] = False,
    seed: Annotated[int, typer.Option(
        metavar="N", parser=integer, help="seed of random inputs")] = 0,
) -> None:
    """Write inputs of a network: samples of a zoo network, or random ones for a FILE.vqnet."""
    if random and labels is not None:
        raise VqromError(f"--random inputs have no labels, so none go to {str(labels)!r}")
    made = (flows.random_images(network, 1 if count is None else count, seed) if random
            else flows.images(network, count))
    report.save_array(output, made.inputs)
    what = " x ".join(map(str, made.inputs.shape[1:]))
    typer.echo(f"wrote {len(made.inputs)} inputs of {what} to {output}")
    if labels is not None and made.labels is not None:
        report.save_array(labels, made.labels)
        typer.echo(f"wrote their classes to {labels}")
