"""From float to int8: ranges of feature maps, scales and zero points, and evening out channels.

The weights are integers already when a network comes here (:mod:`vqrom_sw.encoding`). What is left
is to cover each feature map's values by 256 steps, and to turn all factors between layers into the
fixed-point multipliers that the accelerator has.
"""

from .evening_out import even_out
from .quantize import quantize_network
from .ranges import Ranges

__all__ = ["Ranges", "even_out", "quantize_network"]
