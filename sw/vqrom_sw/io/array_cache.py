"""Arrays that take long to make, kept in the user's cache folder by all that they depend on."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vqrom_hw.errors import VqromError

from .atomic import read_bytes, write_bytes
from .directory_cache import cache_root

MAX_BYTES = 1 << 30
"""Greatest size of a cached file that is read."""


def cached_array(name: str, depends_on: Sequence[object], make: Callable[[], np.ndarray]
                 ) -> np.ndarray:
    """The array that ``make`` makes, read from the cache if it was made from the same before.

    It lies in the folder ``arrays`` of :func:`cache_root`. Where that cannot be written, the array
    is made each time.

    Parameters
    ----------
    name:
        First part of the file's name, for people who look into the cache.
    depends_on:
        Everything that the array follows from. A path stands for its file's content, anything
        else for its text (``repr``).
    make:
        Makes the array.
    """
    path = cache_root() / "arrays" / f"{name}-{_key(depends_on)[:32]}.npy"
    try:
        return np.load(io.BytesIO(read_bytes(path, "array", MAX_BYTES)), allow_pickle=False)
    except (VqromError, ValueError, EOFError):
        made = make()
    buffer = io.BytesIO()
    np.save(buffer, made, allow_pickle=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, buffer.getvalue())
    except (VqromError, OSError):
        pass
    return made


def _key(depends_on: Sequence[object]) -> str:
    digest = hashlib.sha256(np.__version__.encode())
    for part in depends_on:
        content = part.read_bytes() if isinstance(part, Path) else repr(part).encode()
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()
