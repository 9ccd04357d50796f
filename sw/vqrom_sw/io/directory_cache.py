"""Directories that take long to build, kept in the cache by a hash of what they follow from."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs
from filelock import FileLock


def cache_root() -> Path:
    """The folder of all caches: the variable ``VQROM_CACHE``, or else the user's cache folder."""
    return Path(os.environ.get("VQROM_CACHE") or platformdirs.user_cache_dir("vqrom"))


def cached_directory(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The directory that ``build`` made for this key, now or earlier.

    It is built beside its place and renamed when complete, so that no half-made one is ever seen.
    Processes that want the same one wait for each other.

    Parameters
    ----------
    kind:
        Folder of the cache, for all directories of one kind.
    key:
        Hash of everything that the directory's content follows from.
    build:
        Fills the empty directory whose path it gets.

    Returns
    -------
    Path
        The complete directory.
    """
    parent = cache_root() / kind
    parent.mkdir(parents=True, exist_ok=True)
    final = parent / key
    with FileLock(parent / f"{key}.lock"):
        if not final.exists():
            folder = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=parent))
            try:
                build(folder)
                folder.rename(final)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return final
