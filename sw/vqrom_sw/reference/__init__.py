"""What the right outputs are: the float reference, and the integer reference.

The float reference computes what the imported network does. The integer reference computes what the
accelerator does, and the generated Verilog equals it byte for byte, so that accuracy is measured on
it.
"""

from .floating_point import (
    LiveResults,
    float_forward,
    float_layer,
    float_output,
    fold_layers,
    linear_part,
    pad,
)
from .integer import dequantize, output_of, quantize_input, run_reference

__all__ = [
    "LiveResults", "dequantize", "float_forward", "float_layer", "float_output", "fold_layers",
    "linear_part", "output_of", "pad", "quantize_input", "run_reference",
]
