"""The universal codebook: what it is, how it is extracted from networks, and nearest codewords.

Weights are cut into sub-vectors, and each of these is replaced by the index of one of ``k``
codewords. All networks share one codebook, so that the accelerator can hold it in a ROM. Here are
the codebook with its file, the methods that extract one from float networks, the cut into
sub-vectors, the search for the codeword nearest to one, and uniform grids as codebooks.
"""

from .codebook import MAX_FILE_BYTES, UniversalCodebook
from .extraction import Extraction, extract_codebook
from .search import nearest, nearest_masked
from .subvectors import channel_rms, merge, subvectors
from .uniform import uniform_codebook

__all__ = [
    "MAX_FILE_BYTES", "Extraction", "UniversalCodebook", "channel_rms", "extract_codebook", "merge",
    "nearest", "nearest_masked", "subvectors", "uniform_codebook",
]
