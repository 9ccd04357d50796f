"""The universal codebook as an object and as a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.codebook_shape import MAX_CODEWORDS, MIN_CODEWORDS, SUBVECTORS
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST
from vqrom_sw.io import read_tensors, tensor_bytes, write_bytes

FORMAT = "vqrom.codebook"
"""Kind of file that the metadata names, so that no other safetensors file passes for a codebook."""

VERSION = "1"
"""Version of the file's layout; a file of another version is refused."""

CODEWORDS, TABLES = "codewords", "tables"
"""Name of the one tensor in the file: the codewords, or the tables of an additive codebook."""

MAX_STAGES = 4
"""Most tables of an additive codebook."""

MAX_FILE_BYTES = 4 << 20
"""Size from which a file is refused unread; the largest codebook has a quarter of it."""

LIMIT = HIGHEST
"""Largest magnitude of a codeword's entry. -128 is left out, so that every entry has its negative;
sums of additive codewords saturate here.
"""


@dataclass(frozen=True, eq=False)
class UniversalCodebook:
    """The ``k`` codewords of ``d`` weights that every network's indices point into.

    A network stores an index for each of its sub-vectors, and the accelerator looks the weights up
    here. The codebook belongs to the hardware: it is fixed when the ROM is made, and networks are
    compressed onto it afterwards. Its content cannot be changed once it exists.

    Members
    -------
    codewords:
        int8 ``[k, d]``, what each index stands for; entries are in -127..127 where they were
        extracted by :func:`.extraction.extract_codebook`.
    tables:
        None, or int8 ``[m, K, d]`` if each of the ``k = K**m`` codewords is a sum of one vector of
        each table (:meth:`additive`); only the tables are stored then.

    Raises
    ------
    VqromError
        If shape or type are not those of a codebook that can be built: int8 with two dimensions,
        ``k`` in 2..65536 and ``d`` one of :data:`SUBVECTORS`.
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
        """Make the codebook of all sums of one vector of each table, saturating at +-127.

        A few small tables stand for many codewords this way (Babenko and Lempitsky, "Additive
        Quantization for Extreme Vector Compression", CVPR 2014). Index ``(i_1 * K + i_2) * K + ..``
        stands for the sum of vector ``i_1`` of the first table, ``i_2`` of the second, and so on.

        Parameters
        ----------
        tables:
            int8 ``[m, K, d]``, ``m`` in 1..4 and ``K**m`` at most 65536.

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
        """Number of tables ``m`` whose vectors are summed to a codeword; 1 without tables."""
        return 1 if self.tables is None else len(self.tables)

    @property
    def rom_bytes(self) -> int:
        """Bytes that are stored for the codebook: its tables, or its codewords without tables."""
        return self.codewords.nbytes if self.tables is None else self.tables.nbytes

    @property
    def size(self) -> int:
        """Number of codewords, ``k``."""
        return self.codewords.shape[0]

    @property
    def subvector(self) -> int:
        """Number of weights of one codeword, ``d``."""
        return self.codewords.shape[1]

    @cached_property
    def sha256(self) -> str:
        """Identity of the codebook, as :func:`vqrom_hw.codebook.codebook_sha256` computes it.

        Networks and accelerators carry it, so that indices are never looked up in another codebook.
        """
        return codebook_sha256(self.codewords)

    def save(self, path: str | Path) -> None:
        """Write the codebook as a safetensors file, whole or not at all."""
        metadata = {"format": FORMAT, "version": VERSION, "sha256": self.sha256}
        content = {CODEWORDS: self.codewords} if self.tables is None else {TABLES: self.tables}
        write_bytes(Path(path), tensor_bytes(content, metadata))

    @classmethod
    def load(cls, path: str | Path) -> UniversalCodebook:
        """Read a file that :meth:`save` wrote.

        Raises
        ------
        VqromError
            If the file is unreadable, of another kind or version, or its content was altered.
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
    """Add up one vector of each table, in every combination.

    Parameters
    ----------
    tables:
        int8 or floating-point ``[m, K, d]``.

    Returns
    -------
    numpy.ndarray
        ``[K**m, d]`` of the same type, the last table's number varying fastest. int8 sums saturate
        at +-127.
    """
    whole = tables.dtype == np.int8
    sums = np.zeros((1, tables.shape[2]), np.int64 if whole else tables.dtype)
    for table in tables:
        sums = (sums[:, None] + table).reshape(-1, tables.shape[2])
    return np.clip(sums, -LIMIT, LIMIT).astype(np.int8) if whole else sums
