"""Capture of a PyTorch module as a float network, by a walk over the graph of ``torch.export``."""

from __future__ import annotations

import torch
from torch.export.graph_signature import OutputKind
from torch.fx import Node
from torch.utils import _pytree

from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT, OPERATIONS, FloatLayer, FloatNetwork, Output

from ..capture_check import check_capture
from ..check import check_inputs
from .constants import check_kind, computed, is_constant
from .export import constants_of, export
from .graph_node import GraphNode, kind_of, shown
from .handlers import EMITTING, HANDLERS, PRODUCTS, settled
from .host_nodes import HostNodes
from .inputs import input_map
from .layout import BATCH
from .walk import Walk, is_number

KNOWN = {*HANDLERS, *(name.split(".")[0] for name in OPERATIONS)}
"""Kinds of operations that become layers, of the hardware or of the host."""


def capture(module: torch.nn.Module, example_input: torch.Tensor,
            name: str = "network") -> FloatNetwork:
    """Trace a PyTorch module and translate it into layers of the hardware and of the host.

    Batch norm is folded into the convolution or linear layer before it; ReLU, ReLU6, hardtanh
    and clamp are fused into what they follow; several functions of single numbers in a row are one
    table; dropout, views and permutations leave no layer. Other operations become host layers, if
    the host has them (:data:`vqrom_sw.network.OPERATIONS`). At the end the network's outputs are
    compared with the module's.

    Parameters
    ----------
    module:
        The module, in evaluation mode.
    example_input:
        An input, float32: ``[1, C, H, W]`` or, if the module permutes it so, ``[1, H, W, C]``;
        ``[1, S, C]`` for a sequence, each element of which becomes a pixel, or ``[1, C, L]`` for
        a signal; ``[1, C]`` for a vector. Only its shape matters.
    name:
        Name for the network.

    Raises
    ------
    VqromError
        If the module cannot be traced, draws random numbers, or has an operation that neither the
        hardware nor the host does; the message names the layer and the kind. If the network's
        outputs are not the module's, or those of one image depend on the others.
    """
    program = export(module, example_input, KNOWN)
    walk = Walk(constants_of(program))
    walk.deferred = host = HostNodes(walk)
    for node in program.graph.nodes:
        if node.op == "placeholder" and node not in walk.constants:
            source = walk.values[node] = input_map(node)
        elif node.op == "call_function" and not is_number(node) \
                and node.meta.get("val") is not None:
            _translate(GraphNode(walk, node), host)
    native = source.layout.native(source.map)
    assert native is not None
    outputs = _outputs(program, walk)
    network = FloatNetwork(name, source.map, _needed(walk, outputs), outputs, native)
    *_, inputs = check_inputs(example_input.shape)
    check_capture(network, module, torch.from_numpy(inputs))
    return network


def _translate(op: GraphNode, host: HostNodes) -> None:
    """Make a hardware layer of an operation, if there is one, or else leave it to the host."""
    check_kind(op)
    if is_constant(op):
        op.walk.constants[op.node] = computed(op)
        return
    handler = HANDLERS.get(op.kind)
    constant = any(source in op.walk.constants for source in op.node.all_input_nodes)
    emitting = op.kind in EMITTING or (op.kind in PRODUCTS and constant)
    stays = not emitting and host.reads(op.node)
    if stays or handler is None:
        if not host.add(op.node):
            raise op.unknown()
        return
    try:
        handler(op)
    except VqromError:
        if not host.add(op.node):
            raise


def _needed(walk: Walk, outputs: tuple[Output, ...]) -> tuple[FloatLayer, ...]:
    """The layers on which the outputs depend."""
    needed = {output.layer for output in outputs}
    for layer in reversed(list(walk.layers.values())):
        if layer.name in needed:
            needed |= set(layer.inputs)
    return tuple(layer for layer in walk.layers.values() if layer.name in needed)


def _outputs(program: torch.export.ExportedProgram, walk: Walk) -> tuple[Output, ...]:
    """The network's outputs, with the names of a dictionary's or a tuple's entries."""
    node = next(node for node in program.graph.nodes if node.op == "output")
    spec = program.call_spec.out_spec
    assert spec is not None and isinstance(node.args[0], tuple)
    # The rest is what the module writes into its input.
    results = [result for result, made in zip(
        node.args[0], program.graph_signature.output_specs, strict=True)
        if made.kind == OutputKind.USER_OUTPUT]
    places, _ = _pytree.tree_flatten_with_path(_pytree.tree_unflatten(range(len(results)), spec))
    names = [".".join(_key(part) for part in path) for path, _ in places]
    return tuple(_output(walk, result, name) for result, name in zip(results, names, strict=True))


def _key(part: object) -> str:
    return str(next(getattr(part, kind) for kind in ("key", "idx", "name") if hasattr(part, kind)))


def _output(walk: Walk, node: object, name: str) -> Output:
    what = f"output {name!r}" if name else "the output"
    value = walk.whole_value(node) if isinstance(node, Node) else None
    if value is not None:
        assert isinstance(node, Node)
        value = settled(GraphNode(walk, node), value)
    if value is None or value.layer == INPUT:
        raise VqromError(f"{what} must be computed from the network's input, not be "
                         f"{'the input itself' if value else 'a constant'}")
    assert isinstance(node, Node)
    sizes = value.layout.sizes
    if not sizes or sizes[0] != BATCH:
        raise VqromError(f"{what} must have its images along the first dimension, not be of shape "
                         f"{shown(sizes)}")
    native = value.layout.native(value.map)
    if native is None:
        value = HostNodes.rearranged(walk, value, kind_of(node))
        native = value.layout.native(value.map)
        assert native is not None
    return Output(value.layer, native, name)
