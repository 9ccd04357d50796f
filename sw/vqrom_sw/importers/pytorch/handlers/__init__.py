"""The handlers, which turn operations of a graph into layers, by kind of aten operation.

Each handler takes one node of the graph. It adds layers to the network, or changes the layer that
made its input; it raises :class:`VqromError` where the hardware cannot do what the node asks for.
"""

from __future__ import annotations

from collections.abc import Callable

from ..graph_node import GraphNode
from .combining import arithmetic, concatenate, expand
from .convolution import addmm, convolution, linear, matmul
from .functions import FUNCTIONS, clamp, function, hardtanh, relu, relu6
from .moving import (
    PRODUCTS,
    flip,
    getitem,
    index,
    index_select,
    pad,
    permute,
    reshape,
    same,
    select_one,
    slice_,
    split,
)
from .pooling import adaptive_pool, average_pool, max_pool, maximum_of, mean, total
from .rearrange import settled
from .resampling import (
    channel_shuffle,
    pixel_shuffle,
    pixel_unshuffle,
    transposed_convolution,
    upsample,
)
from .scaling import batch_norm

HANDLERS: dict[str, Callable[[GraphNode], None]] = {
    **dict.fromkeys(FUNCTIONS, function),
    **dict.fromkeys(("conv1d", "conv2d"), convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d"), transposed_convolution),
    "linear": linear, "matmul": matmul, "mm": matmul, "bmm": matmul,
    "addmm": addmm,
    "batch_norm": batch_norm,
    "relu": relu, "relu6": relu6, "hardtanh": hardtanh, "clamp": clamp,
    **dict.fromkeys(("max_pool1d", "max_pool2d"), max_pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), average_pool),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d",
                     "adaptive_max_pool2d"), adaptive_pool),
    "mean": mean, "sum": total, "amax": maximum_of,
    **dict.fromkeys(("add", "sub", "rsub", "mul", "div", "maximum", "minimum"), arithmetic),
    "cat": concatenate, "expand": expand,
    "slice": slice_, "select": select_one, "index_select": index_select, "index": index,
    "flip": flip,
    **dict.fromkeys(("split", "chunk", "split_with_sizes", "unbind"), split), "getitem": getitem,
    **dict.fromkeys(("pad", "constant_pad_nd"), pad),
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d", "_upsample_nearest_exact1d",
                     "_upsample_nearest_exact2d", "upsample_bilinear2d", "upsample_bicubic2d",
                     "upsample_linear1d"), upsample),
    "pixel_shuffle": pixel_shuffle, "pixel_unshuffle": pixel_unshuffle,
    "channel_shuffle": channel_shuffle, "native_channel_shuffle": channel_shuffle,
    **dict.fromkeys(("flatten", "view", "reshape", "_unsafe_view", "squeeze", "unsqueeze",
                     "unflatten"), reshape),
    **dict.fromkeys(("permute", "transpose", "t"), permute),
    **dict.fromkeys(("dropout", "dropout2d", "feature_dropout", "clone", "alias", "detach",
                     "contiguous", "lift_fresh_copy"), same),
}
"""The handler of each kind of aten operation. In-place operations were made functional before."""

EMITTING = ("conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "linear", "addmm")
"""Operations that are layers of the accelerator, even if the host makes their operand.

Others stay on the host where their operand is."""

__all__ = ["EMITTING", "HANDLERS", "PRODUCTS", "settled"]
