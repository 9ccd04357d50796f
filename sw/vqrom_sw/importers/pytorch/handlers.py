"""The table of handlers: what turns each kind of aten operation into layers."""

from __future__ import annotations

from collections.abc import Callable

from .graph_node import GraphNode
from .layer_handlers import (
    adaptive_avg_pool2d,
    add,
    avg_pool2d,
    batch_norm,
    clamp,
    clamp_min,
    conv2d,
    hardtanh,
    linear,
    max_pool2d,
    mean,
    relu,
    relu6,
)
from .shape_handlers import getitem, pad, reshape, same, slice_

HANDLERS: dict[str, Callable[[GraphNode], None]] = {
    "conv2d": conv2d, "linear": linear,
    "batch_norm": batch_norm,
    "relu": relu, "relu6": relu6, "hardtanh": hardtanh,
    "clamp": clamp, "clamp_min": clamp_min,
    "max_pool2d": max_pool2d, "adaptive_avg_pool2d": adaptive_avg_pool2d,
    "avg_pool2d": avg_pool2d, "mean": mean, "add": add,
    "slice": slice_, "pad": pad, "constant_pad_nd": pad,
    "flatten": reshape, "view": reshape, "reshape": reshape, "_unsafe_view": reshape,
    "squeeze": reshape, "unsqueeze": reshape, "unflatten": reshape,
    "dropout": same, "dropout2d": same, "feature_dropout": same, "clone": same, "alias": same,
    "detach": same, "contiguous": same, "lift_fresh_copy": same, "getitem": getitem,
}
"""The handler of each kind of aten operation. In-place operations were made functional before."""
