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
    pass
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
from vqrom_sw.io import MAX_DIMENSION, MAX_DIMENSIONS


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


def write_json(path: Path, value: object) -> None:
    """Write strict JSON (no NaN) with a final newline."""
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")
