"""The data folder: networks and samples of the zoo that no wheel brings."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from vqrom_hw.errors import VqromError

REPOSITORY = Path(__file__).resolve().parents[3]
"""The checkout that this file is part of, if it is not installed elsewhere."""


def data_folder() -> Path:
    """The folder that ``VQROM_DATA`` names, or else ``shared/data`` beside the repository.

    Raises
    ------
    VqromError
        If there is no such folder.
    """
    folder = Path(os.environ.get("VQROM_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        raise VqromError("real networks and data must lie in the folder that VQROM_DATA names, "
                         f"not {str(folder)!r}, which is no folder")
    return folder


def read_archive(path: Path, *names: str) -> tuple[np.ndarray, ...]:
    """Read arrays from a ``.npz`` file.

    Parameters
    ----------
    path:
        The file.
    names:
        Names of the arrays in the file, in the order in which they are returned.

    Raises
    ------
    VqromError
        If the file cannot be read or lacks one of the arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return tuple(archive[name] for name in names)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise VqromError(f"archive {str(path)!r} cannot be read: {error}") from None
