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
    float_outputs,
    fold_layers,
    linear_part,
    pad,
    run_table,
)
from .integer import (
    dequantize,
    infer,
    output_of,
    outputs_of,
    quantize_input,
    run_layers,
    run_reference,
)
from .integer_layers import layer_weights, run_layer

__all__ = [
    "LiveResults", "dequantize", "float_forward", "float_layer", "float_output", "float_outputs",
    "fold_layers", "infer", "layer_weights", "linear_part", "output_of", "outputs_of", "pad",
    "quantize_input", "run_layer", "run_layers", "run_reference", "run_table",
]
