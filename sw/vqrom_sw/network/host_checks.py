"""Checks of the steps of host layers, which a file may have from anyone.

They run nothing on real numbers: what a step refers to and which arguments it has is looked at, and
sizes are found on tensors that have shapes and no values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from vqrom_hw.errors import VqromError

from .host_steps import EXPAND_BATCH, GETITEM, OPERATIONS, HostStep, as_map, step_results
from .shapes import Native, Shape

MAX_NUMBERS = 1 << 28
"""Most numbers that the results of a host layer's steps have together, for one image: 1 GiB in
float32. The scores of 32 heads of attention over 2048 elements are half of that."""

IMAGES = 2
"""Number of images for which sizes are found, so that a step that is right for one alone is not."""

INFERENCE: Mapping[str, tuple[Any, ...]] = {
    "training": (False,), "train": (False,), "dropout_p": (0, 0.0)}
"""Arguments by which operations draw random numbers or change statistics, and the values with which
they do not."""


def check_steps(name: str, steps: Sequence[HostStep], inputs: int, constants: int) -> None:
    """Refuse unknown operations, ones that are not those of inference, and wrong references.

    Parameters
    ----------
    name:
        Name of the layer, for the error.
    steps:
        The steps of the layer.
    inputs, constants:
        Number of inputs and of constant tensors that the layer has.

    Raises
    ------
    VqromError
        If a step is not allowed; the message names the layer.
    """
    limits = {"input": inputs, "constant": constants}
    for number, step in enumerate(steps):
        if step.op not in OPERATIONS and step.op not in (GETITEM, EXPAND_BATCH):
            raise VqromError(f"layer {name!r}: host operation must be a known one, not {step.op!r}")
        for argument in (*step.arguments, *step.keywords.values()):
            _check_argument(name, argument, limits | {"step": number})
        _check_inference(name, step)


def check_results(name: str, steps: Sequence[HostStep], shapes: Sequence[Shape],
                  constants: Sequence[torch.Tensor], natives: Sequence[Native], native: Native,
                  shape: Shape) -> None:
    """Refuse steps that do not fit together, or whose results are too large.

    Parameters
    ----------
    name:
        Name of the layer, for the error.
    steps, constants, natives, native, shape:
        As for :func:`vqrom_sw.network.run_steps`.
    shapes:
        Shape ``(H, W, C)`` of each input.

    Raises
    ------
    VqromError
        If an operation does not fit its arguments, the last result is no tensor with the numbers of
        ``shape`` for each image, or there are more than :data:`MAX_NUMBERS` numbers; the message
        names the layer.
    """
    count, result, step = 0, None, steps[0]
    try:
        inputs = [seen.tensor(torch.empty(IMAGES, channels, height, width, device="meta"))
                  for (height, width, channels), seen in zip(shapes, natives, strict=True)]
        results = step_results(steps, inputs, [constant.to("meta") for constant in constants])
        for step in steps:
            result = next(results)
            count += sum(leaf.numel() for leaf in tree_leaves(result)
                         if isinstance(leaf, torch.Tensor))
            if count > IMAGES * MAX_NUMBERS:
                raise VqromError(f"layer {name!r}: results of host steps must have at most "
                                 f"{MAX_NUMBERS} numbers for one image, and up to {step.op!r} "
                                 f"there are {count // IMAGES}")
        as_map(result, native, shape, IMAGES)
    except VqromError:
        raise
    except Exception as error:  # PyTorch raises all kinds.
        raise VqromError(f"layer {name!r}: host operation {step.op!r} must fit its arguments, but: "
                         f"{' '.join(str(error).split())[:200]}") from None


def _check_inference(name: str, step: HostStep) -> None:
    """Refuse random numbers, statistics that change, and places that are no numbers."""
    if step.op == GETITEM and not (len(step.arguments) == 2 and type(step.arguments[1]) is int):
        raise VqromError(f"layer {name!r}: host operation 'getitem' must have a result and a "
                         f"number, not {step.arguments!r}")
    if step.op not in OPERATIONS:
        return
    names = [argument.name for argument in OPERATIONS[step.op]._schema.arguments]
    given = dict(zip(names, step.arguments, strict=False)) | dict(step.keywords)
    for what, allowed in INFERENCE.items():
        if what in given and given[what] not in allowed:
            raise VqromError(f"layer {name!r}: {what} of host operation {step.op!r} must be "
                             f"{allowed[0]!r}, not {given[what]!r}")
    if given.get("use_input_stats") and given.get("running_mean") is not None:
        raise VqromError(f"layer {name!r}: host operation {step.op!r} must not change its running "
                         "statistics")


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
