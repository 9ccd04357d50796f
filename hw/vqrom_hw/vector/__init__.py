"""The vector unit: what works channel by channel, beside the array.

Pooling, depthwise convolution, element-wise operations, tables of unary functions, and moves to
other channels. It reads windows of the activation buffer, reduces them, requantises or looks up,
and writes the results back.
"""

from .table_store import ENTRIES
from .unit import VectorUnit, write_latency

__all__ = ["ENTRIES", "VectorUnit", "write_latency"]
