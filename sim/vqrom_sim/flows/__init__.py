"""What a user does, as functions: compress, simulate, time a topology, run the demo."""

from .compress import CODEBOOK_FILE, CompressRequest, _checkpoint, compress_into
from .simulate import simulate
from .sources import READERS, Source, _is_int8
from .topology import simulate_topology

__all__ = [
    "CODEBOOK_FILE", "READERS", "CompressRequest", "Source", "_checkpoint", "_is_int8",
    "compress_into", "simulate", "simulate_topology",
]
