"""From index to codeword: the path that weights take into the array.

The feed unpacks indices (or the int8 weights of raw layers) from bus beats, the codebook ROM or RAM
looks codewords up, and the loader fills the array's shadow registers with the next tile while the
current one runs.
"""

from .codebook_rom import MACRO, MEMORIES
from .feed import WeightFeed, weights_command_layout
from .loader import WeightLoader, last_fields

__all__ = [
    "MACRO", "MEMORIES", "WeightFeed", "WeightLoader", "last_fields", "weights_command_layout",
]
