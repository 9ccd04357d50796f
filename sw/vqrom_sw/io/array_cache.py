"""Arrays that take long to make, kept in the cache folder by all that they depend on."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_hw.files import read_bytes

from .atomic import write_bytes
from .directory_cache import cache_root, content_key

MAX_BYTES = 1 << 30
"""Largest file that is read back."""


def cached_array(name: str, depends_on: Sequence[object], make: Callable[[], np.ndarray]
                 ) -> np.ndarray:
    """The array that ``make`` makes, read from the cache if it was made from the same before.

    Where the cache folder cannot be written, or a file in it is damaged, the array is made again.

    Parameters
    ----------
    name:
        Beginning of the file's name, for people who look into the folder.
    depends_on:
        Everything that the array follows from, as for :func:`.directory_cache.content_key`; the
        code that makes it is given as its :func:`.sources.source_digest`.
    make:
        Makes the array; called at most once.
    """
    path = cache_root() / "arrays" / f"{name}-{content_key(np.__version__, *depends_on)}.npy"
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
