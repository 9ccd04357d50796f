"""`vqrom compress`: networks onto one universal codebook."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .lazy import LazyModule
from .options import OutputOption, QuietOption, command_app, integer
from .progress import bars

if TYPE_CHECKING:
    from vqrom_sim import flows, report

    from . import sources
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")
    sources = LazyModule("vqrom_sim.cli.sources")

app = command_app()


@app.command()
def compress(
    networks: Annotated[list[str], typer.Argument(
        metavar="NETWORK...", help="zoo names, module.py:factory for a torch.nn.Module, "
        "FILE.onnx, FILE.tflite (float or int8)")],
    output: OutputOption,
    subvector: Annotated[int | None, typer.Option(
        metavar="D", parser=integer,
        help="weights of one codeword (4, unless the codebook says otherwise)")] = None,
    codewords: Annotated[int | None, typer.Option(
        metavar="K", parser=integer,
        help="size of the codebook (256, unless the codebook says otherwise)")] = None,
    codebook: Annotated[Path | None, typer.Option(
        metavar="FILE", help="encode for this ROM instead of extracting a codebook")] = None,
    extraction: Annotated[str, typer.Option(
        metavar="HOW", help="codewords drawn from the kernel density of the weights (kde), "
        "k-means (kmeans), or sums of two small codebooks' codewords (additive)")] = "kde",
    example_input: Annotated[list[str] | None, typer.Option(
        metavar="SHAPE", help="input of a module.py:factory network, e.g. 1x28x28; "
        "once for all of them or once for each, in order")] = None,
    calibration: Annotated[list[Path] | None, typer.Option(
        metavar="FILE.npy", help="float32 [N, C, H, W] inputs that fix the activation "
        "scales of a network of your own, and train it; once for all or once for each")] = None,
    epochs: Annotated[int, typer.Option(
        metavar="N", parser=integer, help="train the assignments: passes over the calibration "
        "inputs; 0 keeps the first codewords, 9 are good")] = 0,
    start: Annotated[str | None, typer.Option(
        metavar="HOW", help="codewords at first: nearest to the weights (nearest), or those that "
        "keep each layer's outputs (outputs); outputs if they are trained")] = None,
    batch: Annotated[int, typer.Option(
        metavar="N", parser=integer, help="inputs of a training step")] = 100,
    candidates: Annotated[int, typer.Option(
        metavar="N", parser=integer, help="nearest codewords to choose among in training")] = 4,
    labels: Annotated[list[Path] | None, typer.Option(
        metavar="FILE.npy", help="classes of the calibration inputs, for training; none needed: "
        "the float network teaches")] = None,
    raw_layers: Annotated[str, typer.Option(
        metavar="WHICH", help="layers with int8 weights instead of indices: narrow (fewer input "
        "channels than a codeword), small (those, and the smallest with at most 2 % of the other "
        "weights), streams (those, and the first of each stream of residual sums), ends (narrow "
        "ones, first and last), none")] = "narrow",
    ranges: Annotated[str, typer.Option(
        metavar="HOW", help="ranges of feature maps: minmax, percentile (all values but 1e-5 on "
        "either side), mse (least squared error)")] = "percentile",
    device: Annotated[str, typer.Option(help="where to train, e.g. cuda")] = "cpu",
    seed: Annotated[int, typer.Option(
        metavar="N", parser=integer,
        help="seed of the codebook's sampling, and of training")] = 0,
    quiet: QuietOption = False,
) -> None:
    """Put networks on one universal codebook: DIR/codebook.safetensors and DIR/NAME.vqnet."""
    report.check_output(output)
    run(output, quiet, networks, tuple(example_input or ()), tuple(calibration or ()),
        tuple(labels or ()), {
            "codebook": codebook, "subvector": subvector, "codewords": codewords,
            "extraction": extraction, "epochs": epochs, "start": start, "batch": batch,
            "candidates": candidates, "raw_layers": raw_layers, "ranges": ranges,
            "device": device, "seed": seed})


def run(output: Path, quiet: bool, names: Sequence[str], shapes: Sequence[str],
        calibrations: Sequence[Path], labels: Sequence[Path], options: dict[str, Any]) -> None:
    """Compress and write; after an interruption of training, say how it goes on."""
    given = sources.resolve_sources(names, shapes, calibrations, labels)
    kept = [flows.checkpoint_path(output, source.name) for source in given]
    try:
        with bars(quiet=quiet) as progress:
            result = flows.compress(given, checkpoints=output, progress=progress, **options)
    except KeyboardInterrupt:
        if any(path.exists() for path in kept):
            print(f"the same command goes on from {output}/*{kept[0].suffix}", file=sys.stderr)
        raise
    written = result.save(output)
    if not quiet:
        print(f"wrote {', '.join(written)} to {output}")
        for note in result.notes:
            print(note)
