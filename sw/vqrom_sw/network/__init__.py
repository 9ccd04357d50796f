"""What a network is, twice: in float as it was imported, and quantised as the accelerator runs it.

Both are lists of layers in execution order, each of which names the layers that it reads. Steps
that the accelerator does not do are host layers: lists of PyTorch operations that run on the host.
Other rooms import the classes of networks and layers, the name of a network's input, what runs and
checks host layers, and the functions that convert shapes.
"""

from .float_network import (
    UNBOUNDED,
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDepthToSpace,
    FloatElementwise,
    FloatGlobalAveragePool,
    FloatHost,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    FloatPad,
    FloatSelect,
    FloatTable,
    FloatUpsample,
    Operator,
    is_sum,
    readers_of,
)
from .host_checks import MAX_NUMBERS, check_results, check_steps
from .host_steps import (
    EXPAND_BATCH,
    GETITEM,
    OPERATIONS,
    RESHAPES,
    HostStep,
    run_steps,
)
from .quantized_layers import (
    AveragePool,
    Concat,
    Conv,
    DepthToSpace,
    Elementwise,
    GlobalAveragePool,
    Host,
    Layer,
    MaxPool,
    Pad,
    Select,
    Softmax,
    Table,
    Upsample,
)
from .quantized_network import NO_CODEBOOK, QuantizedNetwork, image_output
from .recurrent_layers import GATES, Lstm
from .shapes import INPUT, Native, Output, Shape, image_native, map_inputs, native_of
from .sums import check_sums

__all__ = [
    "EXPAND_BATCH", "GATES", "GETITEM", "INPUT", "MAX_NUMBERS", "NO_CODEBOOK", "OPERATIONS",
    "RESHAPES", "UNBOUNDED", "AveragePool", "Concat", "Conv", "DepthToSpace", "Elementwise",
    "FloatAveragePool", "FloatConcat", "FloatConv", "FloatDepthToSpace", "FloatElementwise",
    "FloatGlobalAveragePool", "FloatHost", "FloatLayer", "FloatMaxPool", "FloatNetwork", "FloatPad",
    "FloatSelect", "FloatTable", "FloatUpsample", "GlobalAveragePool", "Host", "HostStep", "Layer",
    "Lstm", "MaxPool", "Native", "Operator", "Output", "Pad", "QuantizedNetwork", "Select", "Shape",
    "Softmax", "Table", "Upsample", "check_results", "check_steps", "check_sums", "image_native",
    "image_output", "is_sum", "map_inputs", "native_of", "readers_of", "run_steps",
]
