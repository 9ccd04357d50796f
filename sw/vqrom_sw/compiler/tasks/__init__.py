"""One task for each kind of layer: how it is cut into operations of the accelerator's units."""

from .add import AddTask
from .conv import ConvTask, decode
from .depthwise import DepthwiseTask
from .pool import AveragePoolTask, GlobalAverageTask, MaxPoolTask
from .task import Task, parts
from .window import copy_rows

__all__ = [
    "AddTask", "AveragePoolTask", "ConvTask", "DepthwiseTask", "GlobalAverageTask", "MaxPoolTask",
    "Task", "copy_rows", "decode", "parts",
]
