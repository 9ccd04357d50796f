"""Everything that the compiler decided about a network, as data that can be printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import QuantizedNetwork

from ..compile import compile_passes
from ..program import Program
from ..stages import Stage, cut_network
from .disassembly import CommandLine, disassemble
from .plan_lines import SegmentLine, describe_plan


@dataclass(frozen=True)
class StageListing:
    """A stage in words.

    Members
    -------
    stage:
        Where it runs, its layers, and the maps that it reads and gives.
    plan:
        The segments in execution order, with residencies and strips; none for a stage of the host.
    commands:
        The command list; empty for a stage of the host.
    program:
        The program that both belong to, without contents; None for a stage of the host.
    """

    stage: Stage
    plan: tuple[SegmentLine, ...] = ()
    commands: tuple[CommandLine, ...] = ()
    program: Program | None = None


@dataclass(frozen=True)
class CompilerListing:
    """A compiled network in words.

    Members
    -------
    config:
        The accelerator that it is compiled for.
    stages:
        What the compiler made of each stage, in the order in which they run.
    """

    config: AcceleratorConfig
    stages: tuple[StageListing, ...]


def explain_network(network: QuantizedNetwork, codewords: np.ndarray,
                    config: AcceleratorConfig) -> CompilerListing:
    """Compile a network once, without contents, and return what the compiler made of it.

    Parameters
    ----------
    network:
        The quantised network.
    codewords:
        The codebook, int8 ``[k, d]``.
    config:
        Parameters of the accelerator that the programs are for.

    Raises
    ------
    VqromError
        As :func:`vqrom_sw.compiler.compile_stages`.
    """
    return CompilerListing(config, tuple(
        StageListing(stage) if stage.where == "host"
        else _explain_stage(network, stage, codewords, config)
        for stage in cut_network(network, config)))


def _explain_stage(network: QuantizedNetwork, stage: Stage, codewords: np.ndarray,
                   config: AcceleratorConfig) -> StageListing:
    compilation = compile_passes(network, codewords, config, stage, contents=False)
    program = compilation.program
    return StageListing(stage, describe_plan(compilation.plan, compilation.graph),
                        tuple(disassemble(program)), program)
