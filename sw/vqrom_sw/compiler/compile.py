"""The compiler: a quantised network into a program for one accelerator."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Opcode, Region
from vqrom_sw.compiler.plan import BEAT_COST, Plan, Residency, make_plan
from vqrom_sw.compiler.program import (
    COLUMN,
    Assembler,
    Program,
    align,
    pack_table,
    packet_of_codebook,
)
from vqrom_sw.network import QuantizedNetwork

from .emission import emit
from .feature_map import DramMap
from .graph import Graph, beyond_accelerator, network_graph
from .operations import Operation
from .schedule import schedule

__all__ = ["beyond_accelerator", "compile_graph", "compile_network"]

Reload = Literal["network", "layer"]
"""How often a codebook SRAM is filled."""


def compile_network(network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig,
                    *, codebook_reload: Reload = "network", contents: bool = True,
                    beat_cost: float = BEAT_COST) -> Program:
    """Compile a network for the accelerator of ``config`` with ``codewords`` as its codebook.

    Parameters
    ----------
    network:
        Quantised network.
    codewords:
        int8 ``[k, d]``.
    config:
        Accelerator.
    codebook_reload:
        With ``codebook_storage = sram``: load the codebook once, or before each indexed layer.
    contents:
        Make commands' and constants' bytes, which a simulation of cycles does not need.
    beat_cost:
        Estimated cycles that strips may take longer for each bus beat that they save.

    Raises
    ------
    VqromError
        If the network belongs to another codebook, or a layer does not fit the accelerator.
    """
    network.check_codebook(codebook_sha256(codewords))
    graph = network_graph(network, codewords, config)
    names = ("load", *(layer.name for layer in network.layers), "store")
    return compile_graph(graph, names, network.indexed, ends=True,
                         codebook_reload=codebook_reload, contents=contents, beat_cost=beat_cost)


def compile_graph(graph: Graph, names: tuple[str, ...], indexed: bool, *, ends: bool,
                  codebook_reload: Reload = "network", contents: bool = True,
                  beat_cost: float = BEAT_COST) -> Program:
    """Compile tasks.

    Parameters
    ----------
    graph:
        Tasks and maps.
    names:
        What the tasks' layer numbers stand for.
    indexed:
        Whether the program needs the codebook.
    ends:
        Loads of inputs and stores of outputs count for the first and the last of ``names``,
        not for their layers.
    codebook_reload, contents, beat_cost:
        As in :func:`compile_network`.
    """
    config = graph.config
    plan = make_plan(graph, beat_cost)
    scratch = _place_scratch(graph, plan)
    operations = emit(graph, plan)
    if ends:
        operations = [_at_end(operation, len(names) - 1) for operation in operations]
    if indexed and config.codebook_storage == "sram":
        operations = _with_codebook(operations, graph.codewords, codebook_reload)
    operations, waits = schedule(operations, config)
    assembler = Assembler(config, len(names), contents)
    table = assembler.assemble(operations, waits,
                               check=indexed and config.codebook_storage == "rom")
    commands = pack_table(table, codebook_sha256(graph.codewords)) if contents else b""
    inputs, outputs = (tuple(feature_map.dram for feature_map in graph.maps
                             if feature_map.dram and feature_map.dram.region == region)
                       for region in (Region.INPUT, Region.OUTPUT))
    return Program(
        config, names, table, commands, assembler.constants, assembler.constant_bytes, scratch,
        inputs, outputs, tuple(assembler.moved), _cycle_limit(table, assembler.moved, config))


def _place_scratch(graph: Graph, plan: Plan) -> int:
    """Give spilled maps their places; bytes of all."""
    size = 0
    for feature_map in graph.maps:
        if plan.residency[feature_map] == Residency.SPILLED and feature_map.dram is None:
            lanes = feature_map.words * graph.config.rows
            shape = (feature_map.height, feature_map.width, lanes)
            feature_map.dram = DramMap(Region.SCRATCH, size, shape, lanes, 0, feature_map.width,
                                       feature_map.pitch * graph.config.rows)
            size = align(size + feature_map.dram.size)
    return size


def _at_end(operation: Operation, last: int) -> Operation:
    """Count what moves inputs and outputs for the first and the last layer."""
    rows = operation.dram
    if rows is None or not (rows.map.is_input or rows.map.is_output):
        return operation
    return Operation(operation.opcode, 0 if rows.map.is_input else last, operation.fields,
                     operation.reads, operation.writes, rows)


def _with_codebook(operations: list[Operation], codewords: np.ndarray,
                   reload: Reload) -> list[Operation]:
    """Put in CODEBOOK before the first operation, or wherever another layer looks up codewords."""
    packet = packet_of_codebook(codewords)
    result: list[Operation] = []
    loaded: int | None = None
    for operation in operations:
        looks_up = operation.opcode == Opcode.COMPUTE and not operation.fields["raw"]
        if looks_up and (loaded is None or (reload == "layer" and loaded != operation.layer)):
            loaded = operation.layer
            result.append(Operation(Opcode.CODEBOOK, operation.layer,
                                    {"codewords": len(codewords)}, packets=(packet,)))
        result.append(operation)
    return result


def _cycle_limit(table: np.ndarray, moved: list[dict[str, int]],
                 config: AcceleratorConfig) -> int:
    """Many times what memory accesses one after the other and the loops' steps could take."""
    counts = [COLUMN[f"count_{level}"] for level in range(6)]
    steps = table[:, counts].prod(1, dtype=np.float64).sum() + table[:, COLUMN["fills"]].sum()
    fetched = sum(sum(streams.values()) for streams in moved)
    return 100_000 + int((len(table) + steps + fetched)
                         * (config.columns + config.rows + config.dram_latency))
