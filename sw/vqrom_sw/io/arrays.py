"""TODO."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vqrom_hw.errors import VqromError

if TYPE_CHECKING:
    import numpy as np

MAX_DIMENSIONS = 8
MAX_DIMENSION = 1 << 20


def require_file(path: Path, what: str) -> Path:
    """The path, if it is a file that can be read.

    Raises
    ------
    VqromError
        Otherwise.
    """
    if path.is_dir():
        raise VqromError(f"{what} must be a file, not the directory {str(path)!r}")
    if not path.is_file():
        raise VqromError(f"{what} must be an existing file, not {str(path)!r}")
    if not os.access(path, os.R_OK):
        raise VqromError(f"{what} must be readable, which {str(path)!r} is not")
    return path


def load_array(path: Path, what: str) -> np.ndarray:
    """An array of numbers from a ``.npy`` file, without pickle.

    Raises
    ------
    VqromError
        If the file is absent, truncated, not ``.npy``, holds objects, or is empty.
    """
    import numpy as np

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
