"""Tasks: for each kind of layer, how it is cut into operations of the accelerator's units.

A task is one layer, carried out some output rows at a time. The graph makes one for each layer, the
plan asks which input rows it needs for which output rows, and emission asks for its operations.
"""

from .conv import ConvTask
from .depthwise import DepthwiseTask, vector_cycles
from .elementwise import ElementwiseTask
from .global_average import GlobalAverageTask
from .kernel import LARGEST_STEP, Kernel, kernel_of
from .lead import Lead, find_lead
from .moving import (
    DepthToSpaceTask,
    GatherTask,
    Move,
    PadTask,
    UpsampleTask,
    channel_ranges,
    concat_ranges,
    move_cycles,
    moves_of,
    needs_lanes,
    plain,
    rescaling,
)
from .packets import decode_weights
from .pool import AveragePoolTask, MaxPoolTask
from .table import TableTask, keeps_zero_point
from .task import Task, even_ranges
from .window import copy_rows

__all__ = [
    "LARGEST_STEP", "AveragePoolTask", "ConvTask", "DepthToSpaceTask", "DepthwiseTask",
    "ElementwiseTask", "GatherTask", "GlobalAverageTask", "Kernel", "Lead", "MaxPoolTask", "Move",
    "PadTask", "TableTask", "Task", "UpsampleTask", "channel_ranges", "concat_ranges",
    "copy_rows", "decode_weights", "even_ranges", "find_lead", "keeps_zero_point", "kernel_of",
    "move_cycles", "moves_of", "needs_lanes", "plain", "rescaling", "vector_cycles",
]
