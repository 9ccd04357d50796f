"""Export of a module as a graph of aten operations, for any number of images."""

from __future__ import annotations

import logging
import operator
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node

from vqrom_hw.errors import VqromError

from .graph_node import kind_of

EXAMPLES = 2
"""Number of images with which a module is traced; torch takes 1 for a size that is fixed."""

STEPS = 32
"""Most elements of a sequence for which a recurrent layer is unrolled, so that its matrix products
are layers of the accelerator."""

RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
"""Layers that go through a sequence step by step."""


def export(module: torch.nn.Module, example: torch.Tensor,
           known: Collection[str]) -> ExportedProgram:
    """Trace a module.

    Parameters
    ----------
    module:
        The module, in evaluation mode.
    example:
        An input, float32 with one image.
    known:
        Kinds of operations that are not to be taken apart into simpler ones.

    Returns
    -------
    torch.export.ExportedProgram
        The graph, in which in-place operations are functional, and the number of images is a
        symbol.

    Raises
    ------
    VqromError
        If the module is in training mode, the example has another shape than an input has, the
        module does not run on it, cannot be traced for any number of images, or changes a buffer
        of its own.
    """
    if module.training:
        raise VqromError(f"module {type(module).__name__!r} must be in evaluation mode: "
                         "call .eval() first")
    if not 2 <= example.dim() <= 6 or example.shape[0] != 1 or example.dtype != torch.float32:
        raise VqromError("example input must be float32 of shape (1, C, H, W), (1, S, C) or "
                         f"(1, C), not {example.dtype} of {tuple(example.shape)!r}")
    with catch_warnings(), _quiet_logs(), _plain_attention():
        # What torch warns of while tracing is about torch's own internals.
        simplefilter("ignore")
        try:
            with torch.no_grad():
                module(example.clone())
                program = _traced(module, torch.cat([example] * EXAMPLES), known)
        except (Exception, SystemExit) as error:
            raise VqromError(
                f"module {type(module).__name__!r} must run on an input of shape "
                f"{tuple(example.shape)!r}, and be traced by torch.export for any number of "
                f"images, but: {type(error).__name__}: "
                f"{' '.join(str(error).split())[:300]}") from error
    _check_unchanged(module, program)
    return program


def _check_unchanged(module: torch.nn.Module, program: ExportedProgram) -> None:
    """Refuse a module that computes something else the next time."""
    for made in program.graph_signature.output_specs:
        if made.kind not in (OutputKind.USER_OUTPUT, OutputKind.USER_INPUT_MUTATION):
            raise VqromError(f"module {type(module).__name__!r} must leave {made.target!r} as it "
                             "is when it runs; is a part of it in training mode?")


def constants_of(program: ExportedProgram) -> dict[Node, torch.Tensor]:
    """Parameters, buffers and constant tensors of a program, by the nodes that stand for them."""
    tensors: dict[str, Any] = {**program.constants, **program.state_dict}
    names = {spec.arg.name: spec.target for spec in program.graph_signature.input_specs
             if spec.kind != InputKind.USER_INPUT and spec.target is not None}
    return {node: tensors[names[node.name]] for node in program.graph.nodes
            if node.op == "placeholder" and node.name in names}


def _traced(module: torch.nn.Module, example: torch.Tensor,
            known: Collection[str]) -> ExportedProgram:
    shapes = ({0: Dim("images")},)
    program = torch.export.export(module, (example,), dynamic_shapes=shapes)
    # An empty table: in-place operations become functional, nothing is taken apart.
    program = program.run_decompositions({})
    table = torch.export.default_decompositions()
    tried: set[Any] = set()
    while True:
        apart = {node.target for node in program.graph.nodes if _takes_apart(node, known)} - tried
        simpler = {target: table[target] for target in apart if target in table}
        if not simpler:
            return program
        tried |= apart
        program = program.run_decompositions(simpler)


def _takes_apart(node: Node, known: Collection[str]) -> bool:
    if node.op != "call_function" or node.target is operator.getitem:
        return False
    if kind_of(node) in RECURRENT:
        return _length(node) <= STEPS
    return kind_of(node) not in known


def _length(node: Node) -> int:
    """Number of steps of a recurrent layer."""
    source = node.args[0]
    assert isinstance(source, Node)
    # The arguments end with train, bidirectional, batch_first.
    length = source.meta["val"].shape[1 if node.args[-1] else 0]
    return length if isinstance(length, int) else STEPS + 1


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Keep torch from taking a whole transformer layer for one operation."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep torch from logging a traceback, or a graph, of an error that we report ourselves."""
    logging.disable(logging.ERROR)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
