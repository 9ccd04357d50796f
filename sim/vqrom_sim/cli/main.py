"""The command line. Heavy imports are inside the commands, so that `--help` is quick."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vqrom_hw.errors import VqromError
from vqrom_sim import __version__

from .config import app as config_app

app = typer.Typer(
    name="vqrom", add_completion=False, pretty_exceptions_enable=False,
    help="Neural networks as indices into a codebook ROM: compress, generate, simulate, measure.")
app.add_typer(config_app, name="config")


class Engine(StrEnum):
    """What computes outputs and counts."""

    reference = "reference"
    rtl = "rtl"
    model = "model"


def _integer(text: str) -> int:
    # typer's own message does not name the value.
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be an integer, not {text!r}") from None


ConfigOption = Annotated[str, typer.Option(
    "--config", metavar="PRESET|FILE.toml", help="the accelerator (see `vqrom config list`)")]
CodebookOption = Annotated[Path, typer.Option(
    "--codebook", metavar="FILE", help="codebook.safetensors, as `vqrom compress` writes it")]
OutputOption = Annotated[Path, typer.Option(
    "-o", "--output", metavar="DIR", help="directory for the results; other files in it stay")]
QuietOption = Annotated[bool, typer.Option(
    "--quiet", "-q", help="no progress bars and no tables")]


@app.callback(invoke_without_command=True)
def vqrom(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="print the version")] = False,
) -> None:
    """Neural networks as indices into a codebook ROM: compress, generate, simulate, measure."""
    if version:
        typer.echo(f"vqrom {__version__}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def zoo() -> None:
    """List the networks that `compress` knows by name."""
    from .compress import print_zoo
    print_zoo()


@app.command()
def compress(
    networks: Annotated[list[str], typer.Argument(
        metavar="NETWORK...", help="zoo names, module.py:factory for a torch.nn.Module, "
        "FILE.onnx, FILE.tflite (float or int8)")],
    output: OutputOption,
    subvector: Annotated[int | None, typer.Option(
        metavar="D", parser=_integer,
        help="weights of one codeword (4, unless the codebook says otherwise)")] = None,
    codewords: Annotated[int | None, typer.Option(
        metavar="K", parser=_integer,
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
        metavar="N", parser=_integer, help="train the assignments: passes over the calibration "
        "inputs; 0 keeps the first codewords, 9 are good")] = 0,
    start: Annotated[str | None, typer.Option(
        metavar="HOW", help="codewords at first: nearest to the weights (nearest), or those that "
        "keep each layer's outputs (outputs); outputs if they are trained")] = None,
    batch: Annotated[int, typer.Option(
        metavar="N", parser=_integer, help="inputs of a training step")] = 100,
    candidates: Annotated[int, typer.Option(
        metavar="N", parser=_integer, help="nearest codewords to choose among in training")] = 4,
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
        metavar="N", parser=_integer, help="of the codebook's sampling, and of training")] = 0,
    quiet: QuietOption = False,
) -> None:
    """Put networks on one universal codebook: DIR/codebook.safetensors and DIR/NAME.vqnet."""
    from vqrom_sim.flows import CompressRequest

    from .compress import run_compress
    run_compress(CompressRequest(
        tuple(networks), output, subvector, codewords, codebook, extraction,
        tuple(example_input or ()),
        tuple(calibration or ()), tuple(labels or ()), epochs, batch, candidates, raw_layers,
        ranges, device, seed, quiet, start))


@app.command()
def generate(
    config: ConfigOption, codebook: CodebookOption, output: OutputOption,
) -> None:
    """Write the accelerator's Verilog, its memory files and vqrom.json."""
    from .hardware import run_generate
    run_generate(config, codebook, output)


@app.command()
def simulate(
    config: ConfigOption,
    output: OutputOption,
    network: Annotated[Path | None, typer.Argument(
        metavar="[FILE.vqnet]", help="a compressed network")] = None,
    codebook: Annotated[Path | None, typer.Option(
        metavar="FILE", help="codebook.safetensors as compress writes it")] = None,
    inputs: Annotated[Path | None, typer.Option(
        metavar="FILE.npy",
        help="[N, C, H, W]: float32 as the float network takes, or int8")] = None,
    topology: Annotated[Path | None, typer.Option(
        metavar="FILE.csv", help="SCALE-Sim topology in the place of a network: convolutions, or "
        "M, N, K")] = None,
    weights: Annotated[str, typer.Option(
        metavar="KIND", help="of a topology: index or raw")] = "index",
    engine: Annotated[Engine | None, typer.Option(
        help="the generated Verilog under Verilator (rtl), its cycles and counters without values "
        "(model), or its values alone (reference); rtl unless a topology is given")] = None,
    dequantize: Annotated[bool, typer.Option(
        "--dequantize", help="write outputs.npy as float32 in the float network's units")] = False,
    tune: Annotated[bool, typer.Option(
        "--tune", help="try several tilings on the cycle model, keep the fastest")] = False,
    quiet: QuietOption = False,
) -> None:
    """Run a whole network: DIR/outputs.npy and DIR/report.json."""
    from .simulate import SimulateRequest, TopologyRequest, run_simulate, run_topology
    if topology is not None:
        run_topology(TopologyRequest(
            topology, config, output, weights, (engine or Engine.model).value, network, codebook,
            inputs, dequantize, tune, quiet))
        return
    run_simulate(SimulateRequest(
        network, codebook, config, inputs, output, (engine or Engine.rtl).value, dequantize,
        tune, quiet))


@app.command()
def area(
    config: ConfigOption, codebook: CodebookOption, output: OutputOption,
    liberty: Annotated[Path | None, typer.Option(
        metavar="FILE", help="map to this cell library: um2 beside NAND2 equivalents")] = None,
    quiet: QuietOption = False,
) -> None:
    """Synthesise the accelerator and report the area of each component: DIR/area.json."""
    from .hardware import run_area
    run_area(config, codebook, output, liberty, quiet=quiet)


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except (VqromError, typer.TyperException) as error:
        message = (error.format_message() if isinstance(error, typer.TyperException)
                   else str(error))
        # One line, whatever a library put into its message.
        line = " ".join(message.split()).replace("Value error, ", "")
        print(f"vqrom: error: {line}", file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        print("vqrom: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe went away; Python must not complain about it again at exit.
        sys.stderr.close()
        sys.exit(1)
    sys.exit(status or 0)
