"""``.vqnet`` files: a quantised network as a safetensors file.

Arrays are the file's tensors; the layers and everything else are JSON in its metadata, under the
name ``graph``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.io import read_tensors, tensor_bytes, write_bytes
from vqrom_sw.network import MAX_NUMBERS, Host, Output, QuantizedNetwork, Shape

from .fields import native, native_record, quantization, quantization_record
from .layer_checks import check_native
from .layer_conversion import layer_from_record, record_of
from .layer_tensors import check_host
from .records import NetworkRecord, OutputRecord

FORMAT, VERSION = "vqrom.network", "2"
"""What the metadata of a network file says."""

T = TypeVar("T")

MAX_FILE_BYTES = 1 << 30
"""Greatest size of a network file that is read."""


def save_network(network: QuantizedNetwork, path: str | Path,
                 codebook: UniversalCodebook | None) -> None:
    """Write a network to a file, whole or not at all.

    Parameters
    ----------
    network:
        The quantised network.
    path:
        The file; its suffix is ``.vqnet`` by convention.
    codebook:
        The network's codebook, whose shape fixes the width and the number of its indices. If none
        of its layers has indices, any codebook will do, or None.

    Raises
    ------
    VqromError
        If the file cannot be written, the codebook is not the network's own, or the network has
        something that a file cannot have, such as too many layers.
    """
    network.check_codebook("none" if codebook is None else codebook.sha256)
    size = codebook.size if codebook is not None and network.indexed else None
    tensors: dict[str, np.ndarray] = {}
    records = [_checked(f"{network.name!r}: layer {layer.name!r}", partial(
        record_of, layer, number, size, tensors)) for number, layer in enumerate(network.layers)]
    for layer in network.layers:
        if isinstance(layer, Host):
            check_host(layer, [network.shape_of(name) for name in layer.inputs])
    record = _checked(repr(network.name), lambda: NetworkRecord.model_validate(dict(
        name=network.name, input_shape=network.input_shape,
        input_quantization=quantization_record(network.input_quantization),
        input_native=native_record(network.input_native),
        outputs=tuple(OutputRecord(layer=output.layer, native=native_record(output.native),
                                   name=output.name) for output in network.outputs),
        codebook_sha256=network.codebook_sha256, codewords=size,
        subvector=codebook.subvector if codebook is not None and network.indexed else None,
        layers=records)))
    text = record.model_dump_json()
    metadata = {"format": FORMAT, "version": VERSION, "graph": text,
                "sha256": content_digest(text, tensors)}
    write_bytes(Path(path), tensor_bytes(tensors, metadata))


def load_network(path: str | Path) -> QuantizedNetwork:
    """Read a network from a file that :func:`save_network` wrote.

    Raises
    ------
    VqromError
        If it cannot be read, is of another format or version, was altered, or holds a network that
        cannot exist.
    """
    path = Path(path)
    tensors, metadata = read_tensors(path, "network", MAX_FILE_BYTES, FORMAT, VERSION)
    text = metadata.get("graph", "")
    if metadata.get("sha256") != content_digest(text, tensors):
        raise VqromError(f"network {str(path)!r} was altered: its SHA-256 must be "
                         f"{metadata.get('sha256')!r}, not {content_digest(text, tensors)!r}")
    record = _checked(repr(str(path)), lambda: NetworkRecord.model_validate_json(text))
    try:
        return _network(record, tensors)
    except VqromError as error:
        raise VqromError(f"network {str(path)!r}: {error}") from None


def _check_size(what: str, shape: Shape) -> None:
    """Refuse a feature map that is too large to be run."""
    if math.prod(shape) > MAX_NUMBERS:
        raise VqromError(f"{what} must have at most {MAX_NUMBERS} numbers, not {shape!r}")


def _checked(name: str, make: Callable[[], T]) -> T:
    """Make a record; a field out of its range is an error that names the network."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise VqromError(f"network {name}: graph {place}: {first['msg']}") from None


def _network(network: NetworkRecord, tensors: dict[str, np.ndarray]) -> QuantizedNetwork:
    _check_size("input", network.input_shape)
    shapes = {"input": network.input_shape}
    layers = []
    for number, record in enumerate(network.layers):
        if record.name in shapes:
            raise VqromError(f"layer {record.name!r} must have a name of its own")
        for name in record.inputs:
            if name not in shapes:
                raise VqromError(f"layer {record.name!r}: input must be an earlier layer, "
                                 f"not {name!r}")
        _check_size(f"layer {record.name!r}", record.shape)
        layers.append(layer_from_record(record, number, network, tensors,
                                        [shapes[name] for name in record.inputs]))
        shapes[record.name] = record.shape
    if tensors:
        raise VqromError(f"tensor {min(tensors)!r} must belong to a layer")
    check_native("input", network.input_native, network.input_shape)
    for output in network.outputs:
        if output.layer not in shapes:
            raise VqromError(f"output must be that of a layer, not of {output.layer!r}")
        check_native(f"output of {output.layer!r}", output.native, shapes[output.layer])
    return QuantizedNetwork(
        network.name, network.input_shape, quantization(network.input_quantization),
        tuple(layers), tuple(Output(output.layer, native(output.native), output.name)
                             for output in network.outputs),
        network.codebook_sha256, native(network.input_native))


def content_digest(graph: str, tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 over the graph and every tensor's name, type, shape and content."""
    digest = hashlib.sha256(graph.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, str(tensor.dtype), tensor.shape]).encode())
        digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()
