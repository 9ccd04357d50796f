"""What a network is, twice: in float as it was imported, and quantised as the accelerator runs it.

Both are lists of layers in execution order, each of which names the layers that it reads. Steps
that the accelerator does not do are host layers: lists of PyTorch operations that run on the host.
Other rooms import the classes of networks and layers, the name of a network's input, what runs and
checks host layers, and the functions that convert shapes.
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
from .host_steps import GETITEM, OPERATIONS, RESHAPES, HostStep, check_steps, run_steps
from .quantized_layers import (
    Add,
    AveragePool,
    Conv,
    GlobalAveragePool,
    Host,
    Layer,
    MaxPool,
    Softmax,
)
from .quantized_network import NO_CODEBOOK, QuantizedNetwork
from .shapes import INPUT, image_shaped, native

__all__ = [
    "GETITEM", "INPUT", "NO_CODEBOOK", "OPERATIONS", "RESHAPES", "UNBOUNDED", "Add", "AveragePool",
    "Conv", "FloatAdd", "FloatConv", "FloatGlobalAveragePool", "FloatHost", "FloatIdentity",
    "FloatLayer", "FloatMaxPool", "FloatNetwork", "GlobalAveragePool", "Host", "HostStep", "Layer",
    "MaxPool", "QuantizedNetwork", "Softmax", "check_steps", "image_shaped", "native", "readers_of",
    "run_steps",
]
