"""What the right outputs are: the float reference, and the integer reference that the Verilog
equals.
"""

from .floating_point import LiveResults, float_forward, float_layer, fold_layers, linear_part, pad
from .integer import dequantize, output_of, quantize_input, run_reference

__all__ = [
    "LiveResults", "dequantize", "float_forward", "float_layer", "fold_layers", "linear_part",
    "output_of", "pad", "quantize_input", "run_reference",
]
