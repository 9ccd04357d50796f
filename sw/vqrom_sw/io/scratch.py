"""Unfinished files and folders beside their place: held while in use, removed once left behind."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = "vqrom-"


@contextmanager
def scratch(place: Path, name: str, *, folder: bool) -> Iterator[Path]:
    """A hidden file or folder ``.NAME.vqrom-XXXXXXXX`` in ``place``, gone at the end.

    It is locked while this process lives, however it ends, so that the next one that works on the
    same name removes what a killed one left, and nothing that is still in use.

    Parameters
    ----------
    place:
        A folder that exists.
    name:
        Of the result that is being made.
    folder:
        Whether to make a folder, of which there is only one at a time, not an empty file.

    Raises
    ------
    OSError
        If nothing can be made in ``place``, or another process has such a folder in use.
    """
    prefix = f".{name}.{_MARK}"
    with _locked(place):
        busy = _sweep(place, prefix)
        if folder and busy:
            raise BlockingIOError(errno.EWOULDBLOCK, "another process is writing it")
        if folder:
            path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        else:
            handle, made = tempfile.mkstemp(prefix=prefix, dir=place)
            os.close(handle)
            path = Path(made)
        held = _lock(path, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        _remove(path)
        os.close(held)


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Nobody looks for what was left between the making of a path and its lock."""
    if f".{_MARK}" in place.name:  # A scratch folder of our own: we hold its lock already.
        yield
        return
    handle = _lock(place, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def _lock(path: Path, kind: int) -> int:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, kind)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _sweep(place: Path, prefix: str) -> bool:
    """Remove what dead processes left; returns whether something is in use."""
    busy = False
    for path in [path for path in place.iterdir() if path.name.startswith(prefix)]:
        try:
            handle = _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy = True
            continue
        except OSError:
            continue  # Gone by now, or somebody else's.
        _remove(path)
        os.close(handle)
    return busy


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
