"""Files as bytes: writing whole files or nothing."""

from __future__ import annotations

import os
from pathlib import Path

from vqrom_hw.errors import VqromError

from .scratch import scratch


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
