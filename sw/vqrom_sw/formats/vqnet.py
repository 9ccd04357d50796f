"""``.vqnet`` files: a quantised network as safetensors, its graph as JSON in the metadata."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.io import read_tensors, tensor_bytes, write_bytes
from vqrom_sw.network import QuantizedNetwork

from .layers import layer_from_record, quantization, quantization_record, record_of
from .records import Graph

FORMAT = "vqrom.network"
VERSION = "1"
MAX_FILE_BYTES = 1 << 30


def save_network(network: QuantizedNetwork, path: str | Path,
                 codebook: UniversalCodebook | None) -> None:
    """Write a network, whole or not at all.

    Parameters
    ----------
    network:
        What to write.
    path:
        File; its suffix is ``.vqnet`` by convention.
    codebook:
        Its codebook, whose shape fixes the width and the number of its indices. Any, or None, if
        none of its layers has indices.

    Raises
    ------
    VqromError
        If the file cannot be written, or the codebook is not the network's own.
    """
    network.check_codebook("none" if codebook is None else codebook.sha256)
    size = codebook.size if codebook is not None and network.indexed else None
    tensors: dict[str, np.ndarray] = {}
    records = [record_of(layer, number, size, tensors)
               for number, layer in enumerate(network.layers)]
    graph = Graph.model_validate(dict(
        name=network.name, input_shape=network.input_shape,
        input_quantization=quantization_record(network.input_quantization),
        output_shape=network.output_shape,
        codebook_sha256=network.codebook_sha256, codewords=size,
        subvector=codebook.subvector if codebook is not None and network.indexed else None,
        layers=records))
    text = graph.model_dump_json()
    metadata = {"format": FORMAT, "version": VERSION, "graph": text,
                "sha256": _digest(text, tensors)}
    write_bytes(Path(path), tensor_bytes(tensors, metadata))


def load_network(path: str | Path) -> QuantizedNetwork:
    """Read a file that :func:`save_network` wrote.

    Raises
    ------
    VqromError
        If it is unreadable, of another kind or version, was altered, or says what cannot be.
    """
    path = Path(path)
    tensors, metadata = read_tensors(path, "network", MAX_FILE_BYTES, FORMAT, VERSION)
    text = metadata.get("graph", "")
    if metadata.get("sha256") != _digest(text, tensors):
        raise VqromError(f"network {str(path)!r} was altered: its SHA-256 must be "
                         f"{metadata.get('sha256')!r}, not {_digest(text, tensors)!r}")
    try:
        return _network(Graph.model_validate_json(text), tensors)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise VqromError(f"network {str(path)!r}: graph {place}: {first['msg']}") from None
    except VqromError as error:
        raise VqromError(f"network {str(path)!r}: {error}") from None


def _network(graph: Graph, tensors: dict[str, np.ndarray]) -> QuantizedNetwork:
    shapes = {"input": graph.input_shape}
    layers = []
    for number, record in enumerate(graph.layers):
        if record.name in shapes:
            raise VqromError(f"layer {record.name!r} must have a name of its own")
        for name in record.inputs:
            if name not in shapes:
                raise VqromError(f"layer {record.name!r}: input must be an earlier layer, "
                                 f"not {name!r}")
        layers.append(layer_from_record(record, number, graph, tensors,
                                        [shapes[name] for name in record.inputs]))
        shapes[record.name] = record.shape
    if tensors:
        raise VqromError(f"tensor {min(tensors)!r} must belong to a layer")
    if int(np.prod(graph.output_shape)) != int(np.prod(layers[-1].shape)):
        raise VqromError(f"output shape must have the elements of {layers[-1].shape!r}, "
                         f"not {graph.output_shape!r}")
    return QuantizedNetwork(graph.name, graph.input_shape,
                            quantization(graph.input_quantization), tuple(layers),
                            graph.output_shape, graph.codebook_sha256)


def _digest(graph: str, tensors: dict[str, np.ndarray]) -> str:
    """SHA-256 over the graph and every tensor's name, type, shape and content."""
    digest = hashlib.sha256(graph.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(json.dumps([name, str(tensor.dtype), tensor.shape]).encode())
        digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()
