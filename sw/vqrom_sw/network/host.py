"""What the accelerator does not do: float operations that run on the host, between its layers.

A host layer is a list of steps over ``aten`` operations of a fixed list, so that a file can say it
and a reader can check it. Only the host computes in float32; its results are quantised like any
other layer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from vqrom_hw.errors import VqromError

from .shapes import feature_map, native

OPERATIONS: dict[str, Callable[..., Any]] = {
    name: getattr(getattr(torch.ops.aten, name.split(".")[0]), name.split(".")[1])
    for name in (
        # Activations and normalisations.
        "softmax.int", "_softmax.default", "log_softmax.int", "layer_norm.default",
        "group_norm.default", "_native_batch_norm_legit_no_training.default",
        "gelu.default", "sigmoid.default", "tanh.default", "silu.default",
        "hardswish.default", "hardsigmoid.default",
        "leaky_relu.default", "elu.default", "relu.default", "relu6.default", "hardtanh.default",
        "prelu.default", "softplus.default", "mish.default", "clamp.default",
        # Arithmetic.
        "add.Tensor", "add.Scalar", "sub.Tensor", "sub.Scalar", "rsub.Scalar", "mul.Tensor",
        "mul.Scalar", "div.Tensor", "div.Scalar", "neg.default", "abs.default", "exp.default",
        "sqrt.default", "rsqrt.default", "reciprocal.default", "pow.Tensor_Scalar",
        "square.default", "erf.default", "pow.Tensor_Tensor", "maximum.default",
        "minimum.default", "matmul.default", "bmm.default",
        "scaled_dot_product_attention.default", "eq.Scalar", "ne.Scalar", "gt.Scalar",
        "lt.Scalar", "ge.Scalar", "le.Scalar", "logical_not.default", "where.self",
        "masked_fill.Scalar",
        # Reductions and pooling.
        "mean.dim", "sum.dim_IntList", "amax.default", "any.dim", "avg_pool2d.default",
        "max_pool2d.default", "adaptive_avg_pool2d.default",
        # Moving elements.
        "view.default", "reshape.default", "_unsafe_view.default", "flatten.using_ints",
        "unflatten.int", "squeeze.dim", "squeeze.dims", "unsqueeze.default", "expand.default",
        "permute.default", "transpose.int", "t.default", "cat.default", "stack.default",
        "slice.Tensor", "select.int", "split.Tensor", "split_with_sizes.default",
        "chunk.default", "pad.default", "constant_pad_nd.default", "clone.default",
        "contiguous.default", "upsample_nearest2d.vec", "upsample_bilinear2d.vec",
        "pixel_shuffle.default", "channel_shuffle.default",
    )}
"""``aten`` operations that a host layer may have: pure, deterministic, element counts bounded by
their arguments."""

GETITEM = "getitem"
"""The step that takes one of several results."""

RESHAPES = ("reshape.default", "expand.default")
"""Operations whose second argument is the result's shape."""


@dataclass(frozen=True)
class HostStep:
    """One operation.

    Members
    -------
    op:
        Key of :data:`OPERATIONS`, or :data:`GETITEM`.
    arguments:
        Numbers, booleans, None, lists of these, or a reference: ``{"input": n}``,
        ``{"constant": n}`` or ``{"step": n}`` (an earlier one).
    keywords:
        The same by name.
    """

    op: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]


def check_steps(name: str, steps: Sequence[HostStep], inputs: int, constants: int) -> None:
    """Refuse unknown operations and references to what is not there.

    Raises
    ------
    VqromError
        Naming the layer.
    """
    limits = {"input": inputs, "constant": constants}
    for number, step in enumerate(steps):
        if step.op not in OPERATIONS and step.op != GETITEM:
            raise VqromError(f"layer {name!r}: host operation must be a known one, not {step.op!r}")
        for argument in (*step.arguments, *step.keywords.values()):
            _check_argument(name, argument, limits | {"step": number})


def _check_argument(name: str, argument: Any, limits: Mapping[str, int]) -> None:
    if isinstance(argument, list | tuple):
        for part in argument:
            _check_argument(name, part, limits)
    elif isinstance(argument, dict):
        if len(argument) != 1 or next(iter(argument)) not in limits:
            raise VqromError(f"layer {name!r}: host argument must be a reference, not {argument!r}")
        (kind, number), = argument.items()
        if not isinstance(number, int) or not 0 <= number < limits[kind]:
            raise VqromError(f"layer {name!r}: host {kind} must be below {limits[kind]}, "
                             f"not {number!r}")
    elif not isinstance(argument, int | float | str | None):
        raise VqromError(f"layer {name!r}: host argument must be a number, not {argument!r}")


def run_steps(steps: Sequence[HostStep], inputs: Sequence[torch.Tensor],
              constants: Sequence[torch.Tensor], shapes: Sequence[tuple[int, ...]],
              output: tuple[int, int, int]) -> torch.Tensor:
    """Run a host layer.

    Parameters
    ----------
    inputs:
        float32 ``[N, C, H, W]``, one for each input.
    constants:
        float32.
    shapes:
        Of each input in the float network, without the batch: three sizes are an image, two a
        sequence ``(H, C)``, one a vector.
    output:
        ``(H, W, C)`` of the result.

    Returns
    -------
    torch.Tensor
        float32 ``[N, C, H, W]``.
    """
    device = inputs[0].device
    known = {"input": [native(x, shape) for x, shape in zip(inputs, shapes, strict=True)],
             "constant": [constant.to(device) for constant in constants], "step": []}

    def resolve(argument: Any) -> Any:
        if isinstance(argument, dict):
            (kind, number), = argument.items()
            return known[kind][number]
        return [resolve(part) for part in argument] if isinstance(argument, list | tuple) \
            else argument

    try:
        _run(steps, known, resolve)
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        raise VqromError(f"host operations {', '.join(step.op for step in steps)} must fit their "
                         f"arguments, but: {' '.join(str(error).split())[:200]}") from None
    return feature_map(known["step"][-1].float(), output)


def _run(steps: Sequence[HostStep], known: dict[str, list[Any]],
         resolve: Callable[[Any], Any]) -> None:
    for step in steps:
        arguments = [resolve(argument) for argument in step.arguments]
        keywords = {name: resolve(value) for name, value in step.keywords.items()}
        known["step"].append(arguments[0][arguments[1]] if step.op == GETITEM
                             else OPERATIONS[step.op](*arguments, **keywords))
