"""Comparison of an imported network with its source, before anything is made of it.

A reader that misunderstands a file would give wrong numbers without a word. So the source runs too,
in an interpreter that we did not write, and both must give the same on inputs of two batch sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn

from vqrom_hw.errors import VqromError

BATCHES = (1, 3)
"""Numbers of images with which an import is checked."""

TOLERANCE = 1e-4
"""Greatest difference, as a share of the greatest value of the tensor.

Float32 sums of a few thousand terms, in another order, differ by some 1e-6 of the result's range,
and a hundred layers of them by some 1e-5. The smallest mistake worth the name, a GELU with ``tanh``
for one with ``erf``, makes 1.6e-4 of its range.
"""

SMALLEST_SCALE = 1e-2
"""Greatest value that a tensor is taken to have at least.

Interpreters approximate sigmoid and the like with errors of some 1e-7, whatever the result is.
"""


class Evaluator(Protocol):
    """What runs a network's source: the interpreter of its file format.

    Members
    -------
    name:
        What the interpreter is called, for messages.
    """

    name: str

    def outputs(self, x: np.ndarray) -> list[np.ndarray]:
        """Run the source on inputs ``[N, ...]`` and return its outputs in order."""
        ...

    def intermediates(self, x: np.ndarray) -> Mapping[str, np.ndarray]:
        """Run the source and return all tensors it can tell, in the order of execution."""
        ...


class Traceable(Protocol):
    """A module that can tell the tensors within, under the names they have in the source.

    Members
    -------
    results:
        Names of the module's outputs.
    jumps:
        Whether the module rounds or compares.
    """

    results: tuple[str, ...]
    jumps: bool

    def values(self, x: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Run the module and return its tensors by name."""
        ...

    def replayed(self, known: Mapping[str, np.ndarray]) -> Iterator[tuple[str, torch.Tensor]]:
        """Run each part on the source's own tensors, as far as known; its results by name."""
        ...


def check_inputs(shape: Sequence[int], integers: bool = False) -> Iterator[np.ndarray]:
    """Make random inputs of each number of images in :data:`BATCHES`.

    Images differ in kind, so that bends of activation functions are met on both sides: normally
    distributed values, wider ones, and ones from 0 to 1.

    Parameters
    ----------
    shape:
        Shape of one input, with a batch of any size in front.
    integers:
        Whether only the numbers 0 to 100 may occur.

    Returns
    -------
    Iterator
        float32 ``[N, *shape[1:]]``.
    """
    random = np.random.default_rng(1)
    for batch in BATCHES:
        x = random.standard_normal((batch, *shape[1:]))
        if batch > 1:
            x[1] *= 4
            x[2] = random.random(shape[1:])
        yield (random.integers(0, 101, x.shape) if integers else x).astype(np.float32)


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Greatest difference of two tensors, as a share of the greatest finite expected value.

    That value counts as :data:`SMALLEST_SCALE` at least.

    Returns
    -------
    float
        0 for equal tensors; infinity if shapes differ, or numbers that are not finite do. A shape
        that lacks the images' axis is equal to one of a single image.
    """
    if found.shape != expected.shape:
        if found.size != expected.size or \
                [n for n in found.shape if n != 1] != [n for n in expected.shape if n != 1]:
            return math.inf
        found = found.reshape(expected.shape)
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(expected)
    if not np.array_equal(finite, np.isfinite(found)) or \
            not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return math.inf
    if not finite.any():
        return 0.0
    scale = max(float(np.abs(expected[finite]).max()), SMALLEST_SCALE)
    return float(np.abs(found[finite] - expected[finite]).max()) / scale


def check_module(module: nn.Module, evaluator: Evaluator, x: np.ndarray) -> None:
    """Compare a module with its source on given inputs.

    Rounding and comparisons may turn a difference of 1e-7 into one of a whole step. A module with
    such functions may also pass part by part, each with the source's own tensors as its operands.

    Parameters
    ----------
    module:
        The module; if it is :class:`Traceable`, the message names the first tensor that differs.
    evaluator:
        What runs the source.
    x:
        float32 ``[N, ...]``.

    Raises
    ------
    VqromError
        If an output differs by more than :data:`TOLERANCE`; if the module jumps, one of a part,
        too.
    """
    expected = evaluator.outputs(x)
    with torch.no_grad():
        found = module(torch.from_numpy(x))
    results = found if isinstance(found, tuple) else (found,)
    worst = max((difference(result.numpy(), right) for result, right
                 in zip(results, expected, strict=True)), default=0.0)
    jumps = getattr(module, "jumps", False)
    if worst > TOLERANCE and not (jumps and _right_by_parts(module, evaluator, x)):
        raise VqromError(f"{_first_different(module, evaluator, x)} must be what "
                         f"{evaluator.name} computes with {len(x)} images, and an output "
                         f"{by(worst)}")


def _right_by_parts(module: nn.Module, evaluator: Evaluator, x: np.ndarray) -> bool:
    """Whether each part makes what the source does of the same tensors, outputs among them.

    A source may run with as many images as it likes, so that each image is also run alone.
    """
    for images in (x, *(x[place:place + 1] for place in range(len(x)))):
        known = evaluator.intermediates(images)
        with torch.no_grad():
            made = dict(module.replayed(known))  # type: ignore[operator]
        outputs: Sequence[str] = module.results  # type: ignore[assignment]
        compared = [name for name in made if name in known]
        if not set(outputs) <= set(compared) or any(
                difference(made[name].numpy(), known[name]) > TOLERANCE for name in compared):
            return False
    return True


def by(share: float) -> str:
    """A difference in words."""
    if math.isinf(share):
        return "has another shape, or numbers that are not finite elsewhere"
    return f"differs by {share:.2g} of its greatest value"


def _first_different(module: nn.Module, evaluator: Evaluator, x: np.ndarray) -> str:
    """Name the first tensor of a module that is not what the source computes."""
    if not hasattr(module, "values"):
        return "the network's output"
    known = evaluator.intermediates(x)
    with torch.no_grad():
        values: Mapping[str, torch.Tensor] = module.values(torch.from_numpy(x))  # type: ignore
    for name, value in values.items():
        right = known.get(name)
        if right is not None and difference(*_common(value.numpy(), right)) > TOLERANCE:
            return f"tensor {name!r}"
    return "the network's output"


def _common(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both tensors up to the shorter one's end, if a single axis differs."""
    if first.ndim == second.ndim:
        axes = [axis for axis in range(first.ndim) if first.shape[axis] != second.shape[axis]]
        if len(axes) == 1:
            both = range(min(first.shape[axes[0]], second.shape[axes[0]]))
            return np.take(first, both, axes[0]), np.take(second, both, axes[0])
    return first, second
