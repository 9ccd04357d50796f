"""Host layers: float operations that the accelerator does not do and PyTorch does on the host.

A host layer is a list of steps. Each one is an ``aten`` operation of a fixed list, so that a file
can hold it and a reader can check it. Host layers alone compute in float32; their results are
quantised like those of any other layer.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from vqrom_hw.errors import VqromError

from .shapes import Native, Shape

OPERATIONS: dict[str, Callable[..., Any]] = {
    name: getattr(getattr(torch.ops.aten, name.split(".")[0]), name.split(".")[1])
    for name in (
        # Activations and normalisations.
        "softmax.int", "_softmax.default", "log_softmax.int", "layer_norm.default",
        "group_norm.default", "_native_batch_norm_legit_no_training.default",
        "instance_norm.default", "batch_norm.default", "rms_norm.default",
        "gelu.default", "sigmoid.default", "tanh.default", "silu.default",
        "hardswish.default", "hardsigmoid.default", "log_sigmoid.default", "selu.default",
        "celu.default", "leaky_relu.default", "elu.default", "relu.default", "relu6.default",
        "hardtanh.default", "prelu.default", "softplus.default", "mish.default", "clamp.default",
        "clamp_min.default", "clamp_max.default", "clamp.Tensor", "threshold.default",
        "softshrink.default", "hardshrink.default", "glu.default",
        # Arithmetic.
        "add.Tensor", "add.Scalar", "sub.Tensor", "sub.Scalar", "rsub.Scalar", "rsub.Tensor",
        "mul.Tensor", "mul.Scalar", "div.Tensor", "div.Scalar", "neg.default", "abs.default",
        "exp.default", "expm1.default", "log.default", "log1p.default", "log2.default",
        "log10.default", "sin.default", "cos.default", "tan.default", "atan.default",
        "asin.default", "acos.default", "sinh.default", "cosh.default", "asinh.default",
        "acosh.default", "atanh.default", "floor.default", "ceil.default", "round.default",
        "trunc.default", "sign.default", "sqrt.default", "rsqrt.default", "reciprocal.default",
        "pow.Tensor_Scalar", "pow.Scalar", "square.default", "erf.default", "pow.Tensor_Tensor",
        "maximum.default", "minimum.default", "max.other", "min.other", "remainder.Scalar",
        "remainder.Tensor", "atan2.default", "addcmul.default",
        # Matrix products and recurrences.
        "matmul.default", "bmm.default", "mm.default", "baddbmm.default", "addmm.default",
        "linear.default", "scaled_dot_product_attention.default", "lstm.input", "gru.input",
        "rnn_tanh.input", "rnn_relu.input",
        # Comparisons and masks.
        "eq.Scalar", "ne.Scalar", "gt.Scalar", "lt.Scalar", "ge.Scalar", "le.Scalar", "eq.Tensor",
        "ne.Tensor", "gt.Tensor", "lt.Tensor", "ge.Tensor", "le.Tensor", "logical_not.default",
        "logical_and.default", "logical_or.default", "logical_xor.default", "bitwise_not.default",
        "bitwise_and.Tensor", "bitwise_or.Tensor", "where.self", "where.ScalarSelf",
        "where.ScalarOther", "where.Scalar", "masked_fill.Scalar", "masked_fill.Tensor",
        # Reductions and pooling.
        "mean.dim", "sum.dim_IntList", "amax.default", "amin.default", "any.dim",
        "all.dim", "prod.dim_int", "cumsum.default", "max.dim", "min.dim", "argmax.default",
        "argmin.default", "var.correction", "var.dim", "std.correction", "std.dim",
        "linalg_vector_norm.default", "norm.ScalarOpt_dim", "logsumexp.default",
        "avg_pool1d.default", "avg_pool2d.default", "max_pool1d.default", "max_pool2d.default",
        "adaptive_avg_pool1d.default", "adaptive_avg_pool2d.default",
        "adaptive_max_pool1d.default", "adaptive_max_pool2d.default",
        # Moving elements.
        "view.default", "reshape.default", "_unsafe_view.default", "flatten.using_ints",
        "unflatten.int", "squeeze.dim", "squeeze.dims", "unsqueeze.default", "expand.default",
        "permute.default", "transpose.int", "t.default", "cat.default", "stack.default",
        "slice.Tensor", "select.int", "split.Tensor", "split_with_sizes.default",
        "chunk.default", "unbind.int", "index_select.default", "index.Tensor",
        "gather.default", "flip.default",
        "roll.default", "repeat.default", "diagonal.default", "tril.default", "triu.default",
        "pad.default", "constant_pad_nd.default", "reflection_pad1d.default",
        "reflection_pad2d.default", "replication_pad1d.default", "replication_pad2d.default",
        "clone.default", "contiguous.default", "upsample_nearest1d.vec", "upsample_nearest2d.vec",
        "upsample_bilinear2d.vec", "upsample_bicubic2d.vec", "upsample_linear1d.vec",
        "_upsample_nearest_exact2d.vec", "upsample_nearest2d.default",
        "upsample_bilinear2d.default",
        "pixel_shuffle.default", "pixel_unshuffle.default", "channel_shuffle.default",
    )}
"""The ``aten`` operations that a host layer may have, by name.

