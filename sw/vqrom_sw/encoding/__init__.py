"""Choosing a codeword for each sub-vector of a network, without gradients.

There are two ways: the codewords nearest to the weights, or those that keep each layer's outputs on
sample inputs. Both give an :class:`Encoded` for each convolution, which construction can train
further and quantisation makes integer. A policy decides which layers keep int8 weights instead.
"""

from .encoded import Encoded, encoded_layer
from .nearest import encode_nearest
from .outputs import encode_outputs
from .raw_policy import RAW_LIMIT, RawLayers, raw_layers

__all__ = [
    "RAW_LIMIT", "Encoded", "RawLayers", "encode_nearest", "encode_outputs", "encoded_layer",
    "raw_layers",
]
