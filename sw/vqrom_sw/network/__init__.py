"""What a network is, twice: in float as it was imported, and quantised as the accelerator runs it.

Both are lists of layers in execution order. Steps that the accelerator does not do are layers of
the host.
"""

from .float_network import (
    UNBOUNDED,
    FloatAdd,
    FloatConv,
    FloatGlobalAveragePool,
    FloatHost,
    FloatIdentity,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    readers_of,
)
from .host import GETITEM, OPERATIONS, RESHAPES, HostStep, check_steps, run_steps
from .quantized_network import (
    NO_CODEBOOK,
    Add,
    AveragePool,
    Conv,
    GlobalAveragePool,
    Host,
    Layer,
    MaxPool,
    QuantizedNetwork,
    Softmax,
)
from .shapes import INPUT, image_shaped, native

__all__ = [
    "GETITEM", "INPUT", "NO_CODEBOOK", "OPERATIONS", "RESHAPES", "UNBOUNDED", "Add", "AveragePool",
    "Conv", "FloatAdd", "FloatConv", "FloatGlobalAveragePool", "FloatHost", "FloatIdentity",
    "FloatLayer", "FloatMaxPool", "FloatNetwork", "GlobalAveragePool", "Host", "HostStep", "Layer",
    "MaxPool", "QuantizedNetwork", "Softmax", "check_steps", "image_shaped", "native", "readers_of",
    "run_steps",
]
