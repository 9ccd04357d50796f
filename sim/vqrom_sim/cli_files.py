"""What the command line reads and writes: checked arguments in, whole directories out."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vqrom_hw.errors import VqromError

if TYPE_CHECKING:
    import numpy as np

MAX_DIMENSIONS = 8
MAX_DIMENSION = 1 << 20


def parse_shape(text: str) -> tuple[int, ...]:
    """``1x28x28`` or ``1,3,32,32`` as a tuple.

    Raises
    ------
    VqromError
        If it is not 1 to 8 positive integers, all with the same separator.
    """
    separator = "," if "," in text else "x"
    parts = text.lower().split(separator)
    sizes = tuple(int(part) for part in parts if re.fullmatch(r"\s*[0-9]{1,8}\s*", part))
    if len(sizes) != len(parts) or len(parts) > MAX_DIMENSIONS or not all(
            0 < size <= MAX_DIMENSION for size in sizes):
        raise VqromError(
            "shape must be positive integers separated by 'x' or ',', "
            f"such as 1x28x28 or 1,3,32,32, not {text!r}")
    return sizes


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


def check_output(directory: Path) -> Path:
    """The directory, if it can be made or written.

    Raises
    ------
    VqromError
        If it, or a folder above it, is a file or may not be written.
    """
    directory = directory.absolute()
    ancestor = _existing(directory)
    if not ancestor.is_dir():
        raise VqromError(f"output must be a directory, but {str(ancestor)!r} is a file")
    if not os.access(ancestor, os.W_OK | os.X_OK):
        raise VqromError(f"output needs a directory that can be written, not {str(ancestor)!r}")
    return directory


@contextmanager
def staged(directory: Path) -> Iterator[Path]:
    """A temporary directory whose files move to ``directory`` only if all goes well.

    Other files that ``directory`` already has stay. After an error, or Ctrl-C, nothing has
    changed on disk.

    Raises
    ------
    VqromError
        As :func:`check_output`, or if a file would replace a directory or the other way round.
    """
    directory = check_output(directory)
    temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=_existing(directory)))
    try:
        yield temporary
        files = sorted(path for path in temporary.rglob("*") if path.is_file())
        targets = [directory / path.relative_to(temporary) for path in files]
        for target in targets:
            _check_target(target)
        for path, target in zip(files, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def _check_target(target: Path) -> None:
    if target.is_dir():
        raise VqromError(f"output must not be a directory already, but {str(target)!r} is")
    parent = _existing(target.parent)
    if not parent.is_dir():
        raise VqromError(f"output must be a directory, but {str(parent)!r} is a file")
