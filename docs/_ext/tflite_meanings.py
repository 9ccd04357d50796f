"""What each operator of TFLite becomes: of int8 models a layer, of float ones a module."""

from __future__ import annotations

LAYERS = {
    "CONV_2D": "`Conv`",
    "DEPTHWISE_CONV_2D": "`Conv` with a group for each input channel",
    "FULLY_CONNECTED": "`Conv` whose kernel is its whole input, or of 1x1 on rows",
    "TRANSPOSE_CONV": "`Conv` with a channel for each remainder by the stride, `DepthToSpace`",
    "AVERAGE_POOL_2D": "`AveragePool`",
    "MAX_POOL_2D": "`MaxPool`, and `Select` where a fused activation clamps",
    "ADD": "`Elementwise`; with a constant by channel `Table`",
    "SUB": "`Elementwise`; with a constant by channel `Table`",
    "MUL": "`Elementwise`; with a constant by channel `Table`",
    "MAXIMUM": "`Elementwise` of one quantisation; with a constant by channel `Table`",
    "MINIMUM": "`Elementwise` of one quantisation; with a constant by channel `Table`",
    **dict.fromkeys(("LOGISTIC", "TANH", "ELU", "EXP", "GELU", "LEAKY_RELU", "HARD_SWISH", "RELU",
                     "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"), "`Table`"),
    "PRELU": "`Table` by channel",
    "QUANTIZE": "nothing after a float or uint8 input; between int8 scales `Table`",
    "DEQUANTIZE": "nothing before an output; before QUANTIZE `Table` with it",
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"),
                    "nothing: the same bytes; on the host where another shape matters"),
    "TRANSPOSE": "on the host; nothing for an input in PyTorch's order, or axes of 1",
    **dict.fromkeys(("STRIDED_SLICE", "SLICE", "SPLIT", "SPLIT_V", "UNPACK"),
                    "`Select` of channels and strides; on the host otherwise"),
    "CONCATENATION": "`Concat` of channels; on the host along other axes",
    "RESIZE_NEAREST_NEIGHBOR": "`Upsample`, or `Select`, by whole factors",
    "DEPTH_TO_SPACE": "`Select` and `DepthToSpace`",
    "SPACE_TO_DEPTH": "on the host",
    "PAD": "padding of the convolutions after it; else `Pad`, and `Select` for channels",
    "PADV2": "as `PAD`; a value other than the zero point is `Pad`",
    "MIRROR_PAD": "on the host, without the border pixel itself",
    "MEAN": "`GlobalAveragePool` over height and width; else `Conv` with weights of 1",
    "REDUCE_MAX": "`MaxPool` over whole rows or columns",
    "SOFTMAX": "`Softmax`, on the host, in integers",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "`Lstm`, on the host, in integers; states are 0 at first",
}
"""What each operator of an int8 model becomes, by its name."""

MODULES = {
    "linear": "linear layer, or product of matrices", "windows": "convolution or pooling between "
    "permutations", "arithmetic": "the function", "moving": "views, slices, joins, padding",
    "blocks": "views and a permutation", "reductions": "the reduction", "resize": "up-sampling, or "
    "a choice of pixels", "recurrent": "unrolled steps"}
"""What the operators of a float model become, by the file that reads them."""

STATIC = "¹"
"""Mark of operators that are computed where they depend on constants or shapes only."""

FOOTNOTE = f"{STATIC} Of constants and shapes alone it is computed while the file is read."
"""What the mark means."""
