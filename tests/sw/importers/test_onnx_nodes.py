"""The standard's own tests, from the ``onnx`` package: each is right, or refused by name.

The package makes most of them when asked. A network has one data input, so a test's further inputs
become constants of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
import torch
from onnx.backend.test.loader import load_model_tests

from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_onnx

LEAST_RIGHT = {2: 50, 3: 230, 4: 190}
"""How many tests must be right at least, by the number of axes of their first input."""

KINDS = ("pytorch-operator", "pytorch-converted")
"""Folders of test models in the package."""


@dataclass(frozen=True)
class Example:
    """One test: a model, its inputs and its outputs."""

    name: str
    model: onnx.ModelProto
    inputs: Sequence[np.ndarray]
    outputs: Sequence[np.ndarray]


def examples() -> Iterator[Example]:
    """All tests with a float32 tensor of 2 to 4 axes as their first input."""
    for test in load_model_tests(kind="node"):
        if test.data_sets and test.model is not None:
            inputs, outputs = test.data_sets[0]
            if suits(inputs):
                yield Example(test.name, test.model, inputs, outputs)
    for test in (test for kind in KINDS for test in load_model_tests(kind=kind)):
        folder = Path(test.model_dir or "")
        inputs, outputs = (
            [tensor(file) for file in sorted(folder.glob(f"test_data_set_0/{what}_*.pb"))]
            for what in ("input", "output"))
        if suits(inputs):
            yield Example(test.name, onnx.load(str(folder / "model.onnx")), inputs, outputs)


def suits(inputs: Sequence[object]) -> bool:
    """Whether the first input is a float32 tensor of 2 to 4 axes, and the others are tensors."""
    first = inputs[0] if inputs else None
    return isinstance(first, np.ndarray) and first.dtype == np.float32 and \
        first.ndim in LEAST_RIGHT and \
        all(isinstance(entry, np.ndarray | np.generic) for entry in inputs)


def tensor(file: Path) -> np.ndarray:
    """Read a tensor of a test."""
    proto = onnx.TensorProto()
    proto.ParseFromString(file.read_bytes())
    return onnx.numpy_helper.to_array(proto)


def with_constants(example: Example) -> onnx.ModelProto:
    """The model with all inputs but the first as constants."""
    model = onnx.ModelProto()
    model.CopyFrom(example.model)
    held = {entry.name for entry in model.graph.initializer}
    free = [entry for entry in model.graph.input if entry.name not in held]
    for entry, value in list(zip(free, example.inputs, strict=False))[1:]:
        stored = onnx.numpy_helper.from_array(np.asarray(value), entry.name)
        stored.data_type = entry.type.tensor_type.elem_type
        model.graph.initializer.append(stored)
    return model


def is_right(example: Example, path: Path) -> bool:
    """Whether a model is read, and the module gives the test's outputs.

    Raises
    ------
    VqromError
        If the model is refused.
    """
    path.write_bytes(with_constants(example).SerializeToString())
    module = read_onnx(path).module
    with torch.no_grad():
        found = module(torch.from_numpy(example.inputs[0].copy()))
    results = found if isinstance(found, tuple) else (found,)
    return all(result.shape == right.shape and np.allclose(
        result.numpy(), right, rtol=1e-3, atol=1e-4, equal_nan=True)
        for result, right in zip(results, example.outputs, strict=True))


@pytest.mark.filterwarnings("ignore")
def test_right_or_refused_by_name(tmp_path: Path) -> None:
    right: Counter[int] = Counter()
    tried: Counter[int] = Counter()
    wrong: list[str] = []
    for example in examples():
        rank = example.inputs[0].ndim
        tried[rank] += 1
        try:
            if is_right(example, tmp_path / "net.onnx"):
                right[rank] += 1
            else:
                wrong.append(example.name)
        except VqromError as error:
            if "\n" in str(error) or "cannot be read" in str(error):
                wrong.append(f"{example.name}: {error}")
    assert not wrong
    print({rank: f"{right[rank]} of {tried[rank]}" for rank in sorted(tried)})
    assert all(right[rank] >= least for rank, least in LEAST_RIGHT.items()), right
    assert right[2] + right[4] >= 200
