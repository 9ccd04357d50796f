"""The universal codebook: its content, its file, and its extraction from float networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vqrom_hw.codebook import MAX_CODEWORDS, MIN_CODEWORDS, SUBVECTORS, codebook_sha256
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST
from vqrom_sw.io import read_tensors, tensor_bytes, write_bytes

FORMAT = "vqrom.codebook"
VERSION = "1"
CODEWORDS, TABLES = "codewords", "tables"
"""Tensors of the file; the latter of an additive codebook."""

MAX_STAGES = 4
MAX_FILE_BYTES = 4 << 20
LIMIT = HIGHEST
"""Sums of additive codewords saturate at +-127."""


@dataclass(frozen=True, eq=False)
class UniversalCodebook:
    """What the ROM holds.

    Members
    -------
    codewords:
        int8 ``[k, d]``, each in -127..127 when extracted here: what an index stands for.
    tables:
        int8 ``[m, K, d]`` if each of the ``k = K**m`` codewords is a sum of one row of each
        table (:meth:`additive`). The ROM then holds the tables.

    Raises
    ------
    VqromError
        If shape or type are not those of a codebook that can be built.
    """

    codewords: np.ndarray
    tables: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape, dtype = self.codewords.shape, self.codewords.dtype
        if dtype != np.int8 or len(shape) != 2:
            raise VqromError(f"codebook must be int8 [k, d], not {dtype} {shape!r}")
        if not MIN_CODEWORDS <= shape[0] <= MAX_CODEWORDS:
            raise VqromError(f"codewords must be {MIN_CODEWORDS}..{MAX_CODEWORDS}, "
                             f"not {shape[0]!r}")
        if shape[1] not in SUBVECTORS:
            raise VqromError(f"subvector must be one of {SUBVECTORS}, not {shape[1]!r}")
        frozen = np.ascontiguousarray(self.codewords).copy()
        frozen.flags.writeable = False
        object.__setattr__(self, "codewords", frozen)

    @classmethod
    def additive(cls, tables: np.ndarray) -> UniversalCodebook:
        """The codebook of all sums of one row of each table, saturating at +-127.

        Index ``(i_1 * K + i_2) * K + ...`` stands for the sum of rows ``i_1``, ``i_2``, ...

        Parameters
        ----------
        tables:
            int8 ``[m, K, d]``.

        Raises
        ------
        VqromError
            If the tables are of another type or shape, or there are too many sums.
        """
        if tables.dtype != np.int8 or tables.ndim != 3 or not 1 <= len(tables) <= MAX_STAGES:
            raise VqromError(f"tables must be int8 [m, k, d] with m in 1..{MAX_STAGES}, "
                             f"not {tables.dtype} {tables.shape!r}")
        if tables.shape[1] ** len(tables) > MAX_CODEWORDS:
            raise VqromError(f"codewords to the power of stages must be at most {MAX_CODEWORDS}, "
                             f"not {tables.shape[1]}**{len(tables)}")
        return cls(sums_of(tables), tables.copy())

    @property
    def stages(self) -> int:
        """``m``: rows of the ROM that are summed."""
        return 1 if self.tables is None else len(self.tables)

    @property
    def rom_bytes(self) -> int:
        """Bytes that the ROM holds."""
        return self.codewords.nbytes if self.tables is None else self.tables.nbytes

    @property
    def size(self) -> int:
        """``k``: number of codewords."""
        return self.codewords.shape[0]

    @property
    def subvector(self) -> int:
        """``d``: weights of one codeword."""
        return self.codewords.shape[1]

    @cached_property
    def sha256(self) -> str:
        """See :func:`vqrom_hw.codebook.codebook_sha256`."""
        return codebook_sha256(self.codewords)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file, whole or not at all."""
        metadata = {"format": FORMAT, "version": VERSION, "sha256": self.sha256}
        content = {CODEWORDS: self.codewords} if self.tables is None else {TABLES: self.tables}
        write_bytes(Path(path), tensor_bytes(content, metadata))

    @classmethod
    def load(cls, path: str | Path) -> UniversalCodebook:
        """Read a file that :meth:`save` wrote.

        Raises
        ------
        VqromError
            If it is unreadable, of another kind or version, or its content was altered.
        """
        path = Path(path)
        tensors, metadata = read_tensors(path, "codebook", MAX_FILE_BYTES, FORMAT, VERSION)
        if set(tensors) not in ({CODEWORDS}, {TABLES}):
            raise VqromError(f"codebook {str(path)!r} must hold the tensor {CODEWORDS!r} alone, or "
                             f"{TABLES!r}, not {sorted(tensors)!r}")
        codebook = cls(tensors[CODEWORDS]) if CODEWORDS in tensors \
            else cls.additive(tensors[TABLES])
        if metadata.get("sha256") != codebook.sha256:
            raise VqromError(f"codebook {str(path)!r} was altered: its SHA-256 must be "
                             f"{metadata.get('sha256')!r}, not {codebook.sha256!r}")
        return codebook


def sums_of(tables: np.ndarray) -> np.ndarray:
    """All sums of one row of each table ``[m, K, d]``, the last table's fastest.

    Of int8 tables they saturate at +-127 and are int8 ``[K**m, d]``; of float tables, float.
    """
    whole = tables.dtype == np.int8
    sums = np.zeros((1, tables.shape[2]), np.int64 if whole else tables.dtype)
    for table in tables:
        sums = (sums[:, None] + table).reshape(-1, tables.shape[2])
    return np.clip(sums, -LIMIT, LIMIT).astype(np.int8) if whole else sums
