"""Safetensors files with named versions: bytes that depend on content alone, checked reading.

Network files and codebook files are safetensors files whose metadata names the format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from vqrom_hw.errors import VqromError
from vqrom_hw.files import read_bytes

LENGTH_BYTES = 8
"""Bytes of the number with which a safetensors file starts: its header's length, little-endian.

The header is padded to a multiple of the same number of bytes."""


def tensor_bytes(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """The content of a safetensors file, always the same for the same tensors and metadata.

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
    """Read the tensors and the metadata of a safetensors file.

    Parameters
    ----------
    path:
        The file.
    what:
        What the file is, for errors.
    limit:
        Greatest number of bytes that it may have.
    file_format, version:
        Format and version that its metadata must name.

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
