"""A network stage by stage: programs on an engine, host layers in the integer reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.engines import Counts, prepare_model, run_model, run_rtl
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import CompiledNetwork, Program, Reload, compile_stage, cut_network
from vqrom_sw.network import INPUT, QuantizedNetwork
from vqrom_sw.progress import Progress
from vqrom_sw.reference import run_layers

from .tuning import fastest_program


@dataclass(frozen=True)
class StagedRun:
    """What an engine computed and counted.

    Members
    -------
    counts:
        For each stage what was counted; None for the host's.
    maps:
        int8 ``[N, H, W, C]`` of all maps that crossed between stages or are outputs, by name, in
        the order in which they were made; the network's input is the first.
    """

    counts: tuple[Counts | None, ...]
    maps: dict[str, np.ndarray]


def compile_tuned(network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig, *,
                  contents: bool, progress: Progress | None = None,
                  codebook_reload: Reload = "network") -> CompiledNetwork:
    """As :func:`vqrom_sw.compiler.compile_stages`, each program the fastest of several tilings."""
    stages = cut_network(network, config)
    programs = tuple(
        None if stage.where == "host" else fastest_program(
            partial(compile_stage, network, stage, codewords, config,
                    codebook_reload=codebook_reload), contents=contents, progress=progress)
        for stage in stages)
    return CompiledNetwork(network, stages, programs)


def run_stages_model(compiled: CompiledNetwork, images: int,
                     progress: Progress) -> tuple[Counts | None, ...]:
    """Time the programs of all stages; host layers take none of the accelerator's cycles."""
    return tuple(None if program is None else run_model(program, images, progress)
                 for program in compiled.programs)


def run_stages_rtl(compiled: CompiledNetwork, codebook: UniversalCodebook, images: np.ndarray,
                   progress: Progress) -> StagedRun:
    """Run all stages, each for all images, on maps that the stages before computed.

    Parameters
    ----------
    compiled:
        The stages and their programs, with contents.
    codebook:
        Content of the ROM.
    images:
        int8 ``[N, H, W, C]``.
    progress:
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    VqromError
        If tools are missing, images do not fit the simulated DRAM, or a simulation fails.
    """
    programs = [program for program in compiled.programs if program is not None]
    model = prepare_model(programs[0].config, codebook.codewords, progress) if programs else None
    maps, counts, done = {INPUT: images}, list[Counts | None](), 0
    for stage, program in zip(compiled.stages, compiled.programs, strict=True):
        if program is None:
            made = run_layers(compiled.network, codebook, stage.layers, maps, stage.outputs)
            maps |= {name: made[name] for name in stage.outputs}
            counts.append(None)
            continue
        placed = place_inputs(compiled.network, program, stage.inputs, maps)
        run = run_rtl(program, codebook.codewords, placed,
                      _part_of(progress, done, len(programs)), model)
        maps |= dict(zip(stage.outputs, program.all_output_maps(run.outputs), strict=True))
        counts.append(run)
        done += 1
    return StagedRun(tuple(counts), maps)


def place_inputs(network: QuantizedNetwork, program: Program, names: tuple[str, ...],
                 maps: dict[str, np.ndarray]) -> np.ndarray:
    """The DRAM region INPUT of a program for each image, uint8 ``[N, input_bytes]``."""
    return program.input_images(
        [maps[name] for name in names],
        [network.quantization_of(name).zero_point for name in names])


def first_difference(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> str | None:
    """Name of the first map that differs from the reference's; None if all are the same."""
    return next((name for name, values in found.items()
                 if not np.array_equal(values, expected[name])), None)


def _part_of(progress: Progress, number: int, parts: int) -> Progress:
    """Progress of one of several simulations of the same images, as progress of them all."""
    return lambda what, done, total: progress(what, number * total + done, parts * total)
