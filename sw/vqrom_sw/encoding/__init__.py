"""Choosing a codeword for each sub-vector, without training.

Either the nearest to the weights, or those that keep each layer's outputs on sample inputs; and
which layers keep int8 weights instead.
"""

from .encoded import Encoded, encoded_layer
from .nearest import encode_nearest
from .outputs import encode_outputs
from .raw_layers import RAW_LIMIT, RawLayers, raw_layers

__all__ = [
    "RAW_LIMIT", "Encoded", "RawLayers", "encode_nearest", "encode_outputs", "encoded_layer",
    "raw_layers",
]
