"""The array and what stands around it: matrix products and convolutions.

The sequencer reads activations, the processing elements multiply them with codewords, accumulators
keep the sums, and post-processing turns finished sums into int8 results.
"""

from .accumulators import HALVES
from .array import ProcessingArray
from .post import PostProcessor
from .sequencer import PIXEL_LEVELS, REDUCTION_LEVELS, array_command_layout
from .unit import ComputeUnit, post_command_layout

__all__ = [
    "HALVES", "PIXEL_LEVELS", "REDUCTION_LEVELS", "ComputeUnit", "PostProcessor",
    "ProcessingArray", "array_command_layout", "post_command_layout",
]
