"""The universal codebook: its file, how it is extracted from networks, and nearest codewords."""

from .codebook import UniversalCodebook
from .extraction import Extraction, extract_codebook
from .nearest import nearest, nearest_masked
from .subvectors import channel_rms, merge, subvectors

__all__ = [
    "Extraction", "UniversalCodebook", "channel_rms", "extract_codebook", "merge", "nearest",
    "nearest_masked", "subvectors",
]
