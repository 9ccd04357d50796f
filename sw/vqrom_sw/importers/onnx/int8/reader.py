"""The reader of ONNX models with QuantizeLinear and DequantizeLinear: quantised networks.

Nothing is quantised again: weights, biases, scales and zero points are the file's, and uint8
activations are taken 128 less, as int8. An operator between DequantizeLinear and QuantizeLinear
becomes a layer, and so do QLinearConv and QLinearMatMul. The file is read as it is for one image;
what holds for one holds for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper

from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT, NO_CODEBOOK, Native, Output, QuantizedNetwork

from .. import model_file
from ..constants import fold
from ..node import OnnxNode
from ..source import DataInput, find_source
from ..values import Static
from .check import check_layers
from .ends import quantised_ends
from .groups import BINARY, RESHAPES, UNARY, Group
from .maps import OPERATORS as MAPS
from .qlinear import written_out
from .scales import activation_scale, check_same_scale, dequantized_constant
from .source_run import SourceRun
from .tables import requantised, table
from .values import Activation, Int8Layers, Known, Made, Scale, Weights
from .views import input_map, reshape, transpose
from .windows import OPERATORS as WINDOWS

OPERATORS = {**dict.fromkeys(UNARY, table), **WINDOWS, **MAPS}
"""What reads each operator between DequantizeLinear and QuantizeLinear."""


def read_onnx_int8(path: str | Path, example_shape: Sequence[int] = ()) -> QuantizedNetwork:
    """Read an ONNX model whose activations go through QuantizeLinear and DequantizeLinear.

    Each layer is compared with onnxruntime (:mod:`.check`).

    Parameters
    ----------
    path:
        The file; its weights may lie in further files in the same folder.
    example_shape:
        Shape of one input, ``(1, ...)``, for a model that leaves sizes open.

    Returns
    -------
    QuantizedNetwork
        A network of raw layers, which has the file's name without its suffix.

    Raises
    ------
    VqromError
        If the file is no valid ONNX model, something in it is not understood, or a layer does not
        give what onnxruntime computes; the message names the node or layer.
    """
    path = Path(path)
    try:
        model = model_file.load(path)
        source = find_source(model, example_shape, {})
        if source.batch not in (None, 1):
            raise VqromError(f"must take one image or any number, not {source.batch}")
        source = replace(source, batch=1)
        converted = quantised_ends(model_file.normalise(source.for_conversion(model)))
        return _Reader(converted, source).read(path.stem)
    except VqromError as error:
        raise VqromError(f"ONNX model {str(path)!r}: {error}") from None
    except Exception as error:
        raise VqromError(f"ONNX model {str(path)!r} cannot be read: {type(error).__name__}: "
                         f"{' '.join(str(error).split())[:200]}") from None


class _Reader:
    """Reads the graph of one model, node by node."""

    def __init__(self, model: onnx.ModelProto, source: DataInput):
        self._source, self._original = source, model
        model = written_out(model)
        self._graph, self._version = model.graph, model_file.version_of(model)
        self._shapes = SourceRun(model, source.name).shapes(source.shape)
        self._layers = Int8Layers()
        shape, native = input_map(model.graph, source.name, source.shape[1:])
        self._input = Activation(INPUT, shape, native, None, True)
        self._known: dict[str, Known] = {}
        self._done: set[int] = set()
        self._results = {entry.name for entry in self._graph.output}
        self.batch: int | None = 1

    def read(self, name: str) -> QuantizedNetwork:
        """Read all nodes, and compare the network with the file."""
        self._fold()
        self._known[self._source.name] = self._input
        for place, node in enumerate(self._graph.node):
            if place not in self._done and not all(entry in self._known for entry in node.output):
                self._node(place, node)
        outputs = tuple(self._output(entry.name) for entry in self._graph.output)
        if self._input.scale is None or not self._layers.layers:
            raise VqromError("must have a layer behind QuantizeLinear")
        network = QuantizedNetwork(
            name, self._input.shape, self._input.quantization, tuple(self._layers.layers), outputs,
            NO_CODEBOOK, self._input.native)
        check_layers(network, self._layers.made, SourceRun(self._original, self._source.name))
        return network

    def is_read(self, name: str) -> bool:
        """Whether a node, or the user, reads the tensor."""
        return name in self._results or any(name in node.input for node in self._graph.node)

    def spread(self, value: Static) -> None:
        """Refuse nothing: no value grows with the number of images, as there is one."""

    def _fold(self) -> None:
        """Compute what depends on constants and shapes alone."""
        for tensor in self._graph.initializer:
            self._known[tensor.name] = onnx.numpy_helper.to_array(tensor)
        for node in self._graph.node:
            inputs = [self._known.get(name) for name in node.input]
            if node.op_type == "Shape" and inputs[0] is None and node.input[0] in self._shapes:
                attributes = {entry.name: entry.i for entry in node.attribute}
                part = slice(attributes.get("start", 0), attributes.get("end"))
                self._known[node.output[0]] = np.array(self._shapes[node.input[0]], np.int64)[part]
            elif all(value is not None or not name
                     for name, value in zip(node.input, inputs, strict=True)):
                self._known.update(zip(node.output, self._folded(node, inputs), strict=True))

    def _folded(self, node: onnx.NodeProto, inputs: list) -> list:
        self._check_domain(node)
        wrapped = OnnxNode(node, inputs, self._version, self)
        if node.op_type == "DequantizeLinear":
            try:
                return [dequantized_constant(wrapped)]
            except VqromError as error:
                raise wrapped.error(str(error)) from None
        if node.op_type == "Transpose" and isinstance(inputs[0], Weights):
            return [inputs[0].transposed(wrapped.attribute(
                "perm", list(range(inputs[0].integers.ndim))[::-1]))]
        plain = [None if value is None else Static.of(
            value.real if isinstance(value, Weights) else value) for value in inputs]
        return [made.at[0] for made in fold(node, plain, self._version)]

    @staticmethod
    def _check_domain(node: onnx.NodeProto) -> None:
        if node.domain not in model_file.STANDARD:
            raise VqromError(f"node {node.name or node.output[0]!r}: operator {node.op_type} of "
                             f"the domain {node.domain!r} is not known")

    def _node(self, place: int, proto: onnx.NodeProto) -> None:
        """Read a node that depends on the network's input."""
        self._check_domain(proto)
        inputs = [self._known.get(name) if name else None for name in proto.input]
        node = OnnxNode(proto, inputs, self._version, self)  # type: ignore[arg-type]
        for name, value in zip(proto.input, inputs, strict=True):
            if name and value is None:
                raise node.error(f"reads {name!r}, which is not quantised: QuantizeLinear must "
                                 "follow what makes it")
        try:
            self._read(place, proto, node, inputs)
        except VqromError as error:
            text = str(error)
            raise error if text.startswith("node ") else node.error(text) from None

    def _read(self, place: int, proto: onnx.NodeProto, node: OnnxNode, inputs: list) -> None:
        kind, value = proto.op_type, inputs[0]
        if kind == "DequantizeLinear":
            node.value(0)
            if value.real:
                raise VqromError("its input must be integers")
            check_same_scale(activation_scale(node, self._integers(proto.input[0])), value)
            made = replace(value, real=True)
        elif kind == "QuantizeLinear":
            node.value(0)
            made = self._quantized(proto, node, value)
        elif kind in RESHAPES and isinstance(value, Activation):
            node.value(0)
            made = reshape(node, value, self._shapes[proto.output[0]])
        elif kind == "Transpose":
            node.value(0)
            made = transpose(self._layers, node, value)
        else:
            self._group(place, proto, node, inputs)
            return
        node.finish()
        self._known[proto.output[0]] = made

    def _integers(self, name: str) -> np.dtype:
        """The file's type of an activation's integers."""
        value = self._known[name]
        assert isinstance(value, Activation)
        return np.dtype(np.uint8 if value.scale is not None and value.scale.offset else np.int8)

    def _quantized(self, proto: onnx.NodeProto, node: OnnxNode, value: Activation) -> Activation:
        """The result of QuantizeLinear: that of the input, or of numbers quantised already."""
        if not value.real:
            raise VqromError("its input must be real numbers")
        scale = activation_scale(node, None)
        if value.scale is None:
            if self._input.scale not in (None, scale):
                raise VqromError("all that reads the input must quantise it in one way")
            self._input = replace(self._input, scale=scale)
            return replace(value, scale=scale, real=False)
        if scale == value.scale:
            return replace(value, real=False)
        group = Group(node, proto, (), (value,), self._version, scale, proto.input[0],
                      proto.output[0], value.sizes, self._constants(), self._layers, proto)
        made = replace(requantised(group, value), real=False, scale=scale)
        if made.layer != value.layer:
            self._layers.made[made.layer] = Made(made, proto.input[0], proto.output[0])
        return made

    def _group(self, place: int, proto: onnx.NodeProto, node: OnnxNode, inputs: list) -> None:
        """Read an operator with what follows it, up to QuantizeLinear."""
        make = OPERATORS.get(proto.op_type)
        if make is None:
            raise VqromError("the operator has no int8 layer")
        if len([name for name in proto.output if name]) != 1:
            raise VqromError("must have one result")
        tail, before, quantizers = self._tail(proto.output[0])
        quantizer = self._graph.node[quantizers[0]]
        scale = self._scale(quantizer)
        group = Group(
            node, proto, tuple(self._graph.node[one] for one in tail), tuple(inputs),
            self._version, scale, before, quantizer.output[0], self._shapes[proto.output[0]][1:],
            self._constants(), self._layers, quantizer)
        for name in (proto.output[0], before):
            if self._shapes[name][:1] != (1,):
                raise VqromError(f"the first axis must stay that of the images, not "
                                 f"{self._shapes[name]!r} of one image")
        made = make(group)
        node.finish()
        made = replace(made, native=Native(self._shapes[before][1:], made.native.order))
        self._layers.made[made.layer] = Made(made, before, quantizer.output[0])
        self._done |= set(tail) | {quantizers[0]}
        self._known[quantizer.output[0]] = made
        # Other QuantizeLinear of the same tensor must do the same.
        for other in quantizers[1:]:
            proto = self._graph.node[other]
            if self._scale(proto) != scale:
                raise VqromError("its result must be quantised in one way")
            self._known[proto.output[0]] = made
            self._done.add(other)

    def _scale(self, quantizer: onnx.NodeProto) -> Scale:
        """Scale and zero point of a QuantizeLinear."""
        inputs = [None, *(self._known.get(name) for name in quantizer.input[1:])]
        node = OnnxNode(quantizer, inputs, self._version, self)  # type: ignore[arg-type]
        found = activation_scale(node, None)
        node.finish()
        return found

    def _tail(self, name: str) -> tuple[list[int], str, list[int]]:
        """Places of the functions behind a tensor, the last result, and what quantises it."""
        tail: list[int] = []
        while True:
            readers = [place for place, node in enumerate(self._graph.node) if name in node.input]
            kinds = {self._graph.node[place].op_type for place in readers}
            if readers and kinds == {"QuantizeLinear"} and name not in self._results:
                return tail, name, readers
            follower = self._graph.node[readers[0]] if len(readers) == 1 else None
            if follower is None or name in self._results or not (
                    follower.op_type in UNARY + BINARY + RESHAPES and all(
                        entry == name or not entry or isinstance(
                            self._known.get(entry), np.ndarray | Weights)
                        for entry in follower.input) and list(follower.input).count(name) == 1):
                found = ", ".join(sorted(kinds)) or "an output"
                raise VqromError(f"its result must be quantised: QuantizeLinear must follow, "
                                 f"not {found}")
            tail.append(readers[0])
            name = follower.output[0]

    def _constants(self) -> dict[str, np.ndarray]:
        return {name: value.real if isinstance(value, Weights) else value
                for name, value in self._known.items() if not isinstance(value, Activation)}

    def _output(self, name: str) -> Output:
        value = self._known.get(name)
        if not isinstance(value, Activation) or value.layer == INPUT:
            raise VqromError(f"output {name!r} must be computed from the input and quantised")
        return Output(value.layer, Native(value.sizes, value.native.order), name)
