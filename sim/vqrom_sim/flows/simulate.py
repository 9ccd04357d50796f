"""Simulate a whole network: run an engine, compare with the reference, report from counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim.engines import run_rtl
from vqrom_sim.report import describe, hardware_figures
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import BEAT_COST, Program, compile_network
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.progress import Progress
from vqrom_sw.reference import output_of, quantize_input, run_reference

from .tuning import fastest_program

ENGINES = ("reference", "rtl", "model")


@dataclass(frozen=True)
class SimulationResult:
    """What an engine computed.

    Members
    -------
    outputs:
        int8 ``[N, *output_shape]``, the engine's own; None of the cycle model, which has no values.
    report:
        What ``report.json`` holds (``docs/report-schema.md``).
    """

    outputs: np.ndarray | None
    report: dict[str, Any]


def simulate(network: QuantizedNetwork, codebook: UniversalCodebook, config: AcceleratorConfig,
             inputs: np.ndarray, engine: str = "rtl",
             progress: Progress | None = None, tune: bool = False) -> SimulationResult:
    """Run a network on every input.

    Parameters
    ----------
    network:
        Quantised network.
    codebook:
        Content of the ROM.
    config:
        Accelerator.
    inputs:
        ``[N, C, H, W]``, float32 as the float network takes it or int8 already quantised.
    engine:
        ``"rtl"`` (the generated Verilog under Verilator), ``"model"`` (its cycles and counters
        without its values) or ``"reference"`` (its values alone).
    progress:
        Called with what is being done, how much of it is done, and how much there is (0: unknown).
    tune:
        Take the fastest of several tilings, tried on the cycle model.

    Raises
    ------
    VqromError
        If the parts do not fit each other, the network does not fit the accelerator, or a tool is
        missing.
    """
    if engine not in ENGINES:
        raise VqromError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    tell = progress or (lambda what, done, total: None)
    images = quantize_input(network, inputs)

    def compile_for(*, contents: bool, beat_cost: float = BEAT_COST) -> Program:
        return compile_network(network, codebook.codewords, config, contents=contents,
                               beat_cost=beat_cost)

    def compiled(contents: bool) -> Program:
        if tune:
            return fastest_program(compile_for, contents=contents, progress=tell)
        return compile_for(contents=contents)

    if engine == "model":
        from vqrom_sim.engines import run_model

        program = compiled(contents=False)
        report = describe(network, codebook, config, len(images), engine)
        run = run_model(program, len(images), tell)
        return SimulationResult(None, report | hardware_figures(report, program, run))
    # First, since it is quick and says whether the network fits the accelerator.
    program = compiled(contents=True) if engine == "rtl" else None
    tell("integer reference", 0, 0)
    expected = output_of(network, run_reference(network, codebook, images))
    tell("integer reference", len(images), len(images))
    report = describe(network, codebook, config, len(images), engine)
    if program is None:
        return SimulationResult(expected, report | {"bit_exact": True, "mismatches": 0})

    placed = program.input_image(images, network.input_quantization.zero_point)
    run = run_rtl(program, codebook.codewords, placed, tell)
    maps = program.output_maps(run.outputs)
    outputs = maps.transpose(0, 3, 1, 2).reshape(expected.shape)
    mismatches = int(np.count_nonzero(outputs != expected))
    return SimulationResult(outputs, report | {
        "bit_exact": mismatches == 0, "mismatches": mismatches,
        **hardware_figures(report, program, run)})
