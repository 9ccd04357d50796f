"""Files that a user names, read whole: regular files only, of bounded size, as text or TOML.

Devices, FIFOs and files that the kernel makes up (``/proc``) may never end or never begin; they are
refused before anything is read of them.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from .errors import VqromError

MAX_TOML_BYTES = 1 << 20
"""Largest TOML file that is read."""

MAX_TOML_PARTS = 32
"""Most parts of a dotted key, and most brackets that are open at once, in a TOML file."""

MAX_TOML_DIGITS = 64
"""Most digits, letters and underscores of a number in a TOML file."""

_KERNEL_FILES = ("/proc/", "/sys/")
"""Folders whose regular files are made up while they are read."""

_STRINGS = re.compile(r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"'
                      r"|'[^'\n]*'|#[^\n]*", re.DOTALL)
"""Strings and comments of TOML, in which nothing nests."""

_LONG_NUMBER = re.compile(rf"(?<![\w-])[+-]?\d[\w.+-]{{{MAX_TOML_DIGITS},}}")

_BESIDE_KEYS = re.compile(r"[^\w. \t-]")
"""What no dotted key has, once its strings are taken out."""


def is_regular(path: Path) -> bool:
    """Whether a path is that of a regular file, and not one that the kernel makes up."""
    try:
        return path.is_file() and not os.path.realpath(path).startswith(_KERNEL_FILES)
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, what: str, limit: int) -> bytes:
    """Read a regular file's content.

    Parameters
    ----------
    path:
        Where the user says that the file is.
    what:
        What the file is, for the error.
    limit:
        Greatest number of bytes that it may have.

    Raises
    ------
    VqromError
        If it cannot be read, is no regular file, or is larger than ``limit`` bytes.
    """
    try:
        # A FIFO without a writer would make a plain open wait for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise VqromError(f"{what} {str(path)!r} cannot be read: {_reason(error)}") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or not is_regular(path):
            raise VqromError(f"{what} must be a regular file, which {str(path)!r} is not")
        if status.st_size > limit:
            raise VqromError(f"{what} {str(path)!r} must be at most {limit} bytes, "
                             f"not {status.st_size}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise VqromError(f"{what} {str(path)!r} cannot be read: {_reason(error)}") from None
    finally:
        os.close(handle)
    if len(content) > limit:
        raise VqromError(f"{what} {str(path)!r} must be at most {limit} bytes")
    return content


def _reason(error: OSError | ValueError) -> str:
    """Why a file cannot be opened; a path with a null byte is a ValueError."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return os.strerror(errno.EINVAL)


def read_text(path: Path, what: str, limit: int, encoding: str = "utf-8") -> str:
    """Read a regular file as text; see :func:`read_bytes`.

    Raises
    ------
    VqromError
        As :func:`read_bytes`, and if the bytes are no text of the encoding.
    """
    try:
        return read_bytes(path, what, limit).decode(encoding)
    except UnicodeDecodeError as error:
        raise VqromError(f"{what} {str(path)!r} must be UTF-8 text: {error}") from None


def parse_json(text: str | bytes, where: str) -> dict[str, Any]:
    """Parse JSON that is an object; ``where`` says what it is, with which errors begin.

    Raises
    ------
    VqromError
        If it is no JSON, nests too deep, has a number of thousands of digits, or is no object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise VqromError(f"{where} must be JSON: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(value, dict):
        raise VqromError(f"{where} must be a JSON object, not {type(value).__name__}")
    return value


def read_toml(path: Path, what: str, limit: int = MAX_TOML_BYTES) -> dict[str, Any]:
    """Read a TOML file whose keys, brackets and numbers are of ordinary size.

    The arguments are those of :func:`read_bytes`.

    Raises
    ------
    VqromError
        As :func:`read_text`; if it is no TOML, nests deeper than :data:`MAX_TOML_PARTS`, or has a
        number longer than :data:`MAX_TOML_DIGITS`.
    """
    return parse_toml(read_text(path, what, limit), f"{what} {str(path)!r}")


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Parse TOML whose keys, brackets and numbers are of ordinary size; see :func:`read_toml`.

    Parameters
    ----------
    text:
        What the file holds.
    where:
        What the file is and its name, with which errors begin.
    """
    bare = _STRINGS.sub('""', text)
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", bare):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    dots = max(part.count(".") for part in _BESIDE_KEYS.split(_STRINGS.sub("s", text)))
    if deepest > MAX_TOML_PARTS or dots >= MAX_TOML_PARTS:
        raise VqromError(f"{where} must have keys and lists of at most {MAX_TOML_PARTS} levels")
    if (number := _LONG_NUMBER.search(bare)) is not None:
        raise VqromError(f"{where} must have numbers of at most {MAX_TOML_DIGITS} digits, not "
                         f"{number.group()[:16]!r}...")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise VqromError(f"{where} must be valid TOML: {' '.join(str(error).split())[:200]}"
                         ) from None
