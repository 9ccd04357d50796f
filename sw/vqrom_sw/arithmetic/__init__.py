"""The numbers as the hardware has them: int8 feature maps, requantisation, integer softmax,
fixed-point sigmoid and tangent.

Everything here follows the int8 specification of TensorFlow Lite, bit for bit. Other rooms find
here the limits of int8, the scale and zero point of a feature map (:class:`Quantization`), the
integers that stand for a real factor (:class:`Requantization`), and the functions that make and
apply them.
"""

from .fixed_point import (
    HIGHEST_16,
    LOWEST_16,
    MOST_TANH_BITS,
    SIGMOID_BITS,
    sigmoid_table,
    tanh_table,
)
from .int8 import HIGHEST, LOWEST, Quantization, Requantization, quantize
from .requantization import (
    MAX_SHIFT,
    MIN_SHIFT,
    multiply_by_quantized_multiplier,
    quantize_mean_multiplier,
    quantize_multiplier,
    rounding_divide_by_power_of_two,
)
from .softmax import MAX_CHANNELS, SOFTMAX_OUTPUT, softmax, softmax_factor

__all__ = [
    "HIGHEST", "HIGHEST_16", "LOWEST", "LOWEST_16", "MAX_CHANNELS", "MAX_SHIFT", "MIN_SHIFT",
    "MOST_TANH_BITS", "SIGMOID_BITS", "SOFTMAX_OUTPUT", "Quantization", "Requantization",
    "multiply_by_quantized_multiplier", "quantize", "quantize_mean_multiplier",
    "quantize_multiplier", "rounding_divide_by_power_of_two", "sigmoid_table", "softmax",
    "softmax_factor", "tanh_table",
]
