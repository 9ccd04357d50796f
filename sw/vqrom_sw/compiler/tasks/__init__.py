"""Tasks: for each kind of layer, how it is cut into operations of the accelerator's units.

A task is one layer, carried out some output rows at a time. The graph makes one for each layer, the
plan asks which input rows it needs for which output rows, and emission asks for its operations.
"""

from .add import AddTask
from .conv import ConvTask
from .depthwise import DepthwiseTask, vector_cycles
from .global_average import GlobalAverageTask
from .kernel import Kernel, kernel_of
from .packets import decode_weights
from .pool import AveragePoolTask, MaxPoolTask
from .task import Task, even_ranges
from .window import copy_rows

__all__ = [
    "AddTask", "AveragePoolTask", "ConvTask", "DepthwiseTask", "GlobalAverageTask", "Kernel",
    "MaxPoolTask", "Task", "copy_rows", "decode_weights", "even_ranges", "kernel_of",
    "vector_cycles",
]
