"""The universal codebook: its content, its file, and its extraction from float networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.errors import VqromError

from .atomic import write_bytes
from .tensor_file import read_tensors, tensor_bytes

FORMAT = "vqrom.codebook"
VERSION = "1"
MAX_CODEWORDS = 65536
SUBVECTORS = (1, 2, 4, 8, 16)
MAX_FILE_BYTES = 4 << 20

@dataclass(frozen=True, eq=False)
class UniversalCodebook:
    """What the ROM holds.

    Members
    -------
    codewords:
        int8 ``[k, d]``, each in -127..127 when extracted here.

    Raises
    ------
    VqromError
        If shape or type are not those of a codebook that can be built.
    """

    codewords: np.ndarray

    def __post_init__(self) -> None:
        shape, dtype = self.codewords.shape, self.codewords.dtype
        if dtype != np.int8 or len(shape) != 2:
            raise VqromError(f"codebook must be int8 [k, d], not {dtype} {shape!r}")
        if not 2 <= shape[0] <= MAX_CODEWORDS:
            raise VqromError(f"codewords must be 2..{MAX_CODEWORDS}, not {shape[0]!r}")
        if shape[1] not in SUBVECTORS:
            raise VqromError(f"subvector must be one of {SUBVECTORS}, not {shape[1]!r}")
        frozen = np.ascontiguousarray(self.codewords).copy()
        frozen.flags.writeable = False
        object.__setattr__(self, "codewords", frozen)

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
        write_bytes(Path(path), tensor_bytes({"codewords": self.codewords}, metadata))

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
        if set(tensors) != {"codewords"}:
            raise VqromError(f"codebook {str(path)!r} must hold the tensor 'codewords' alone, "
                             f"not {sorted(tensors)!r}")
        codebook = cls(tensors["codewords"])
        if metadata.get("sha256") != codebook.sha256:
            raise VqromError(f"codebook {str(path)!r} was altered: its SHA-256 must be "
                             f"{metadata.get('sha256')!r}, not {codebook.sha256!r}")
        return codebook
