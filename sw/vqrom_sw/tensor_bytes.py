"""Safetensors whose bytes depend on their content alone."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from safetensors.numpy import save

LENGTH_BYTES = 8
"""A safetensors file starts with the length of its header, little-endian; the header is padded to
a multiple of the same number of bytes."""


def tensor_bytes(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file's content: the same for the same tensors and metadata.

    The library writes the metadata in an order that changes from process to process; here they are
    sorted, so that files can be compared by their bytes. Offsets count from the header's end and
    stay as they are.
    """
    content = save(dict(tensors), dict(metadata))
    start = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
    header = json.loads(content[LENGTH_BYTES:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text + content[start:]
