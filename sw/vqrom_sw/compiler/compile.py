"""The compiler as one page: the passes that turn a quantised network into programs.

=========================  =====================================  =====================
pass                       what it does                           what it returns
=========================  =====================================  =====================
``cut_network``            what runs where, in which order        list of ``Stage``
``stage_graph``            a stage as tasks and feature maps      ``TaskGraph``
``make_plan``              where maps live, in which strips       ``Plan``
``cut_columns``            parts of layers whose rows do not fit  ``TaskGraph``
``emit``                   a plan as operations, strip by strip   list of ``Operation``
``count_transfers_apart``  input and output count by themselves   list of ``Operation``
``insert_codebook``        loads of a codebook SRAM               list of ``Operation``
``interleave``             no unit waits where it can go on       list of ``Operation``
``schedule``               order of the list, and waits           ``Schedule``
``assemble``               table lines, constants, FETCHes        ``Assembly``
``make_program``           commands as bytes, sizes, limits       ``Program``
=========================  =====================================  =====================

All passes but the first run for each stage of the accelerator; those from ``make_plan`` to
``schedule`` several times, of which :mod:`vqrom_sw.compiler.tilings` takes the best. Each pass
returns a value and changes none of those before. Columns are cut only if there is no plan without,
and then another plan is made. :mod:`vqrom_sw.compiler.listing` shows the plan and the program in
words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import LEVELS, Region
from vqrom_sw.network import Conv, QuantizedNetwork, check_sums

from .network_graph import stage_graph
from .operations import Operation
from .order import Schedule
from .placement import host_reason
from .plan import BEAT_COST, Plan
from .program import COLUMN, Assembly, Program, assemble, pack_table
from .rewrites import Reload, count_transfers_apart, insert_codebook
from .stages import Stage, cut_network
from .task_graph import TaskGraph
from .tilings import Tiling, cheapest_tiling


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


@dataclass(frozen=True)
class CompiledNetwork:
    """A network as stages, with the programs of those that the accelerator runs.

    Members
    -------
    network:
        The quantised network.
    stages:
        Its stages in the order in which they run.
    programs:
        For each stage its program, or None for one of the host.
    """

    network: QuantizedNetwork
    stages: tuple[Stage, ...]
    programs: tuple[Program | None, ...]


def compile_network(network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig,
                    *, codebook_reload: Reload = "network", contents: bool = True,
                    beat_cost: float = BEAT_COST) -> Program:
    """Compile a network that the accelerator does as a whole.

    Parameters
    ----------
    network, codewords, config, codebook_reload, contents, beat_cost:
        As in :func:`compile_stage`.

    Raises
    ------
    VqromError
        If a layer is one of the host, the network belongs to another codebook, or a layer does not
        fit the accelerator.
    """
    return compile_passes(network, codewords, config, codebook_reload=codebook_reload,
                          contents=contents, beat_cost=beat_cost).program


def compile_stages(network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig,
                   *, codebook_reload: Reload = "network", contents: bool = True,
                   beat_cost: float = BEAT_COST) -> CompiledNetwork:
    """Cut a network into stages, and compile those of the accelerator.

    Parameters
    ----------
    network, codewords, config, codebook_reload, contents, beat_cost:
        As in :func:`compile_stage`.

    Raises
    ------
    VqromError
        If the network belongs to another codebook, or a layer does not fit the accelerator.
    """
    stages = cut_network(network, config)
    return CompiledNetwork(network, stages, tuple(
        None if stage.where == "host" else compile_stage(
            network, stage, codewords, config, codebook_reload=codebook_reload,
            contents=contents, beat_cost=beat_cost)
        for stage in stages))


def compile_stage(network: QuantizedNetwork, stage: Stage, codewords: np.ndarray,
                  config: AcceleratorConfig, *, codebook_reload: Reload = "network",
                  contents: bool = True, beat_cost: float = BEAT_COST) -> Program:
    """Compile a stage for an accelerator whose codebook is ``codewords``.

    Parameters
    ----------
    network, stage:
        The quantised network, and one of its stages that the accelerator runs.
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
        If the network belongs to another codebook, sums of a layer may leave int32, or a layer does
        not fit the accelerator.
    """
    return compile_passes(network, codewords, config, stage, codebook_reload=codebook_reload,
                          contents=contents, beat_cost=beat_cost).program


def compile_passes(network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig,
                   stage: Stage | None = None, *, codebook_reload: Reload = "network",
                   contents: bool = True, beat_cost: float = BEAT_COST) -> Compilation:
    """Compile a stage and keep what each pass returned.

    Parameters
    ----------
    network, codewords, config, codebook_reload, contents, beat_cost:
        As in :func:`compile_stage`.
    stage:
        One of the network's stages; by default the only one, as in :func:`compile_network`.

    Raises
    ------
    VqromError
        As :func:`compile_stage` and :func:`compile_network`.
    """
    digest = codebook_sha256(codewords)
    network.check_codebook(digest)
    stage = stage or _only_stage(network, config)
    check_sums(network, stage.layers, codewords)
    graph = stage_graph(network, stage, codewords, config)
    names = ("load", *(layer.name for layer in stage.layers), "store")
    indexed = any(isinstance(layer, Conv) and layer.indices is not None for layer in stage.layers)
    return _run_passes(graph, digest, names, indexed, ends=True,
                       codebook_reload=codebook_reload, contents=contents, beat_cost=beat_cost)


def _only_stage(network: QuantizedNetwork, config: AcceleratorConfig) -> Stage:
    """The stage that is the whole network; refuse host layers by name."""
    for layer in network.layers:
        reason = host_reason(layer, network, config)
        if reason:
            raise VqromError(f"layer {layer.name!r}: must be one that the accelerator does to be "
                             f"part of one program, but {reason}")
    stage, = cut_network(network, config)
    return stage


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
        As in :func:`compile_stage`.

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
    config = graph.config

    def complete(operations: list[Operation]) -> list[Operation]:
        if ends:
            operations = count_transfers_apart(operations, len(names) - 1)
        if indexed and config.codebook_storage == "sram":
            operations = insert_codebook(operations, graph.codewords, codebook_reload)
        return operations

    tiling = cheapest_tiling(graph, beat_cost, complete)
    assembly = assemble(tiling.scheduled, config, len(names),
                        check=indexed and config.codebook_storage == "rom", contents=contents)
    commands = pack_table(assembly.table, digest) if contents else b""
    program = make_program(config, tiling, names, assembly, commands)
    return Compilation(tiling.graph, tiling.plan, tiling.operations, tiling.scheduled, program)


def make_program(config: AcceleratorConfig, tiling: Tiling, names: tuple[str, ...],
                 assembly: Assembly, commands: bytes) -> Program:
    """Put the results of the other passes together; ``commands`` is the table as bytes."""
    inputs, outputs = (tuple(feature_map.dram for feature_map in tiling.graph.maps
                             if feature_map.dram and feature_map.dram.region == region)
                       for region in (Region.INPUT, Region.OUTPUT))
    return Program(
        config=config, layers=names, table=assembly.table, commands=commands,
        constants=assembly.constants, constant_bytes=assembly.constant_bytes,
        scratch_bytes=tiling.plan.scratch_bytes, inputs=inputs, outputs=outputs,
        fetched_bytes=assembly.fetched_bytes, cycle_limit=_cycle_limit(assembly, config))


def _cycle_limit(assembly: Assembly, config: AcceleratorConfig) -> int:
    """Many times what memory accesses one after the other and the loops' steps could take."""
    table = assembly.table
    counts = [COLUMN[f"count_{level}"] for level in range(LEVELS)]
    steps = table[:, counts].prod(1, dtype=np.float64).sum() + table[:, COLUMN["fills"]].sum()
    fetched = sum(sum(streams.values()) for streams in assembly.fetched_bytes)
    return 100_000 + int((len(table) + steps + fetched)
                         * (config.columns + config.rows + config.dram_latency))
