"""Everything that the compiler decided about a network, as data that can be printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import QuantizedNetwork

from ..compile import compile_passes
from ..program import Program
from .disassembly import CommandLine, disassemble
from .plan_lines import SegmentLine, describe_plan


@dataclass(frozen=True)
class CompilerListing:
    """A compiled network in words.

    Members
    -------
    plan:
        The segments in execution order, with residencies and strips.
    commands:
        The command list.
    program:
        The program that both belong to, without contents.
    """

    plan: tuple[SegmentLine, ...]
    commands: list[CommandLine]
    program: Program


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
        Parameters of the accelerator that the program is for.

    Raises
    ------
    VqromError
        As :func:`vqrom_sw.compiler.compile_network`.
    """
    compilation = compile_passes(network, codewords, config, contents=False)
    program = compilation.program
    return CompilerListing(describe_plan(compilation.plan, compilation.graph),
                           disassemble(program), program)
