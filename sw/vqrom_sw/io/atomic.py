"""Files as bytes: reading with a size limit, and writing whole files or nothing."""

from __future__ import annotations

import os
from pathlib import Path

from vqrom_hw.errors import VqromError

from .scratch import scratch


def read_bytes(path: Path, what: str, limit: int) -> bytes:
    """Read a file's content.

    Parameters
    ----------
    path:
        The file.
    what:
        What the file is, for the error.
    limit:
        Greatest number of bytes that it may have.

    Raises
    ------
    VqromError
        If it cannot be read or is larger than ``limit`` bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise VqromError(f"{what} {str(path)!r} cannot be read: {error.strerror}") from None
    if len(content) > limit:
        raise VqromError(f"{what} {str(path)!r} must be at most {limit} bytes")
    return content


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is complete.

    Raises
    ------
    VqromError
        If it cannot be written.
    """
    try:
        with scratch(path.parent, path.name, folder=False) as temporary:
            temporary.write_bytes(content)
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            temporary.replace(path)
    except OSError as error:
        raise VqromError(f"{str(path)!r} cannot be written: {error.strerror}") from None
