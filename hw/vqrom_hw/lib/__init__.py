"""Parts that several units use: requantisers, unpackers, queues, loop nests, the walk over a
result's words.

They know the command set's layouts and nothing of the units around them.
"""

from .head_fifo import HeadFifo
from .loop_nest import LoopNest
from .requantizer import OPERAND_SHIFT, OperandRescaler, Requantizer, parameter_layout
from .target_walk import TargetWalk
from .unpacker import LENGTH_BITS, Unpacker

__all__ = [
    "LENGTH_BITS", "OPERAND_SHIFT", "HeadFifo", "LoopNest", "OperandRescaler", "Requantizer",
    "TargetWalk", "Unpacker", "parameter_layout",
]
