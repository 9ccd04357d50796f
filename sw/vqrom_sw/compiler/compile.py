"""The compiler as one page: the passes that turn a quantised network into a program.

=========================  =====================================  =====================
pass                       what it does                           what it returns
=========================  =====================================  =====================
``network_graph``          a network as tasks and feature maps    ``TaskGraph``
``make_plan``              where maps live, in which strips       ``Plan``
``emit``                   a plan as operations, strip by strip   list of ``Operation``
``count_transfers_apart``  input and output count by themselves   list of ``Operation``
``insert_codebook``        loads of a codebook SRAM               list of ``Operation``
``interleave``             no unit waits where it can go on       list of ``Operation``
``schedule``               order of the list, and waits           ``Schedule``
``assemble``               table lines, constants, FETCHes        ``Assembly``
``make_program``           commands as bytes, sizes, limits       ``Program``
=========================  =====================================  =====================

Each pass returns a value and changes none of those before. :mod:`vqrom_sw.compiler.listing` shows
the plan and the program in words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import LEVELS, Region
from vqrom_sw.network import QuantizedNetwork

from .emission import emit
from .network_graph import network_graph
from .operations import Operation
from .order import Schedule, interleave, schedule
from .plan import BEAT_COST, Plan, make_plan
from .program import COLUMN, Assembly, Program, assemble, pack_table
from .rewrites import Reload, count_transfers_apart, insert_codebook
from .task_graph import TaskGraph


@dataclass(frozen=True)
class Compilation:
    """What the passes returned, one after the other.

    Members
    -------
    graph:
        Tasks and feature maps.
    plan:
        Residencies, segments and strips.
    operations:
        Operations in the order of the plan.
    scheduled:
        Operations in list order, and their waits.
    program:
        The compiled program.
    """

    graph: TaskGraph
    plan: Plan
    operations: list[Operation]
    scheduled: Schedule
    program: Program


def compile_network(network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig,
                    *, codebook_reload: Reload = "network", contents: bool = True,
                    beat_cost: float = BEAT_COST) -> Program:
    """Compile a network for an accelerator whose codebook is ``codewords``.

    Parameters
    ----------
    network:
        The quantised network.
    codewords:
        The codebook, int8 ``[k, d]``.
    config:
        Parameters of the accelerator that the program is for.
    codebook_reload:
        With ``codebook_storage = sram``: load the codebook once, or before each indexed layer.
    contents:
        Make the bytes of commands and constants, which a simulation of cycles does not need.
    beat_cost:
        Estimated cycles that strips may take longer for each bus beat that they save.

    Raises
    ------
    VqromError
        If the network belongs to another codebook, or a layer does not fit the accelerator.
    """
    return compile_passes(network, codewords, config, codebook_reload=codebook_reload,
                          contents=contents, beat_cost=beat_cost).program


def compile_passes(network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig,
                   *, codebook_reload: Reload = "network", contents: bool = True,
                   beat_cost: float = BEAT_COST) -> Compilation:
    """Compile a network and keep what each pass returned; parameters of :func:`compile_network`."""
    digest = codebook_sha256(codewords)
    network.check_codebook(digest)
    graph = network_graph(network, codewords, config)
    names = ("load", *(layer.name for layer in network.layers), "store")
    return _run_passes(graph, digest, names, network.indexed, ends=True,
                       codebook_reload=codebook_reload, contents=contents, beat_cost=beat_cost)


def compile_graph(graph: TaskGraph, names: tuple[str, ...], indexed: bool, *, ends: bool,
                  codebook_reload: Reload = "network", contents: bool = True,
                  beat_cost: float = BEAT_COST) -> Program:
    """Compile a task graph that is there already, such as that of a topology file.

    Parameters
    ----------
    graph:
        The tasks and maps.
    names:
        The names that the tasks' layer numbers stand for.
    indexed:
        Whether the program needs the codebook.
    ends:
        Count loads of inputs and stores of outputs for the first and the last of ``names``, not
        for their layers.
    codebook_reload, contents, beat_cost:
        As in :func:`compile_network`.

    Raises
    ------
    VqromError
        If a task does not fit the accelerator.
    """
    return _run_passes(graph, codebook_sha256(graph.codewords), names, indexed, ends=ends,
                       codebook_reload=codebook_reload, contents=contents,
                       beat_cost=beat_cost).program


def _run_passes(graph: TaskGraph, digest: str, names: tuple[str, ...], indexed: bool, *,
                ends: bool, codebook_reload: Reload, contents: bool,
                beat_cost: float) -> Compilation:
    """All passes after the graph, one after the other; ``digest`` is the codebook's SHA-256."""
    storage = graph.config.codebook_storage
    plan = make_plan(graph, beat_cost)
    operations = emit(graph, plan)
    if ends:
        operations = count_transfers_apart(operations, len(names) - 1)
    if indexed and storage == "sram":
        operations = insert_codebook(operations, graph.codewords, codebook_reload)
    operations = interleave(operations, graph.config)
    scheduled = schedule(operations, graph.config)
    assembly = assemble(scheduled, graph.config, len(names), check=indexed and storage == "rom",
                        contents=contents)
    commands = pack_table(assembly.table, digest) if contents else b""
    program = make_program(graph, names, plan, assembly, commands)
    return Compilation(graph, plan, operations, scheduled, program)


def make_program(graph: TaskGraph, names: tuple[str, ...], plan: Plan, assembly: Assembly,
                 commands: bytes) -> Program:
    """Put the results of the other passes together; ``commands`` is the table as bytes."""
    inputs, outputs = (tuple(feature_map.dram for feature_map in graph.maps
                             if feature_map.dram and feature_map.dram.region == region)
                       for region in (Region.INPUT, Region.OUTPUT))
    return Program(
        config=graph.config, layers=names, table=assembly.table, commands=commands,
        constants=assembly.constants, constant_bytes=assembly.constant_bytes,
        scratch_bytes=plan.scratch_bytes, inputs=inputs, outputs=outputs,
        fetched_bytes=assembly.fetched_bytes, cycle_limit=_cycle_limit(assembly, graph.config))


def _cycle_limit(assembly: Assembly, config: AcceleratorConfig) -> int:
    """Many times what memory accesses one after the other and the loops' steps could take."""
    table = assembly.table
    counts = [COLUMN[f"count_{level}"] for level in range(LEVELS)]
    steps = table[:, counts].prod(1, dtype=np.float64).sum() + table[:, COLUMN["fills"]].sum()
    fetched = sum(sum(streams.values()) for streams in assembly.fetched_bytes)
    return 100_000 + int((len(table) + steps + fetched)
                         * (config.columns + config.rows + config.dram_latency))
