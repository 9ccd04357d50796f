"""Files as bytes: writing whole files or nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from vqrom_hw.errors import VqromError


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that appears under its name only when it is complete.

    Raises
    ------
    VqromError
        If it cannot be written.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise VqromError(f"{str(path)!r} cannot be written: {error.strerror}") from None
