"""ONNX files, loaded with their weights and brought into one form.

The form: weights inside the model, functions of the file's own inlined, operators of QONNX written
out (:mod:`.qonnx`), and the operator set :data:`VERSION` at least, by the version converters of the
``onnx`` and ``onnxscript`` packages. All operators that changed their arguments between sets are
then the same for every file.
"""

from __future__ import annotations

import logging
import math
from contextlib import contextmanager
from pathlib import Path

import google.protobuf.message
import numpy as np
import onnx
import onnx.checker
import onnx.external_data_helper
import onnx.version_converter
import onnx_ir
import onnx_ir.passes.common
import onnxscript.version_converter

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.imported_module import MAX_BYTES
from vqrom_sw.io import read_bytes

from . import qonnx
from .legacy import FIRST, explicit_axes

VERSION = 21
"""Operator set that older models are converted to. Newer ones are read as they are."""

BRIDGE = 18
"""Operator set up to which the converter of ``onnx`` goes; from there on ``onnxscript``'s does."""

STANDARD = ("", "ai.onnx")
"""Names of the domain of the standard's own operators."""


def load(path: Path, invent_weights: bool = False) -> onnx.ModelProto:
    """Load a model with its weights, which may lie in files beside it.

    Parameters
    ----------
    path:
        The ``.onnx`` file. Files that it names are looked for in its folder.
    invent_weights:
        Make random weights in the place of those whose file is absent.

    Raises
    ------
    VqromError
        If a file is missing, too large, or outside of the model's folder, or the model is invalid.
    """
    try:
        model = onnx.load_model_from_string(read_bytes(path, "ONNX model", MAX_BYTES))
    except google.protobuf.message.DecodeError as error:
        raise VqromError(f"cannot be read: {error}") from None
    if not model.HasField("graph") or not model.graph.output:
        raise VqromError("must have a graph with an output")
    for tensor in _stored_tensors(model):
        if onnx.external_data_helper.uses_external_data(tensor):
            _load_tensor(tensor, path.resolve().parent, invent_weights)
    qonnx.declared(model)
    _check(model)
    return model


def _check(model: onnx.ModelProto) -> None:
    """Refuse an invalid model. Outputs may lack a shape, as many files have them."""
    bare = [entry for entry in model.graph.output if entry.type.HasField("tensor_type")
            and not entry.type.tensor_type.HasField("shape")]
    for entry in bare:
        entry.type.tensor_type.shape.SetInParent()
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise VqromError(f"is not valid: {' '.join(str(error).split())[:200]}") from None
    for entry in bare:
        entry.type.tensor_type.ClearField("shape")


def _stored_tensors(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """All tensors of a model that may be stored elsewhere, those of subgraphs among them."""
    found: list[onnx.TensorProto] = []

    def nodes_of(nodes: object) -> None:
        for node in nodes:  # type: ignore[attr-defined]
            for attribute in node.attribute:
                found.extend([attribute.t] if attribute.HasField("t") else attribute.tensors)
                for graph in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                    graph_of(graph)

    def graph_of(graph: onnx.GraphProto) -> None:
        found.extend(graph.initializer)
        nodes_of(graph.node)

    graph_of(model.graph)
    for function in model.functions:
        nodes_of(function.node)
    return found


def _load_tensor(tensor: onnx.TensorProto, folder: Path, invent: bool) -> None:
    """Bring a tensor's bytes from its file into the model, or invent them."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    file = (folder / location).resolve()
    if not location or not file.is_relative_to(folder):
        raise VqromError(f"weights {tensor.name!r} must be in a file beside the model, "
                         f"not in {location!r}")
    if invent and not file.is_file() and tensor.data_type == onnx.TensorProto.FLOAT:
        _invent(tensor)
    elif not file.is_file():
        raise VqromError(f"weights {tensor.name!r} must be in the file {location!r} beside the "
                         "model, which is absent")
    elif file.stat().st_size > MAX_BYTES:
        raise VqromError(f"weights file {location!r} must be at most {MAX_BYTES} bytes")
    else:
        onnx.external_data_helper.load_external_data_for_tensor(tensor, str(folder))
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]


def _invent(tensor: onnx.TensorProto) -> None:
    """Give a tensor random values with which a network neither vanishes nor overflows.

    Vectors, among them variances and scales of normalisations, get positive ones.
    """
    size = math.prod(tensor.dims)
    if 4 * size > MAX_BYTES:
        raise VqromError(f"weights {tensor.name!r} must be at most {MAX_BYTES} bytes, "
                         f"not {4 * size}")
    random = np.random.default_rng(size)
    values = random.uniform(0.5, 1.5, size)
    if len(tensor.dims) > 1:
        values *= random.choice([-1, 1], size) / math.sqrt(max(1, math.prod(tensor.dims[1:])))
    tensor.raw_data = values.astype("<f4").tobytes()


def version_of(model: onnx.ModelProto) -> int:
    """Operator set of the standard's own domain; 1 for a model that names none."""
    return next((entry.version for entry in model.opset_import if entry.domain in STANDARD), 1)


def normalise(model: onnx.ModelProto) -> onnx.ModelProto:
    """Bring a model into the one form that is read.

    Parameters
    ----------
    model:
        A valid model with its weights inside. It is not changed.

    Raises
    ------
    VqromError
        If the model cannot be converted; the message says why.
    """
    with _no_logs():
        try:
            if model.functions:
                inlined = onnx_ir.from_proto(model)
                onnx_ir.passes.common.InlinePass()(inlined)
                model = onnx_ir.to_proto(inlined)
            if version_of(model) < FIRST:
                model = explicit_axes(model)
            if version_of(model) < BRIDGE:
                model = onnx.version_converter.convert_version(model, BRIDGE)
            model = qonnx.written_out(model)
            if version_of(model) < VERSION:
                converted = onnx_ir.from_proto(model)
                onnxscript.version_converter.convert_version(converted, VERSION)
                model = onnx_ir.to_proto(converted)
            used = onnx_ir.from_proto(model)
            onnx_ir.passes.common.RemoveUnusedNodesPass()(used)
            model = onnx_ir.to_proto(used)
        except VqromError:
            raise
        except Exception as error:
            raise VqromError(f"operator set {version_of(model)} cannot be converted to {VERSION}: "
                             f"{' '.join(str(error).split())[-200:]}") from None
    return model


@contextmanager
def _no_logs():
    """Keep the converters from logging what we report ourselves."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
