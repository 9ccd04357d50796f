"""Values that are known while a model is read: computed by the standard's own reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnx.helper
from onnx.reference import ReferenceEvaluator

from vqrom_hw.errors import VqromError

from .values import COUNTS, Data, Static

MAX_ELEMENTS = 1 << 27
"""Greatest number of elements that a constant of a model may have."""

RANDOM = ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli",
          "Multinomial")
"""Operators whose result differs from run to run."""

OWN_GRAPHS = ("Loop", "Scan", "SequenceMap")
"""Operators with a graph of their own that runs many times."""


def shape_of(proto: onnx.NodeProto, data: Data) -> Static:
    """What ``Shape`` or ``Size`` tells of a computed tensor."""
    attributes = {attribute.name: attribute.i for attribute in proto.attribute}
    shapes = [np.array(data.shape(images), np.int64) for images in COUNTS]
    if proto.op_type == "Size":
        return Static(tuple(np.array(shape.prod()) for shape in shapes))
    part = slice(attributes.get("start", 0), attributes.get("end", data.rank))
    return Static(tuple(shape[part] for shape in shapes))


def fold(proto: onnx.NodeProto, values: Sequence[Static | None], version: int) -> list[Static]:
    """Compute a node that depends on constants and shapes alone.

    Parameters
    ----------
    proto:
        The node.
    values:
        Its inputs; None for one that is left out.
    version:
        Operator set of the model.

    Raises
    ------
    VqromError
        If the node's result is random, too large, or cannot be computed.
    """
    where = f"node {proto.name or proto.output[0]!r} ({proto.op_type})"
    if proto.op_type in RANDOM + OWN_GRAPHS:
        raise VqromError(f"{where}: the operator must not make constants")
    same = all(value is None or value.constant for value in values)
    runs: list[list[np.ndarray]] = []
    for probe in range(1 if same else len(COUNTS)):
        given = [None if value is None else value.at[probe] for value in values]
        if _elements(proto.op_type, given) > MAX_ELEMENTS:
            raise VqromError(f"{where}: a constant must have at most {MAX_ELEMENTS} elements")
        try:
            runs.append(_run(proto, given, version))
        except Exception as error:
            raise VqromError(f"{where}: cannot be computed from constants: "
                             f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
                             ) from None
    return [Static.of(found[0]) if same else Static(found) for found in zip(*runs, strict=True)]


def _elements(kind: str, given: Sequence[np.ndarray | None]) -> float:
    """How many elements the result of an operator that enlarges has."""
    def total(place: int) -> float:
        value = given[place] if place < len(given) else None
        return 1.0 if value is None else float(np.prod(np.abs(value.astype(np.float64))))

    match kind:
        case "ConstantOfShape":
            return total(0)
        case "Expand":
            return total(1)
        case "Tile" if given[0] is not None:
            return given[0].size * total(1)
        case "Range":
            start, limit, delta = (float(value.reshape(())) for value in given
                                   if value is not None)
            return abs(limit - start) / max(abs(delta), 1e-30)
        case "OneHot" if given[0] is not None:
            return given[0].size * total(1)
        case _:
            return 0.0


def _run(proto: onnx.NodeProto, given: Sequence[np.ndarray | None], version: int
         ) -> list[np.ndarray]:
    """Run one node by the reference of the ``onnx`` package."""
    feed = {name: value for name, value in zip(proto.input, given, strict=True)
            if value is not None}
    names = [name for name in proto.output if name]
    inputs = [onnx.helper.make_tensor_value_info(
        name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in feed.items()]
    graph = onnx.helper.make_graph([proto], "constant", inputs, [
        onnx.helper.make_empty_tensor_value_info(name) for name in names])
    model = onnx.helper.make_model(graph, opset_imports=[
        onnx.helper.make_opsetid("", version)])
    results = [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feed)]
    found = dict(zip(names, results, strict=True))
    empty = np.zeros(0, np.float32)
    return [found.get(name, empty) for name in proto.output]