None changes its operands. What some of them can do with other arguments than those of inference
(random numbers, new statistics) is refused by :func:`vqrom_sw.network.check_steps`, and so are
results of more than :data:`vqrom_sw.network.MAX_NUMBERS` numbers."""

GETITEM = "getitem"
"""Name of the step that takes one of several results of an earlier step."""

EXPAND_BATCH = "expand_batch"
"""Name of the step that repeats a tensor for each image.

Its arguments are the tensor, another one whose first dimension counts the images, and which
dimension, of size 1, of the tensor is to count them."""

RESHAPES = ("reshape.default", "expand.default")
"""Operations whose second argument is the shape of the result."""


@dataclass(frozen=True)
class HostStep:
    """One operation of a host layer with its arguments.

    Members
    -------
    op:
        Key of :data:`OPERATIONS`, or :data:`GETITEM` or :data:`EXPAND_BATCH`.
    arguments:
        Positional arguments. Each is a number, a boolean, None, a list of these, or a reference to
        a tensor: ``{"input": n}``, ``{"constant": n}`` or ``{"step": n}`` (an earlier step).
    keywords:
        Arguments by name, of the same kinds.
    """

    op: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]


def run_steps(steps: Sequence[HostStep], inputs: Sequence[torch.Tensor],
              constants: Sequence[torch.Tensor], natives: Sequence[Native], native: Native,
              shape: Shape) -> torch.Tensor:
    """Run the steps of a host layer.

    Parameters
    ----------
    steps:
        The operations in order; the last one makes the result.
    inputs:
        One float32 ``[N, C, H, W]`` for each input.
    constants:
        The layer's constant tensors: float32, bool or int64.
    natives, native:
        How the float network sees each input, and the result.
    shape:
        Shape ``(H, W, C)`` of the result.

    Returns
    -------
    torch.Tensor
        The result, float32 ``[N, C, H, W]``.

    Raises
    ------
    VqromError
        If an operation does not fit its arguments.
    """
    device, last, step = inputs[0].device, None, steps[0]
    try:
        results = step_results(
            steps, [seen.tensor(x) for x, seen in zip(inputs, natives, strict=True)],
            [constant.to(device) for constant in constants])
        for step in steps:  # noqa: B007 - the error names it.
            last = next(results)
        return as_map(last, native, shape, len(inputs[0]))
    except Exception as error:  # PyTorch raises all kinds, and so does Python when memory ends.
        raise VqromError(f"host operation {step.op!r} must fit its arguments, but: "
                         f"{' '.join(str(error).split())[:200] or type(error).__name__}"
                         ) from None


def count_products(steps: Sequence[HostStep], shapes: Sequence[Shape],
                   constants: Sequence[torch.Tensor], natives: Sequence[Native],
                   native: Native, shape: Shape) -> int:
    """Multiply-accumulates of a host layer's matrix products and convolutions, for one image.

    The steps run on tensors that have shapes and no values, and PyTorch's own counter counts. Other
    operations count as none.

    Parameters
    ----------
    steps, natives, native, shape:
        As for :func:`run_steps`.
    shapes:
        Shape ``(H, W, C)`` of each input.
    constants:
        The layer's constant tensors.

    Raises
    ------
    VqromError
        If an operation does not fit its arguments.
    """
    inputs = [torch.empty(1, channels, height, width, device="meta")
              for height, width, channels in shapes]
    # A flop is a multiplication or an addition.
    with FlopCounterMode(display=False) as counter:
        run_steps(steps, inputs, [constant.to("meta") for constant in constants],
                  natives, native, shape)
    return counter.get_total_flops() // 2


def as_map(result: Any, native: Native, shape: Shape, images: int) -> torch.Tensor:
    """The last step's result as a map, float32 ``[images, C, H, W]``.

    Raises
    ------
    ValueError
        If it is no tensor, or has another number of images.
    RuntimeError
        If it has not the numbers of a map ``(H, W, C)``.
    """
    if not isinstance(result, torch.Tensor) or not result.dim() or len(result) != images:
        found = tuple(result.shape) if isinstance(result, torch.Tensor) else type(result).__name__
        raise ValueError(f"the last result must be one tensor of {images} images, not {found!r}")
    return native.feature_map(result.float(), shape)


def step_results(steps: Sequence[HostStep], inputs: Sequence[torch.Tensor],
                 constants: Sequence[torch.Tensor]) -> Iterator[Any]:
    """Run steps on tensors as the float network sees them, and give the result of each.

    Errors are PyTorch's own.
    """
    known: dict[str, Sequence[Any]] = {"input": inputs, "constant": constants}
    known["step"] = found = list[Any]()

    def resolve(argument: Any) -> Any:
        if isinstance(argument, dict):
            (kind, number), = argument.items()
            return known[kind][number]
        return [resolve(part) for part in argument] if isinstance(argument, list | tuple) \
            else argument

    for step in steps:
        arguments = [resolve(argument) for argument in step.arguments]
        keywords = {name: resolve(value) for name, value in step.keywords.items()}
        found.append(_operation(step.op)(*arguments, **keywords))
        yield found[-1]


def _operation(name: str) -> Callable[..., Any]:
    if name == GETITEM:
        return operator.getitem
    return _expand_batch if name == EXPAND_BATCH else OPERATIONS[name]


def _expand_batch(tensor: torch.Tensor, like: torch.Tensor, dim: int) -> torch.Tensor:
    sizes = list(tensor.shape)
    sizes[dim] = len(like)
    return tensor.expand(sizes)
