"""What a TFLite file computes: LiteRT with its reference kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import interpreter

from vqrom_hw.errors import VqromError

KERNELS = (interpreter.OpResolverType.BUILTIN_REF,
           interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
"""The reference kernels, from which others may differ in their last bit; and others, for a file
with an operator that has no reference kernel, as ELU has none."""

MISSING = "Didn't find op"
"""How LiteRT begins to say that it has no kernel for an operator."""


class LiteRt:
    """Runs a TFLite model on any number of images.

    Where the file does not run with several images, or does not give their results one after the
    other, it runs once for each.

    Parameters
    ----------
    content:
        The file's bytes.
    feed:
        Brings inputs to the file's own form, ``[N, ...]``.
    names:
        Names for tensors by their number in the file, in the order of execution.

    Members
    -------
    name:
        What runs, for messages.
    """

    name = "LiteRT"

    def __init__(self, content: bytes, feed: Callable[[np.ndarray], np.ndarray],
                 names: Mapping[int, str]):
        self._content, self._feed, self._names = content, feed, names

    def outputs(self, x: np.ndarray) -> list[np.ndarray]:
        """Run the model on inputs ``[N, ...]`` and return its outputs in order.

        Raises
        ------
        VqromError
            If LiteRT does not run the file.
        """
        return self._run(self._feed(x), None)

    def intermediates(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Run the model on inputs ``[N, ...]`` and return its tensors by name."""
        numbers = list(self._names)
        return {self._names[number]: value for number, value
                in zip(numbers, self._run(self._feed(x), numbers), strict=True)}

    def _run(self, x: np.ndarray, numbers: Sequence[int] | None) -> list[np.ndarray]:
        try:
            single = [_invoke(self._content, x[place:place + 1], numbers)
                      for place in range(min(len(x), 1))]
        except (ValueError, RuntimeError) as error:
            raise VqromError("the file itself does not run in LiteRT: "
                             f"{' '.join(str(error).split())[:200]}") from None
        if len(x) == 1:
            return single[0]
        try:
            together = _invoke(self._content, x, numbers)
        except (ValueError, RuntimeError):
            together = []
        if together and all(one.ndim and value.shape == (len(x) * len(one), *one.shape[1:])
                            for value, one in zip(together, single[0], strict=True)):
            return [value.reshape(_of_images(len(x), one))
                    for value, one in zip(together, single[0], strict=True)]
        single += [_invoke(self._content, x[place:place + 1], numbers)
                   for place in range(1, len(x))]
        return [np.concatenate(parts).reshape(_of_images(len(x), parts[0])) if parts[0].ndim
                else np.stack(parts) for parts in zip(*single, strict=True)]


def _of_images(count: int, single: np.ndarray) -> tuple[int, ...]:
    """The shape ``[N, ...]`` of several images' results, from what one makes."""
    shape = single.shape
    return (count, *(shape[1:] if shape and shape[0] == 1 else shape))


def _invoke(content: bytes, x: np.ndarray, numbers: Sequence[int] | None) -> list[np.ndarray]:
    """Run a model on inputs in its own form; the outputs, or the tensors of these numbers."""
    engine = _engine(content, numbers is not None)
    source = engine.get_input_details()[0]
    if tuple(source["shape"]) != x.shape:
        engine.resize_tensor_input(source["index"], x.shape)
    engine.allocate_tensors()
    engine.set_tensor(source["index"], x)
    engine.invoke()
    wanted = [entry["index"] for entry in engine.get_output_details()] \
        if numbers is None else numbers
    return [np.array(engine.get_tensor(number)) for number in wanted]


def _engine(content: bytes, keep: bool) -> Any:
    """An interpreter with the first kernels that have all operators; it may keep all tensors."""
    for kernels in KERNELS:
        try:
            return interpreter.Interpreter(
                model_content=content, num_threads=1, experimental_op_resolver_type=kernels,
                experimental_preserve_all_tensors=keep)
        except (ValueError, RuntimeError) as error:
            if MISSING not in str(error) or kernels is KERNELS[-1]:
                raise
    raise AssertionError("there are kernels")
