"""`vqrom simulate`, of a network and of a topology."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from vqrom_hw.errors import VqromError

from .lazy import LazyModule
from .options import ConfigOption, OutputOption, QuietOption, command_app
from .progress import bars
from .shapes import input_shape

if TYPE_CHECKING:
    from vqrom_sim import flows, report
else:
    flows, report = LazyModule("vqrom_sim.flows"), LazyModule("vqrom_sim.report")

app = command_app()
T = TypeVar("T")


class Engine(StrEnum):
    """What computes outputs and counts."""

    reference = "reference"
    rtl = "rtl"
    model = "model"


@app.command()
def simulate(
    config: ConfigOption,
    output: OutputOption,
    network: Annotated[Path | None, typer.Argument(
        metavar="[FILE.vqnet]", help="a compressed network")] = None,
    codebook: Annotated[Path | None, typer.Option(
        metavar="FILE", help="codebook.safetensors as compress writes it")] = None,
    inputs: Annotated[Path | None, typer.Option(
        metavar="FILE.npy", help="[N, C, H, W]: float32 as the float network takes, or int8 "
        "(`vqrom images` writes some)")] = None,
    input_scale: Annotated[str | None, typer.Option(
        metavar="SCALE,ZERO", help="what int8 inputs stand for, scale * (q - zero), where it is "
        "not what the network takes (`vqrom show`)")] = None,
    topology: Annotated[Path | None, typer.Option(
        metavar="FILE", help="shapes in the place of a network: a SCALE-Sim topology "
        "(convolutions, or M, N, K), or an ONNX file, whose weights may be absent")] = None,
    example_input: Annotated[str | None, typer.Option(
        metavar="SHAPE", help="input of an ONNX topology that leaves sizes open, e.g. "
        "3x224x224")] = None,
    weights: Annotated[str, typer.Option(
        metavar="KIND", help="weights of a topology: index or raw")] = "index",
    engine: Annotated[Engine | None, typer.Option(
        help="the generated Verilog under Verilator (rtl), its cycles and counters without values "
        "(model), or its values alone (reference); rtl unless a topology is given")] = None,
    dequantize: Annotated[bool, typer.Option(
        "--dequantize", help="write outputs as float32 in the float network's units")] = False,
    tune: Annotated[bool, typer.Option(
        "--tune", help="try several tilings on the cycle model, keep the fastest")] = False,
    waves: Annotated[str | None, typer.Option(
        metavar="LAYER", help="record all signals while the accelerator works on a layer for the "
        "first input: DIR/waves.fst, for GTKWave or Surfer")] = None,
    baselines: Annotated[bool, typer.Option(
        "--baselines", help="also time dense int8 weights, and the codebook in an SRAM, on the "
        "cycle model")] = False,
    timeline: Annotated[bool, typer.Option(
        "--timeline", help="also show in DIR/report.html which unit works on which layer "
        "when")] = False,
    frequency: Annotated[float | None, typer.Option(
        metavar="MHZ", help="clock: also report seconds and inferences per second")] = None,
    timing: Annotated[Path | None, typer.Option(
        metavar="FILE", help="the same at the fastest clock of this timing.json (see `vqrom "
        "timing`)")] = None,
    quiet: QuietOption = False,
) -> None:
    """Run a whole network: DIR/outputs.npy (.npz), DIR/report.json, DIR/report.html."""
    if topology is None:
        subject = _given(network, "FILE.vqnet")
        _given(codebook, "--codebook")
        _given(inputs, "--inputs")
        if engine == Engine.model and dequantize:
            raise VqromError("--dequantize needs outputs, which engine 'model' does not compute")
        if example_input is not None:
            raise VqromError("--example-input goes with an ONNX --topology, not with "
                             f"{str(subject)!r}")
        source: object = subject
    else:
        for given, name in ((network, "FILE.vqnet"), (codebook, "--codebook"),
                            (inputs, "--inputs"), (input_scale, "--input-scale"),
                            (dequantize or None, "--dequantize")):
            if given is not None:
                raise VqromError(f"--topology goes without {name}, not with {str(given)!r}")
        # Read here: a topology may have any suffix, which tells one from a network elsewhere.
        subject = topology
        source = topology if topology.suffix == ".onnx" else flows.load_topology(topology)
    clock = flows.load_clock(frequency, timing)
    if clock is not None and engine == Engine.reference:
        raise VqromError("--frequency and --timing need cycles, which engine 'reference' does not "
                         "count")
    report.check_output(output)
    with bars(quiet=quiet) as progress:
        result = flows.simulate(
            source, codebook, config, inputs, None if engine is None else engine.value,
            weights=weights, tune=tune, waves=waves, baselines=baselines, timeline=timeline,
            example_shape=() if example_input is None else input_shape(example_input),
            input_scale=None if input_scale is None else scale_and_zero(input_scale),
            progress=progress.callback(subject.stem))
    if clock is not None:
        result = flows.at_clock(result, clock)
    written = result.save(output, dequantized=dequantize)
    if not quiet:
        Console().print(report.simulate_table(result.report))
        for note in result.notes:
            print(note)
        print(f"wrote {', '.join(written)} to {output}")
        if result.waves is not None and not result.waves.complete:
            print(f"waves hold the first {result.waves.cycles} of the layer's "
                  f"{result.waves.window[1] - result.waves.window[0]} cycles")


def scale_and_zero(text: str) -> tuple[float, int]:
    """Read a scale and a zero point, such as ``0.5847,83``.

    Raises
    ------
    VqromError
        If it is anything else.
    """
    scale, comma, zero_point = text.partition(",")
    try:
        if comma:
            return float(scale), int(zero_point)
    except ValueError:
        pass
    raise VqromError(f"--input-scale must be SCALE,ZERO such as 0.5847,83, not {text!r}")


def _given(value: T | None, name: str) -> T:
    if value is None:
        raise VqromError(f"simulate must be given {name}, or --topology FILE")
    return value
