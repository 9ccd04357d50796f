"""Files of one operator or one habit of an exporter each: right, or refused with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.conftest import REPOSITORY
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_onnx, read_onnx_int8
from vqrom_sw.reference import dequantize, outputs_of, quantize_input, run_reference

DATA = Path(os.environ.get("VQROM_DATA", REPOSITORY.parent / "shared" / "data"))

CASES = DATA.parent / "cases"
"""The folder of the files, beside that of the real data."""

REFUSED = {
    "argmax": r"node 'a' \(ArgMax\): its results are places",
    "bn_3d_unsqueeze": r"Node with schema\(::Gemm:9\) has input size 2",
    "custom_domain_relu": "operator Relu of the domain 'com.acme' is not known",
    "dyn_hw": "leaves sizes open: N, 3, H, W",
    "ext": "must be in the file 'ext.bin' beside the model, which is absent",
    "fp16": "must be FLOAT, .* not FLOAT16",
    "matmul_3d_weight": r"node 'y' \(MatMul\): does not run with 2 images",
    "qdq": r"node 'q' \(QuantizeLinear\): .* are not read in float; read_onnx_int8 reads",
    "qoperator": r"node 'q' \(QuantizeLinear\): .* are not read in float; read_onnx_int8 reads",
    "slice_noaxes": r"node 'y' \(Slice\): must not take a part of the images",
    "squeeze11_noaxes": "Graph output 'y' is not an output of any node",
}
"""Why files are refused; all others are right."""

OLD = ("add6_axis_broadcast", "add6_axis_broadcast_CeqW", "bn6_is_test", "two_nodes_same_name")
"""Files that onnxruntime refuses; :func:`computed` knows them."""


def computed(name: str, x: np.ndarray) -> np.ndarray:
    """What a file that onnxruntime refuses computes, with PyTorch."""
    model = onnx.load(str(CASES / f"{name}.onnx"))
    held = {tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
            for tensor in model.graph.initializer}
    values = {**held, model.graph.input[0].name: torch.from_numpy(x)}
    for node in model.graph.node:
        given = [values[entry] for entry in node.input]
        attributes = {entry.name: onnx.helper.get_attribute_value(entry)
                      for entry in node.attribute}
        match node.op_type:
            case "Conv":
                pads = attributes.get("pads", [0, 0])
                result = torch.nn.functional.conv2d(
                    given[0], *given[1:3], padding=(pads[0], pads[1]))  # type: ignore[arg-type]
            case "Add":
                result = given[0] + given[1][:, None, None]
                assert attributes == {"axis": 1, "broadcast": 1}
            case "BatchNormalization":
                result = torch.nn.functional.batch_norm(
                    given[0], given[3], given[4], given[1], given[2],
                    eps=attributes.get("epsilon", 1e-5))
            case "Relu":
                result = torch.relu(given[0])
            case kind:
                raise AssertionError(kind)
        values[node.output[0]] = result
    return values[model.graph.output[0].name].numpy()


def expected(path: Path, x: np.ndarray) -> np.ndarray:
    """What onnxruntime computes, group by group where the file fixes the number of images."""
    if path.stem in OLD:
        return computed(path.stem, x)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options)
    weights = {tensor.name for tensor in onnx.load(str(path)).graph.initializer}
    (source,) = [entry for entry in session.get_inputs() if entry.name not in weights]
    batch = source.shape[0] if isinstance(source.shape[0], int) else len(x)
    filled = np.concatenate([x, np.zeros((-len(x) % batch, *x.shape[1:]), np.float32)])
    runs = [np.asarray(session.run(None, {source.name: filled[start:start + batch]})[0])
            for start in range(0, len(filled), batch)]
    if not runs[0].ndim:
        return np.stack(runs)
    return np.concatenate(runs)[:len(runs[0]) // batch * len(x)]


def names() -> list[str]:
    """Names of the files, without their suffix; one that stands for all if there are none."""
    return sorted(path.stem for path in CASES.glob("*.onnx")) or ["all"]


@pytest.mark.parametrize("name", names())
def test_right_or_refused(name: str) -> None:
    if name == "all":
        pytest.skip(f"cases absent: no ONNX files in {CASES} (set VQROM_DATA)")
    path = CASES / f"{name}.onnx"
    if name in REFUSED:
        with pytest.raises(VqromError, match=REFUSED[name]) as caught:
            read_onnx(path)
        assert "\n" not in str(caught.value)
        return
    imported = read_onnx(path)
    for batch in (1, 3, 8):
        x = np.random.default_rng(batch).standard_normal(
            (batch, *imported.input_shape[1:])).astype(np.float32)
        with torch.no_grad():
            found = imported.module(torch.from_numpy(x))
        right = expected(path, x)
        assert found.numel() == right.size
        np.testing.assert_allclose(found.numpy().reshape(right.shape), right, rtol=1e-4, atol=1e-5)


def test_int8_case_is_right() -> None:
    path = CASES / "qoperator.onnx"
    if not path.exists():
        pytest.skip(f"cases absent: no file {path}")
    network = read_onnx_int8(path)
    x = np.random.default_rng(1).standard_normal((3, 3, 8, 8)).astype(np.float32)
    results = run_reference(network, None, quantize_input(network, x))
    found = dequantize(network, outputs_of(network, results)[0])
    scale = network.quantization_of(network.outputs[0].layer).scale
    # A number in the middle of two steps may be rounded otherwise.
    np.testing.assert_allclose(found, expected(path, x), rtol=0, atol=1.01 * scale)


def test_int8_case_without_a_scale_is_refused() -> None:
    path = CASES / "qdq.onnx"
    if not path.exists():
        pytest.skip(f"cases absent: no file {path}")
    with pytest.raises(VqromError, match=r"\(Conv\): its result must be quantised: QuantizeLinear"):
        read_onnx_int8(path)


def test_open_sizes_are_those_of_an_example() -> None:
    path = CASES / "dyn_hw.onnx"
    if not path.exists():
        pytest.skip(f"cases absent: no file {path}")
    assert read_onnx(path, (1, 3, 9, 7)).input_shape == (1, 3, 9, 7)
    with pytest.raises(VqromError, match=r"must have the shape \(any, 3, any, any\), not \(1, 4"):
        read_onnx(path, (1, 4, 9, 7))
