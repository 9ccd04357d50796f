"""The vector unit: pooling, residual addition and depthwise convolution, beside the array.

It reads windows of the activation buffer, reduces them, requantises, and writes the results back.
"""

from .unit import VectorUnit, write_latency

__all__ = ["VectorUnit", "write_latency"]
