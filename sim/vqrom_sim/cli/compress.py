"""`vqrom compress`: networks onto one universal codebook."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vqrom_hw.errors import VqromError

from .lazy import LazyModule
from .options import OutputOption, QuietOption, command_app, integer
from .progress import bars
from .shapes import input_shape

if TYPE_CHECKING:
    from vqrom_sim import flows, report
    from vqrom_sw import io
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")
    io = LazyModule("vqrom_sw.io")

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
        metavar="SHAPE", help="input of a module.py:factory network, e.g. 1x28x28, or 40 "
        "for vectors; once for all of them or once for each, in order; without such networks, of "
        "ONNX files that leave sizes open")] = None,
    calibration: Annotated[list[Path] | None, typer.Option(
        metavar="FILE.npy", help="float32 inputs [N, C, H, W] (or [N, S, C], [N, C]) that fix the "
        "activation scales of a network of your own, and train it; once for all or once for "
        "each")] = None,
    epochs: Annotated[int, typer.Option(
        metavar="N", parser=integer, help="train the assignments: passes over the calibration "
        "inputs; 0 keeps the first codewords")] = 0,
    start: Annotated[str, typer.Option(
        metavar="HOW", help="codewords at first: those that keep each layer's outputs (outputs), "
        "or the nearest to the weights (nearest), which is faster and worse")] = "outputs",
    augment: Annotated[str, typer.Option(
        metavar="HOW", help="vary inputs in training: by their shape (auto), not (none), moved "
        "(shift), also mirrored (flip), moved in time (time)")] = "auto",
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
        "ones, first and last), none, all (int8 throughout, to compare with)")] = "narrow",
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
            "extraction": extraction, "epochs": epochs, "start": start, "augment": augment,
            "batch": batch,
            "candidates": candidates, "raw_layers": raw_layers, "ranges": ranges,
            "device": device, "seed": seed})


def run(output: Path, quiet: bool, names: Sequence[str], shapes: Sequence[str],
        calibrations: Sequence[Path], labels: Sequence[Path], options: dict[str, Any]) -> None:
    """Compress and write; after an interruption of training, say how it goes on."""
    given = resolve_sources(names, shapes, calibrations, labels)
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


def resolve_sources(networks: Sequence[str], example_inputs: Sequence[str],
                    calibrations: Sequence[Path], labels: Sequence[Path] = ()
                    ) -> list[flows.Source]:
    """Check the networks' names and give each of the user's own its shape and files.

    Parameters
    ----------
    networks:
        As typed.
    example_inputs, calibrations, labels:
        One for all networks that take them, or one for each, in order. Shapes are those of modules
        or, if there is none, of ONNX files.

    Raises
    ------
    VqromError
        If a name is unknown, or lacks its shape or calibration file.
    """
    sources = [flows.Source(name) for name in networks]
    own = [source for source in sources if source.own]
    modules = [source for source in own if ":" in str(source.network)]
    # Calibration inputs tell the sizes that an ONNX file leaves open, if nothing else does.
    shaped = modules or [source for source in sources
                         if example_inputs and Path(str(source.network)).suffix == ".onnx"]
    shapes = _one_each("--example-input", example_inputs, shaped)
    files = _one_each("--calibration", calibrations, own)
    classes = _one_each("--labels", labels, own) if labels else [None] * len(own)
    for place, source in enumerate(sources):
        if source in shaped:
            source = replace(source, example_shape=input_shape(shapes[shaped.index(source)]))
        if sources[place].own:
            number = own.index(sources[place])
            source = replace(source, calibration=files[number], labels=classes[number])
        sources[place] = source
    return sources


def _one_each(option: str, values: Sequence[Any], sources: Sequence[flows.Source]) -> list[Any]:
    """One value for each network; a single one serves them all."""
    if values and not sources:
        what = "modules and ONNX files" if option == "--example-input" else "networks of your own"
        raise VqromError(f"{option} is for {what}, and there is none")
    if sources and not values:
        raise VqromError(f"network {str(sources[0].network)!r} needs {option}")
    if len(values) not in (0, 1, len(sources)):
        raise VqromError(f"{option} must be given once, or once for each of the "
                         f"{len(sources)} networks of your own, not {len(values)} times")
    return list(values) * len(sources) if len(values) == 1 else list(values)
