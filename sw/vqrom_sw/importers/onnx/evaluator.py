"""What an ONNX file computes, by onnxruntime or by the standard's own reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnxruntime
from onnx.reference import ReferenceEvaluator

from vqrom_hw.errors import VqromError

from .model_file import version_of
from .source import DataInput

OLDEST = 7
"""First operator set that the interpreters know as it was; older ones are compared converted."""

Run = Callable[[dict[str, np.ndarray]], list[Any]]
"""Runs a model on inputs by name and returns its outputs in order."""


class OnnxEvaluator:
    """Runs an ONNX model with any number of images.

    onnxruntime runs it; where that lacks an operator, the reference of the ``onnx`` package does.
    A model of an operator set before :data:`OLDEST`, which onnxruntime mostly refuses, runs as
    converted to a newer one.

    Parameters
    ----------
    model:
        The model as it is in the file.
    converted:
        The same, in a newer operator set.
    source:
        Its data input. If that fixes the number of images, other numbers run in groups of so many,
        the last one filled up with images that no result may depend on.

    Members
    -------
    name:
        Which interpreter runs it.
    """

    def __init__(self, model: onnx.ModelProto, converted: onnx.ModelProto, source: DataInput):
        self._models = (model, converted)
        self._source, self._batch = source, source.batch
        self._axes: list[tuple[int, int] | None] = []
        self.name, self._run = _interpreter(model, converted)
        if self._batch is not None:
            self.name += f" ({self._batch} at a time, as the file has it)"

    def images_axes(self, axes: Sequence[tuple[int, int] | None]) -> None:
        """Tell where each output has its images: the axis, and how many entries one image has."""
        self._axes = list(axes)

    def outputs(self, x: np.ndarray) -> list[np.ndarray]:
        """Run the model on float32 ``[N, ...]`` and return its outputs.

        Raises
        ------
        VqromError
            If the model does not run.
        """
        try:
            if self._batch is None:
                return [np.asarray(value) for value in self._run(self._feed(x))]
            return self._grouped(x, self._batch)
        except VqromError:
            raise
        except Exception as error:
            raise VqromError(f"the file itself does not run with {len(x)} images: "
                             f"{' '.join(str(error).split())[:200]}") from None

    def intermediates(self, x: np.ndarray) -> Mapping[str, np.ndarray]:
        """Run the model on inputs ``[N, ...]`` and return all tensors by name, where it can, the
        input among them.

        Where the file fixes the number of images, it runs once with so many.
        """
        if self._batch is not None:
            x = self._filled(x[:self._batch], self._batch)
        names = [name for node in self._models[0].graph.node for name in node.output if name]
        extended = []
        for model in self._models:
            copy = onnx.ModelProto()
            copy.CopyFrom(model)
            made = {name for node in model.graph.node for name in node.output}
            del copy.graph.output[:]
            copy.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name)
                                     for name in names if name in made)
            extended.append(copy)
        with suppress(Exception):
            _, run = _interpreter(extended[0], extended[1])
            return {self._source.name: x.astype(np.float32)} | {
                name: np.asarray(value) for name, value
                in zip(names, run(self._feed(x)), strict=True)}
        return {}

    def _feed(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {self._source.name: x.astype(self._source.kind), **self._source.fixed}

    @staticmethod
    def _filled(x: np.ndarray, batch: int) -> np.ndarray:
        """Inputs with others behind, so that groups of a number of images are full."""
        missing = -len(x) % batch
        filler = np.random.default_rng(7).permutation(
            np.resize(x, (missing, *x.shape[1:])).reshape(-1)).reshape(missing, *x.shape[1:])
        return np.concatenate([x, filler])

    def _grouped(self, x: np.ndarray, batch: int) -> list[np.ndarray]:
        padded = self._filled(x, batch)
        runs = [self._run(self._feed(padded[start:start + batch]))
                for start in range(0, len(padded), batch)]
        results: list[np.ndarray] = []
        for place, group in enumerate(zip(*runs, strict=True)):
            place_of_images = self._axes[place]
            if place_of_images is None:
                raise VqromError(f"output {place} must have an axis of images, and its shape "
                                 "is the same for any number of them")
            axis, each = place_of_images
            parts = [np.asarray(part) for part in group]
            parts = [part.reshape(batch, -1) if part.ndim == 0 else part for part in parts]
            whole = np.concatenate(parts, axis if axis < parts[0].ndim else 0)
            results.append(np.take(whole, np.arange(each * len(x)), axis))
        return results


def _interpreter(model: onnx.ModelProto, converted: onnx.ModelProto) -> tuple[str, Run]:
    """Name and function of the first interpreter that takes a model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    problem = ""
    for candidate in (model, converted):
        try:
            session = onnxruntime.InferenceSession(candidate.SerializeToString(), options,
                                                   providers=["CPUExecutionProvider"])
            return "onnxruntime", lambda feed, session=session: list(session.run(None, feed))
        except Exception as error:
            problem = problem or " ".join(str(error).split())[:200]
        if version_of(candidate) >= OLDEST:
            with suppress(Exception):
                reference = ReferenceEvaluator(candidate)
                return "onnx.reference", lambda feed, reference=reference: list(
                    reference.run(None, feed))  # type: ignore[arg-type]
    raise VqromError(f"nothing runs the file itself, to compare with: {problem}")
