"""The integers as the hardware has them: int8 scales, requantisation, softmax.

Everything here follows the int8 specification of TensorFlow Lite, bit for bit.
"""

from .int8 import HIGHEST, LOWEST, Quantization, Requantization, quantize
from .requantization import (
    ADD_SHIFT,
    MIN_SHIFT,
    multiply_by_quantized_multiplier,
    quantize_mean_multiplier,
    quantize_multiplier,
)
from .softmax import MAX_CHANNELS, softmax, softmax_factor

__all__ = [
    "ADD_SHIFT", "HIGHEST", "LOWEST", "MAX_CHANNELS", "MIN_SHIFT", "Quantization", "Requantization",
    "multiply_by_quantized_multiplier", "quantize", "quantize_mean_multiplier",
    "quantize_multiplier", "softmax", "softmax_factor",
]
