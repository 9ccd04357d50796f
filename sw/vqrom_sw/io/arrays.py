"""Arrays and files that a user names: checked before they are used."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_hw.files import is_regular

MAX_DIMENSIONS = 8
"""Most dimensions that an array from outside may have."""

MAX_DIMENSION = 1 << 20
"""Greatest size of one dimension of an array from outside."""

MAX_BYTES = 1 << 30
"""Most bytes of an array from outside; what is made of it takes some times that."""

NUMBERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16",
           "float32", "float64")
"""Types of the numbers that an array from outside may hold."""


def require_file(path: Path, what: str) -> Path:
    """Refuse a path that is not a regular file that can be read.

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
        If it is a directory, a device, a FIFO or made up by the kernel, does not exist, or
        cannot be read.
    """
    if path.is_dir():
        raise VqromError(f"{what} must be a file, not the directory {str(path)!r}")
    if not path.exists():
        raise VqromError(f"{what} must be an existing file, not {str(path)!r}")
    if not is_regular(path):
        raise VqromError(f"{what} must be a regular file, which {str(path)!r} is not")
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
        If the file is absent, no regular file, not ``.npy``, or empty; holds anything but
        :data:`NUMBERS`; has dimensions that are too many, too large or no whole numbers, or more
        than :data:`MAX_BYTES`; or is not as long as its header says.
    """
    require_file(path, what)
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise VqromError(f"{what} must be a .npy file, which {str(path)!r} is not")
            file.seek(0)
            _check_header(file, f"{what} {str(path)!r}")
            file.seek(0)
            array = np.lib.format.read_array(file, allow_pickle=False)
    except VqromError:
        raise
    except Exception as error:  # What is wrong with a header comes as all kinds.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise VqromError(f"{what} {str(path)!r} cannot be read: {reason}") from None
    return array


def _check_header(file: BinaryIO, where: str) -> None:
    """Refuse a ``.npy`` header that is not that of numbers which fill the file to its end.

    Nothing is made of the size that it states before the file has that size.
    """
    major, _ = np.lib.format.read_magic(file)
    read = (np.lib.format.read_array_header_1_0 if major == 1
            else np.lib.format.read_array_header_2_0)
    shape, _, dtype = read(file)
    if dtype.name not in NUMBERS:
        raise VqromError(f"{where} must hold numbers ({', '.join(NUMBERS)}), not {dtype.name}")
    if not (len(shape) <= MAX_DIMENSIONS and all(type(size) is int and 0 <= size <= MAX_DIMENSION
                                                 for size in shape)):
        raise VqromError(f"{where} must have at most {MAX_DIMENSIONS} whole dimensions of at most "
                         f"{MAX_DIMENSION}, not {str(shape)[:100]}")
    if 0 in shape:
        raise VqromError(f"{where} must hold at least one value, not have shape {shape!r}")
    expected, found = math.prod(shape) * dtype.itemsize, os.fstat(file.fileno()).st_size
    if expected > MAX_BYTES:
        raise VqromError(f"{where} must have at most {MAX_BYTES} bytes of numbers, not {expected}")
    if file.tell() + expected != found:
        raise VqromError(f"{where} must be as long as its shape {shape!r} of {dtype.name} says, "
                         f"{file.tell() + expected} bytes, not {found}")
