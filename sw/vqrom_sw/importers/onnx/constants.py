"""Values that are known while a model is read: computed by the standard's own reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnx.shape_inference
from onnx.reference import ReferenceEvaluator

from vqrom_hw.errors import VqromError

from .values import COUNTS, Data, Static

MAX_ELEMENTS = 1 << 27
"""Greatest number of elements that a constant of a model may have."""

MAX_GROWN = 1 << 24
"""Greatest number of elements that an operator whose arguments say the size may make."""

SMALL = 1 << 12
"""Most elements of an input whose values shapes may follow from."""

GROWING = (
    "BlackmanWindow", "HammingWindow", "HannWindow", "MelWeightMatrix", "AffineGrid", "Col2Im",
    "CenterCropPad", "ConstantOfShape", "ConvTranspose", "DFT", "Expand", "MaxUnpool", "OneHot",
    "Pad", "Range", "Resize", "STFT", "TfIdfVectorizer", "Tile", "Upsample", "AveragePool",
    "MaxPool", "LpPool", "Conv")
"""Operators whose results may have more elements than the product of their inputs' sizes."""

AS_WEIGHTS = ("ConstantOfShape",)
"""Operators that files whose weights were left out make them of: as large as weights may be."""

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
        _check_elements(where, proto, given, version)
        try:
            runs.append(_run(proto, given, version))
        except Exception as error:
            raise VqromError(f"{where}: cannot be computed from constants: "
                             f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
                             ) from None
    return [Static.of(found[0]) if same else Static(found) for found in zip(*runs, strict=True)]


def _check_elements(where: str, proto: onnx.NodeProto, given: Sequence[np.ndarray | None],
                    version: int) -> None:
    """Refuse a node whose results would be too large, before it is computed.

    Broadcasting, products and look-ups make at most as many elements as the product of their
    inputs' sizes; where that says too little, the standard's own shape inference is asked.
    """
    grows = proto.op_type in GROWING and proto.op_type not in AS_WEIGHTS
    limit = MAX_GROWN if grows else MAX_ELEMENTS
    sizes = [value.size for value in given if value is not None]
    if proto.op_type not in GROWING and (
            math.prod(size for size in sizes if size) <= limit or len(sizes) == 1):
        return
    if proto.op_type == "Range":
        found = _range_elements(given)
    else:
        found = _inferred_elements(proto, given, version)
    if found is None:
        raise VqromError(f"{where}: a constant must have a size that can be told beforehand")
    if found > limit:
        raise VqromError(f"{where}: a constant must have at most {limit} elements, not {found}")


def _range_elements(given: Sequence[np.ndarray | None]) -> int | None:
    """Elements of a Range; None if it never ends."""
    values = [float(value.reshape(-1)[0]) for value in given if value is not None and value.size]
    if len(values) != 3 or values[2] == 0 or not all(map(math.isfinite, values)):
        return None
    return max(0, math.ceil((values[1] - values[0]) / values[2]))


def _inferred_elements(proto: onnx.NodeProto, given: Sequence[np.ndarray | None],
                       version: int) -> int | None:
    """Elements of a node's largest result by shape inference; None where it does not know."""
    model = _model(proto, given, version)
    # Shapes follow from small inputs alone; large ones stand for their shapes.
    for name, value in zip(proto.input, given, strict=True):
        if value is not None and value.size <= SMALL:
            model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception:  # An invalid node; computing it would say so, but might not end.
        return None
    largest = 0
    for output in inferred.graph.output:
        dims = output.type.tensor_type.shape.dim
        if not output.type.tensor_type.HasField("shape") or not all(
                dim.HasField("dim_value") for dim in dims):
            return None
        largest = max(largest, math.prod(dim.dim_value for dim in dims))
    return largest


def _model(proto: onnx.NodeProto, given: Sequence[np.ndarray | None], version: int
           ) -> onnx.ModelProto:
    """A model of one node."""
    feed = {name: value for name, value in zip(proto.input, given, strict=True)
            if value is not None}
    inputs = [onnx.helper.make_tensor_value_info(
        name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in feed.items()]
    graph = onnx.helper.make_graph([proto], "constant", inputs, [
        onnx.helper.make_empty_tensor_value_info(name) for name in proto.output if name])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", version)])


def _run(proto: onnx.NodeProto, given: Sequence[np.ndarray | None], version: int
         ) -> list[np.ndarray]:
    """Run one node by the reference of the ``onnx`` package."""
    feed = {name: value for name, value in zip(proto.input, given, strict=True)
            if value is not None}
    names = [name for name in proto.output if name]
    model = _model(proto, given, version)
    results = [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feed)]
    found = dict(zip(names, results, strict=True))
    empty = np.zeros(0, np.float32)
    return [found.get(name, empty) for name in proto.output]
