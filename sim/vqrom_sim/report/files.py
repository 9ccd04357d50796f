"""Result directories that appear as a whole or not at all, and JSON as all results have it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.io import scratch, write_bytes


def check_output(directory: Path) -> Path:
    """The absolute path of a directory for results, if it can be made or written.

    Commands call this before hours of work, not after them.

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

    One process at a time. Other files that ``directory`` already has stay. After an error, or
    Ctrl-C, nothing has changed on disk.

    Raises
    ------
    VqromError
        As :func:`check_output`, if no folder can be made there, if a file cannot be written (a
        full disk, say), if another process is writing there, or if a file would replace a
        directory or the other way round.
    """
    directory = check_output(directory)
    place = _existing(directory)
    try:
        with scratch(place, directory.name, folder=True) as temporary:
            yield temporary
            _move_files(temporary, directory)
    except OSError as error:
        # Not of a pipe that was printed to meanwhile, or of a file that was read.
        if isinstance(error, BrokenPipeError) or not _is_of_output(error, directory, place):
            raise
        raise VqromError(f"output {str(directory)!r} cannot be written: "
                         f"{error.strerror or error}") from None


def _is_of_output(error: OSError, directory: Path, place: Path) -> bool:
    """Whether what went wrong is the output or, without a name, may be: a full disk has none."""
    name = str(directory if error.filename is None else error.filename)
    return name == str(place) or name.startswith(
        (str(directory), str(place / f".{directory.name}.")))


def _move_files(temporary: Path, directory: Path) -> None:
    files = sorted(path for path in temporary.rglob("*") if path.is_file())
    targets = [directory / path.relative_to(temporary) for path in files]
    for target in targets:
        _check_target(target)
    for path, target in zip(files, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def write_json(path: Path, value: object) -> None:
    """Write strict JSON (no NaN), indented, with a final newline."""
    path.write_text(json_text(value), encoding="utf-8")


def save_array(path: Path, array: np.ndarray) -> None:
    """Write a ``.npy`` file, whole or not at all, under exactly the given name.

    Raises
    ------
    VqromError
        If it cannot be written.
    """
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an ``.npz`` file of arrays by name; any name will do."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            # A date of its own would make files differ from run to run.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue())


def json_text(value: object) -> str:
    """The text of :func:`write_json`: the same bytes wherever a result is written."""
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


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
