"""Words and lanes that go elsewhere: operations on single words, and tasks made of them."""

from .enlarge import DepthToSpaceTask, UpsampleTask
from .gather import GatherTask, concat_ranges, move_cycles, moves_of
from .moves import Move, channel_ranges, needs_lanes
from .pad import PadTask
from .patch import Lanes, fill, patch_of, plain, rescaling, word_operation

__all__ = [
    "DepthToSpaceTask", "GatherTask", "Lanes", "Move", "PadTask", "UpsampleTask",
    "channel_ranges", "concat_ranges", "fill", "move_cycles", "moves_of", "needs_lanes",
    "patch_of", "plain", "rescaling", "word_operation",
]
