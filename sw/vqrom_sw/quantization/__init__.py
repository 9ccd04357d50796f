"""From float to int8: ranges of feature maps, scales, biases, and evening out channels."""

from .even_out import even_out
from .quantize import quantize_network
from .ranges import Ranges

__all__ = ["Ranges", "even_out", "quantize_network"]
