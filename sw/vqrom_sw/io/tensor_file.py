"""Safetensors files of our formats: bytes that depend on content alone, and checked reading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from vqrom_hw.errors import VqromError

from .atomic import read_bytes

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


def read_tensors(path: Path, what: str, limit: int, file_format: str,
                 version: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors and metadata of a file.

    Parameters
    ----------
    what:
        What the file is, for errors.
    limit:
        Most bytes that it may have.
    file_format, version:
        What its metadata must say.

    Raises
    ------
    VqromError
        If it is unreadable, too large, no whole safetensors file, or of another format or version.
    """
    content = read_bytes(path, what, limit)
    try:
        tensors = load(content)
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise VqromError(f"{what} {str(path)!r} must be a complete safetensors file: "
                         f"{error}") from None
    for key, expected in (("format", file_format), ("version", version)):
        if metadata.get(key) != expected:
            raise VqromError(f"{what} {str(path)!r} must have {key} {expected!r}, "
                             f"not {metadata.get(key)!r}")
    return tensors, metadata
