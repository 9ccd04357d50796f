"""The reader of ONNX models: node by node into a PyTorch module, which runs while it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.check import check_inputs, check_module
from vqrom_sw.importers.imported_module import Imported, ImportedModule

from . import model_file
from .constants import fold, shape_of
from .evaluator import OnnxEvaluator
from .node import OnnxNode
from .operators import OPERATORS, REFUSED
from .source import DataInput, find_source
from .values import COUNTS, PROBES, Data, Static, Value, repeated

JUMPS = ("Round", "Floor", "Ceil", "Sign", "Mod", "Equal", "Greater", "GreaterOrEqual", "Less",
         "LessOrEqual")
"""Operators whose results may differ by a whole step where operands differ by a rounding."""

Scope = dict[str, Value]
"""What is known of the tensors that a graph can see, by name."""


def read_onnx(path: str | Path, example_shape: Sequence[int] = (),
              fixed: Mapping[str, np.ndarray] | None = None, *,
              invent_weights: bool = False) -> Imported:
    """Read an ONNX model with one data input, and compare it with what onnxruntime computes.

    The input has two to four axes, the first of which is that of the images. It is float32, or
    integers that the model makes float32 at once.

    Parameters
    ----------
    path:
        The file; its weights may lie in further files in the same folder.
    example_shape:
        Shape of one input, ``(1, ...)``, for a model that leaves sizes open.
    fixed:
        Values for inputs of the model that are no data, by name: states, rates, thresholds.
    invent_weights:
        Make random weights in the place of those whose file is absent, for a study of shapes.

    Returns
    -------
    Imported
        The model as a PyTorch module, and the shape of its input.

    Raises
    ------
    VqromError
        If the file is no valid ONNX model, has an operator, attribute or input that is not
        understood, or the module does not compute what the file does; the message names it.
    """
    try:
        model = model_file.load(Path(path), invent_weights)
        source = find_source(model, example_shape, fixed or {})
        try:
            return _imported(model, source)
        except VqromError:
            if source.batch is not None or _runs(model, source):
                raise
        # The file says that it takes any number of images, and holds the number 1 nonetheless.
        return _imported(model, replace(source, batch=1))
    except VqromError as error:
        raise VqromError(f"ONNX model {str(path)!r}: {error}") from None
    except Exception as error:
        raise VqromError(f"ONNX model {str(path)!r} cannot be read: {type(error).__name__}: "
                         f"{' '.join(str(error).split())[:200]}") from None


def _imported(model: onnx.ModelProto, source: DataInput) -> Imported:
    """Read a model, and compare it with what the file computes."""
    converted = _converted(model, source)
    reader = _Reader(source, model_file.version_of(converted))
    module = reader.read(converted.graph)
    evaluator = OnnxEvaluator(model, converted, source)
    evaluator.images_axes([data.images for data in reader.outputs])
    for x in check_inputs(source.shape, source.integers):
        check_module(module, evaluator, x)
    return Imported(module, source.shape, tuple(value.name for value in model.graph.output),
                    evaluator)


def _converted(model: onnx.ModelProto, source: DataInput) -> onnx.ModelProto:
    return source.for_any_batch(model_file.normalise(source.for_conversion(model)))


def _runs(model: onnx.ModelProto, source: DataInput) -> bool:
    """Whether a file runs with each number of images, or with none."""
    works: list[bool] = []
    for x in check_inputs(source.shape, source.integers):
        try:
            OnnxEvaluator(model, _converted(model, source), source).outputs(x)
            works.append(True)
        except VqromError:
            works.append(False)
    return len(set(works)) == 1


class _Reader:
    """Reads one model; it is what its nodes see of the graph (:class:`~.node.Surroundings`)."""

    def __init__(self, source: DataInput, version: int):
        self.batch = source.batch
        self.outputs: list[Data] = []
        self._source, self._version = source, version
        self._read: set[str] = set()
        self._names: set[str] = set()
        self._module = ImportedModule(source.name)
        self._input = Data(self._fresh(source.name), source.probes(PROBES))

    def read(self, graph: onnx.GraphProto) -> nn.Module:
        """Read the whole graph, and return the module in evaluation mode."""
        scope: Scope = {name: Static.of(value) for name, value in self._source.fixed.items()}
        scope[self._source.name] = self._input
        self.outputs = [self._output(value, name) for value, name in zip(
            self._graph(graph, scope), [entry.name for entry in graph.output], strict=True)]
        self._module.results = tuple(data.name for data in self.outputs)
        return self._module.eval()

    def _output(self, value: Value | None, name: str) -> Data:
        if not isinstance(value, Data):
            raise VqromError(f"output {name!r} must depend on the input {self._source.name!r}")
        if value.probes[0].dtype != torch.float32:
            raise VqromError(f"output {name!r} must be float32, "
                             f"not {str(value.probes[0].dtype)[6:]}")
        return value

    def _graph(self, graph: onnx.GraphProto, scope: Scope) -> list[Value | None]:
        """Read the nodes of a graph, or of a branch, and return its outputs."""
        for tensor in graph.initializer:
            scope[tensor.name] = Static.of(onnx.numpy_helper.to_array(tensor))
        for tensor in graph.sparse_initializer:
            raise VqromError(f"weights {tensor.values.name!r} must not be sparse")
        self._read |= {entry.name for entry in graph.output}
        reads = [set(_reads(node)) for node in graph.node]
        self._read |= {name for names in reads for name in names}
        last = {name: place for place, names in enumerate(reads) for name in names}
        for entry in graph.output:
            last.pop(entry.name, None)
        for place, proto in enumerate(graph.node):
            self._node(proto, scope)
            for name in reads[place]:
                if last.get(name) == place:
                    # Nothing reads it any more, and its probes take memory.
                    scope.pop(name, None)
        return [scope.get(entry.name) for entry in graph.output]

    def _node(self, proto: onnx.NodeProto, scope: Scope) -> None:
        kind = proto.op_type
        if proto.domain not in model_file.STANDARD:
            raise VqromError(f"node {proto.name or proto.output[0]!r}: operator {kind} of the "
                             f"domain {proto.domain!r} is not known")
        values = [scope.get(name) if name else None for name in proto.input]
        for name, value in zip(proto.input, values, strict=True):
            if name and value is None:
                raise VqromError(f"node {proto.name or proto.output[0]!r} ({kind}): reads "
                                 f"{name!r}, which nothing makes")
        if kind == "If":
            self._branch(proto, values[0], scope)
        elif kind in ("Shape", "Size") and isinstance(values[0], Data):
            scope[proto.output[0]] = shape_of(proto, values[0])
        elif not any(isinstance(value, Data) for value in values):
            scope.update(zip(proto.output, fold(proto, values, self._version),  # type: ignore
                             strict=True))
        else:
            self._part(OnnxNode(proto, values, self._version, self), proto.output, scope)

    def _branch(self, proto: onnx.NodeProto, condition: Value | None, scope: Scope) -> None:
        """Read the branch of an ``If`` that a constant condition takes."""
        node = OnnxNode(proto, [condition], self._version, self)
        taken = bool(node.constant(0).reshape(()))
        graph = node.required("then_branch" if taken else "else_branch")
        results = self._graph(graph, dict(scope))
        for name, value in zip(proto.output, results, strict=True):
            if value is not None:
                scope[name] = value

    def _part(self, node: OnnxNode, outputs: Sequence[str], scope: Scope) -> None:
        """Read a node that depends on the network's input."""
        handler = OPERATORS.get(node.kind)
        if handler is None:
            raise node.error(REFUSED.get(node.kind, "the operator is not known"))
        part = handler(node)
        node.finish()
        self._module.jumps |= node.kind in JUMPS
        if isinstance(part, Data | Static):
            scope[outputs[0]] = part
            return
        part.eval()
        runs = [self._run(node, part, probe) for probe in range(len(PROBES))]
        if isinstance(runs[0], tuple):
            names = [self._fresh(name or node.name) for name in outputs]
            names += [self._fresh(node.name) for _ in runs[0][len(names):]]
            self._module.append(node.name, part, [data.name for data in node.operands], names)
            for name, unique, *probes in zip(outputs, names, *runs, strict=False):
                scope[name] = self._result(node, part, unique, probes)
        else:
            name = self._fresh(outputs[0])
            self._module.append(node.name, part, [data.name for data in node.operands], name)
            scope[outputs[0]] = self._result(node, part, name, runs)

    @staticmethod
    def _result(node: OnnxNode, part: nn.Module, name: str, probes: Sequence[torch.Tensor]
                ) -> Data:
        """A result, whose images are within their axis as before if it has as many entries."""
        data = Data(name, (probes[0], probes[1]))
        like = next((operand for operand in node.operands if operand.images is not None), None)
        front = like.front if like is not None and like.images is not None and \
            data.images is not None and like.images[1] == data.images[1] else 1
        return replace(data, front=getattr(part, "front", front))

    def _run(self, node: OnnxNode, part: nn.Module, probe: int):
        """Run a part with one of the numbers of images."""
        try:
            with torch.no_grad():
                return part(*(data.probes[probe] for data in node.operands))
        except Exception as error:
            images = f", as it must though the file has {self.batch}" if self.batch else ""
            raise node.error(f"does not run with {PROBES[probe]} images{images}: "
                             f"{' '.join(str(error).split())[:160]}") from None

    def _fresh(self, name: str) -> str:
        """A name that no tensor of the module has yet; branches may use one name twice."""
        unique, count = name, 1
        while unique in self._names:
            count += 1
            unique = f"{name}#{count}"
        self._names.add(unique)
        return unique

    def is_read(self, name: str) -> bool:
        """Whether a node, or the user, reads the tensor."""
        return name in self._read

    def spread(self, value: Static) -> Data | None:
        """Make a tensor of a value that grows with the images and is the same for each, or None."""
        if len({at.ndim for at in value.at}) > 1:
            return None
        grown = Data("", tuple(torch.empty(at.shape, device="meta")
                               for at in value.at[:2]))  # type: ignore[arg-type]
        if grown.images is None or grown.shape(COUNTS[-1]) != value.at[-1].shape:
            return None
        axis, each = grown.images
        single, *others = (repeated(at, axis) for at in value.at)
        if single is None or not all(np.array_equal(single, other)  # type: ignore[arg-type]
                                     for other in others):
            return None
        part = _Spread(torch.from_numpy(np.array(single)), axis, each)
        name = self._fresh("constant_for_each_image")
        self._module.append(name, part, [self._input.name], name)
        return Data(name, tuple(part(probe) for probe in self._input.probes))  # type: ignore


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """Names that a node reads, or the branches within it."""
    yield from node.input
    for attribute in node.attribute:
        for graph in [attribute.g] if attribute.HasField("g") else attribute.graphs:
            yield from (entry.name for entry in graph.output)
            for inner in graph.node:
                yield from _reads(inner)


class _Spread(nn.Module):
    """A constant that is repeated for each image."""

    def __init__(self, value: torch.Tensor, axis: int, each: int):
        super().__init__()
        self.value: torch.Tensor
        self.register_buffer("value", value)
        self._axis, self._each = axis, each

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sizes = list(self.value.shape)
        sizes[self._axis] = x.shape[0] * self._each
        return self.value.expand(sizes)

