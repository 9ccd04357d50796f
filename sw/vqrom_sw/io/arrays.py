"""Arrays and files that a user names: checked before they are used."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from vqrom_hw.errors import VqromError

MAX_DIMENSIONS = 8
"""Most dimensions that an array from outside may have."""

MAX_DIMENSION = 1 << 20
"""Greatest size of one dimension of an array from outside."""


def require_file(path: Path, what: str) -> Path:
    """Refuse a path that is not a file that can be read.

    Parameters
    ----------
    path:
        Path that a user gave.
    what:
        What the file is, for the error.

    Returns
    -------
    Path
        The path itself.

    Raises
    ------
    VqromError
        If it is a directory, does not exist, or cannot be read.
    """
    if path.is_dir():
        raise VqromError(f"{what} must be a file, not the directory {str(path)!r}")
    if not path.is_file():
        raise VqromError(f"{what} must be an existing file, not {str(path)!r}")
    if not os.access(path, os.R_OK):
        raise VqromError(f"{what} must be readable, which {str(path)!r} is not")
    return path


def load_array(path: Path, what: str) -> np.ndarray:
    """Read an array of numbers from a ``.npy`` file, without pickle.

    Parameters
    ----------
    path:
        Path that a user gave.
    what:
        What the file is, for the error.

    Raises
    ------
    VqromError
        If the file is absent, truncated, not ``.npy``, holds objects, or is empty.
    """
    require_file(path, what)
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise VqromError(f"{what} must be a .npy file, which {str(path)!r} is not")
            file.seek(0)
            array = np.lib.format.read_array(file, allow_pickle=False)
            if file.read(1):
                raise VqromError(f"{what} must end after its array, which {str(path)!r} does not")
    except VqromError:
        raise
    except (OSError, ValueError, EOFError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise VqromError(f"{what} {str(path)!r} cannot be read: {reason}") from None
    if array.size == 0:
        raise VqromError(
            f"{what} must hold at least one value; {str(path)!r} has shape {array.shape!r}")
    return array
