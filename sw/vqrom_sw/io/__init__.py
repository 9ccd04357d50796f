"""Files and caches: bounded reads, writes that leave nothing half-written, kept results.

Other rooms import functions that read and write whole files (bytes, ``.npy`` arrays, tensor
files), the greatest sizes of arrays from outside, and the caches for what takes long to make.
"""

from vqrom_hw.files import parse_json, read_bytes, read_text, read_toml

from .array_cache import cached_array
from .arrays import MAX_DIMENSION, MAX_DIMENSIONS, load_array, require_file
from .atomic import write_bytes
from .directory_cache import cache_root, cached_directory, content_key
from .processes import end_group, run_group
from .scratch import scratch
from .sources import source_digest
from .tensor_file import read_tensors, tensor_bytes

__all__ = [
    "MAX_DIMENSION", "MAX_DIMENSIONS", "cache_root", "cached_array", "cached_directory",
    "content_key", "end_group", "load_array", "parse_json", "read_bytes", "read_tensors",
    "read_text", "read_toml", "require_file", "run_group", "scratch", "source_digest",
    "tensor_bytes", "write_bytes",
]
