"""Capture of a PyTorch module as a float network, by a walk over the graph of ``torch.export``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch.export.graph_signature import InputKind
from torch.fx import Node
from torch.fx.node import map_arg

from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT, FloatHost, FloatLayer, FloatNetwork, Output, native_of

from .graph_node import GraphNode
from .handlers import HANDLERS
from .host_nodes import HostNodes
from .walk import TracedMap, Walk


def capture(module: torch.nn.Module, example_input: torch.Tensor,
            name: str = "network") -> FloatNetwork:
    """Trace a PyTorch module and translate it into layers of the hardware and of the host.

    Batch norm is folded into the convolution or linear layer before it; ReLU, ReLU6, hardtanh
    and clamp are fused into what they follow; dropout, flatten and views leave no layer. Other
    operations become host layers, if the host has them (:data:`vqrom_sw.network.OPERATIONS`).

    Parameters
    ----------
    module:
        The module, in evaluation mode.
    example_input:
        An input, float32 ``[1, C, H, W]``, or ``[1, S, C]`` for a sequence, each element of which
        becomes a pixel. Only its shape matters.
    name:
        Name for the network.

    Raises
    ------
    VqromError
        If the module cannot be traced or has an operation that neither the hardware nor the host
        does; the message names the layer and the kind.
    """
    program = _export(module, example_input)
    walk = Walk(_constants(program))
    walk.deferred = host = HostNodes(walk)
    for node in program.graph.nodes:
        if node.op == "placeholder":
            if node not in walk.constants:
                walk.values[node] = _input_value(node, walk)
        elif node.op == "call_function":
            _translate(GraphNode(walk, node), host)
    output = _output_value(program, walk)
    layers = _reachable(walk.layers, output.layer)
    if not layers or layers[-1].name != output.layer:
        raise VqromError(f"network {name!r}: the output must be its last layer's, "
                         f"not that of {output.layer!r}")
    shape = tuple(example_input.shape)
    return FloatNetwork(name, _map_of(shape), layers,
                        (Output(output.layer, native_of(output.shape[1:])),),
                        native_of(shape[1:]))


def _translate(op: GraphNode, host: HostNodes) -> None:
    """Make a hardware layer of an operation, if there is one, or else leave it to the host."""
    if all(source in op.walk.constants for source in op.node.all_input_nodes):
        op.walk.constants[op.node] = _computed(op.node, op.walk.constants)
        return
    handler = HANDLERS.get(op.kind)
    stays = op.kind not in ("conv2d", "linear") and host.reads(op.node)
    if stays or handler is None:
        if not host.add(op.node):
            raise op.error("the hardware has no such layer")
        return
    try:
        handler(op)
    except VqromError:
        if not host.add(op.node):
            raise


def _computed(node: Node, constants: Mapping[Node, torch.Tensor]) -> Any:
    """The result of an operation on constants alone."""
    arguments, keywords = map_arg((node.args, node.kwargs), lambda n: constants[n])
    assert callable(node.target)
    return node.target(*arguments, **keywords)


def _reachable(layers: Mapping[str, FloatLayer], last: str) -> tuple[FloatLayer, ...]:
    """All layers but the host layers that nothing but other host layers needed."""
    needed = {last}
    for layer in reversed(list(layers.values())):
        if layer.name in needed or not isinstance(layer, FloatHost):
            needed |= {layer.name, *layer.inputs}
    return tuple(layer for layer in layers.values() if layer.name in needed)


def _map_of(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """``(H, W, C)`` of an image ``(1, C, H, W)`` or of a sequence ``(1, S, C)``."""
    if len(shape) == 3:
        return shape[1], 1, shape[2]
    _, channels, height, width = shape
    return height, width, channels


def _input_value(node: Node, walk: Walk) -> TracedMap:
    shape = tuple(node.meta["val"].shape)
    # Never fusable: no layer of that name exists.
    return TracedMap(INPUT, _map_of(shape), shape, walk.read_once(node))


def _export(module: torch.nn.Module, example: torch.Tensor) -> torch.export.ExportedProgram:
    if module.training:
        raise VqromError(f"module {type(module).__name__!r} must be in evaluation mode: "
                         "call .eval() first")
    if example.dim() not in (3, 4) or example.shape[0] != 1 or example.dtype != torch.float32:
        raise VqromError("example input must be float32 of shape (1, C, H, W) or (1, S, C), "
                         f"not {example.dtype} of {tuple(example.shape)!r}")
    with catch_warnings(), _quiet_logs():
        # What torch warns of while tracing is about torch's own internals.
        simplefilter("ignore")
        try:
            with torch.no_grad():
                module(example)
                # An empty table: in-place operations become functional, nothing is taken apart.
                return torch.export.export(module, (example,)).run_decompositions({})
        except (Exception, SystemExit) as error:
            raise VqromError(
                f"module {type(module).__name__!r} must run on an input of shape "
                f"{tuple(example.shape)!r} and be traced by torch.export, but: "
                f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


@contextmanager
def _quiet_logs():
    """Keep torch from logging a traceback, or a graph, of an error that we report ourselves."""
    logging.disable(logging.ERROR)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _constants(program: torch.export.ExportedProgram) -> dict[Node, torch.Tensor]:
    tensors: dict[str, Any] = {**program.constants, **program.state_dict}
    constant_names = {
        spec.arg.name: spec.target for spec in program.graph_signature.input_specs
        if spec.kind != InputKind.USER_INPUT and spec.target is not None}
    return {node: tensors[constant_names[node.name]] for node in program.graph.nodes
            if node.op == "placeholder" and node.name in constant_names}


def _output_value(program: torch.export.ExportedProgram, walk: Walk) -> TracedMap:
    node = next(node for node in program.graph.nodes if node.op == "output")
    (outputs,) = node.args
    if len(outputs) != 1 or walk.value(outputs[0]) is None:
        raise VqromError(f"network must have one output that depends on its input, "
                         f"not {len(outputs)} outputs")
    return walk.values[outputs[0]]
