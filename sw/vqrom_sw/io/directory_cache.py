"""Results that take long to make, kept on disk by a key of everything that they follow from."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs
from filelock import FileLock

from vqrom_hw.errors import VqromError

KEY_DIGITS = 32
"""Hexadecimal digits of a key: 128 bits, so that no two of them ever meet by chance."""


def cache_root() -> Path:
    """The folder of all kept results: ``VQROM_CACHE``, or else the user's cache folder."""
    return Path(os.environ.get("VQROM_CACHE") or platformdirs.user_cache_dir("vqrom"))


def content_key(*parts: object) -> str:
    """The name under which a result is kept: hexadecimal digits that differ if any part does.

    Parameters
    ----------
    parts:
        Everything that the result follows from, in an order that stays the same. Paths stand for
        their files' contents, bytes and text for themselves, anything else for its ``repr``.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = _content(part)
        # With its length, so that the parts "ab", "c" differ from "a", "bc".
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:KEY_DIGITS]


def _content(part: object) -> bytes:
    if isinstance(part, Path):
        return part.read_bytes()
    if isinstance(part, bytes):
        return part
    return part.encode() if isinstance(part, str) else repr(part).encode()


def cached_directory(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The directory that ``build`` made for this key, now or earlier.

    It is built beside its place and renamed when complete, so that no half-made one is ever seen;
    processes that want the same one wait for each other.

    Parameters
    ----------
    kind:
        Folder of results of one kind, under :func:`cache_root`.
    key:
        From :func:`content_key`.
    build:
        Called with an empty folder to fill, unless the result is there. What it raises goes on to
        the caller, and nothing is kept.

    Raises
    ------
    VqromError
        If the cache folder cannot be made or written, or the disk is full.
    """
    parent = cache_root() / kind
    try:
        return _made(parent, key, build)
    except OSError as error:
        raise VqromError(f"cache folder {str(parent)!r} must be a folder that can be written: "
                         f"{error.strerror or error}") from None


def _made(parent: Path, key: str, build: Callable[[Path], None]) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    final = parent / key
    with FileLock(parent / f"{key}.lock"):
        if not final.exists():
            # Whoever made these held the lock, and holds it no more: it was killed.
            for left in parent.glob(f"{key}.*/"):
                shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{key}.", dir=parent))
            try:
                build(folder)
                folder.rename(final)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return final
