"""ONNX files as topologies: the shapes are the file's, the weights are random."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import vqrom
from vqrom_hw.errors import VqromError


def weights(name: str, *shape: int) -> TensorProto:
    return numpy_helper.from_array(
        np.random.default_rng(0).standard_normal(shape).astype(np.float32), name)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network whose weights lie in a file beside it."""
    nodes = [helper.make_node("Conv", ["x", "a"], ["y"], pads=[1, 1, 1, 1]),
             helper.make_node("HardSwish", ["y"], ["z"]),
             helper.make_node("GlobalAveragePool", ["z"], ["p"]),
             helper.make_node("Flatten", ["p"], ["f"]),
             helper.make_node("MatMul", ["f", "b"], ["s"]),
             helper.make_node("Softmax", ["s"], ["out"])]
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8, 6, 6])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 10])],
        [weights("a", 16, 8, 3, 3), weights("b", 16, 10)])
    path = tmp_path_factory.mktemp("shapes") / "net.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    onnx.save_model(model, path, save_as_external_data=True, location="net.data",
                    size_threshold=0)
    return path


def test_cycles_are_those_of_the_network(file: Path) -> None:
    timed = vqrom.simulate(file, config="tiny")
    codebook = vqrom.compress(file, calibration=torch.randn(4, 8, 6, 6).numpy(), codewords=256)
    real = vqrom.simulate(codebook.networks["net"], codebook.codebook, "tiny",
                          np.zeros((1, 8, 6, 6), np.float32), "model")
    assert timed.cycles == real.cycles and timed.cycles
    assert timed.report["traffic"] == real.report["traffic"]
    assert [layer.kind for layer in timed.layers] == [layer.kind for layer in real.layers]


def test_weights_may_be_absent(file: Path, tmp_path: Path) -> None:
    bare = tmp_path / "net.onnx"
    bare.write_bytes(file.read_bytes())
    assert vqrom.simulate(bare, config="tiny").cycles == vqrom.simulate(file, config="tiny").cycles
    raw = vqrom.simulate(bare, config="tiny", weights="raw")
    assert raw.traffic and not raw.traffic.dram_read_bytes["index"]
    with pytest.raises(VqromError, match=r"weights 'a' must be in the file 'net.data' beside"):
        vqrom.compress(bare, calibration=torch.randn(4, 8, 6, 6).numpy())


def test_sizes_that_a_file_leaves_open(file: Path, tmp_path: Path) -> None:
    """An option names them; without it the message says what is missing."""
    model = onnx.load(file)
    for place in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_param = "any"
    onnx.save(model, tmp_path / "open.onnx")
    with pytest.raises(VqromError, match="leaves sizes open: n, 8, any, any; the shape of an"):
        vqrom.simulate(tmp_path / "open.onnx", config="tiny")
    found = vqrom.simulate(tmp_path / "open.onnx", config="tiny", example_shape=(1, 8, 6, 6))
    assert found.cycles == vqrom.simulate(file, config="tiny").cycles
    assert vqrom.simulate(tmp_path / "open.onnx", config="tiny",
                          example_shape=(1, 8, 7, 9)).report["macs"] > found.report["macs"]


def test_codebook_and_inputs_are_refused(file: Path) -> None:
    with pytest.raises(VqromError, match=r"shapes of .* go without codebook and inputs"):
        vqrom.simulate(file, config="tiny", inputs=np.zeros((1, 8, 6, 6), np.float32))
    with pytest.raises(VqromError, match="weights must be one of index, raw, not 'float'"):
        vqrom.simulate(file, config="tiny", weights="float")
