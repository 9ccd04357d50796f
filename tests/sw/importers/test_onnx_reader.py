"""How ONNX files are read: their weights, inputs and outputs, and what nobody understands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.external_data_helper
import pytest
import torch

from tests.sw.importers.onnx_models import node, normal, save
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_onnx
from vqrom_sw.importers.imported_module import Call
from vqrom_sw.importers.onnx import OPERATORS


def test_weights_come_from_beside_the_model(tmp_path: Path, monkeypatch) -> None:
    """Neither a file of that name in the current folder, nor one outside the model's, is taken."""
    weight = normal(2, 3, 3, 3)
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        folder.mkdir()
    path = save(own / "net.onnx", [node("Conv", "x w")], ["n", 3, 6, 6], {"w": weight})
    model = onnx.load(str(path))
    onnx.external_data_helper.convert_model_to_external_data(model, location="net.bin",
                                                             size_threshold=0)
    onnx.save(model, str(path))
    (other / "net.bin").write_bytes(normal(2, 3, 3, 3, seed=1).tobytes())
    monkeypatch.chdir(other)
    x = torch.from_numpy(normal(2, 3, 6, 6))
    torch.testing.assert_close(read_onnx(path).module(x),
                               torch.conv2d(x, torch.from_numpy(weight)))
    (own / "net.bin").unlink()
    with pytest.raises(VqromError, match=r"in the file 'net\.bin' beside the model, which is abse"):
        read_onnx(path)
    model = onnx.load(str(path), load_external_data=False)
    for place in ("../other/net.bin", str(other / "net.bin")):
        model.graph.initializer[0].external_data[0].value = place
        path.write_bytes(model.SerializeToString())
        with pytest.raises(VqromError, match="weights 'w' must be in a file beside the model"):
            read_onnx(path)


def test_what_nobody_takes_is_refused(tmp_path: Path, monkeypatch) -> None:
    """A further attribute or input of the standard's future is not overlooked."""
    monkeypatch.setattr(onnx.checker, "check_model", lambda model: None)
    for nodes, reason in (
            ([node("Relu", "x", slope=2.0)], r"node 'y' \(Relu\): attribute 'slope' is not unde"),
            ([node("Relu", "x b")], r"node 'y' \(Relu\): input 1 is not understood"),
            ([node("MaxPool", "x", "y i", kernel_shape=[2, 2]), node("Cast", "i", "z", to=1)],
             r"result 1 \(indices\) must not be read")):
        path = save(tmp_path / "net.onnx", nodes, ["n", 3, 4, 4], {"b": normal(1)},
                    outputs=["z" if len(nodes) > 1 else "y"])
        with pytest.raises(VqromError, match=reason):
            read_onnx(path)


@pytest.mark.parametrize(("kind", "attributes", "careless"), [
    ("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, lambda x: x[:, :, :4, :4]),
    ("Softmax", {"axis": 1}, lambda x: x.softmax(2)),
    ("Elu", {"alpha": 0.5}, torch.nn.functional.elu),
    ("Gelu", {"approximate": "tanh"}, torch.nn.functional.gelu),
])
def test_a_reader_that_overlooks_something_is_found_out(kind: str, attributes, careless,
                                                        tmp_path: Path, monkeypatch) -> None:
    """The comparison names the tensor, whatever a reader makes of a node."""
    def read(taken):
        for name in attributes:
            taken.attribute(name, None)
        taken.data(0)
        return Call(careless)

    path = save(tmp_path / "net.onnx", [node("Neg", "x", "z"), node(kind, "z", **attributes)],
                ["n", 3, 6, 6])
    read_onnx(path)
    monkeypatch.setitem(OPERATORS, kind, read)
    with pytest.raises(VqromError, match="tensor 'y' must be what onnxruntime computes"):
        read_onnx(path)


def test_several_outputs(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", [node("Relu", "x", "a"), node("Neg", "a", "b")],
                ["n", 3, 4], outputs=("b", "a"))
    imported = read_onnx(path)
    x = torch.from_numpy(normal(2, 3, 4))
    torch.testing.assert_close(imported.module(x), (-x.relu(), x.relu()))
    assert imported.outputs == ("b", "a") and imported.input_shape == (1, 3, 4)


def test_several_inputs_need_values(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", [node("Mul", "x scale")], ["n", 4],
                inputs={"scale": [1, 4]})
    with pytest.raises(VqromError, match="must have one data input, not 2: 'x', 'scale'"):
        read_onnx(path)
    with pytest.raises(VqromError, match="values must be for inputs of the model, not for 'sca'"):
        read_onnx(path, fixed={"sca": normal(1, 4)})
    scale = normal(1, 4)
    x = torch.from_numpy(normal(3, 4))
    torch.testing.assert_close(read_onnx(path, fixed={"scale": scale}).module(x),
                               x * torch.from_numpy(scale))


def test_integers_that_become_floats_at_once(tmp_path: Path) -> None:
    uint8 = onnx.TensorProto.UINT8
    nodes = [node("Cast", "x", "f", to=1), node("Mul", "f s")]
    path = save(tmp_path / "net.onnx", nodes, ["n", 4], {"s": np.float32(0.5)}, kind=uint8)
    x = torch.tensor([[0.0, 1, 200, 255]])
    torch.testing.assert_close(read_onnx(path).module(x), x / 2)
    path = save(tmp_path / "net.onnx", [node("Add", "x x", "z"), node("Cast", "z", "y", to=1)],
                ["n", 4], kind=uint8)
    with pytest.raises(VqromError, match="integers that Cast makes FLOAT at once, not UINT8"):
        read_onnx(path)


def test_batch_of_the_file_in_a_reshape(tmp_path: Path) -> None:
    """Eight images are in the sizes; one image, or five, work as well."""
    path = save(tmp_path / "net.onnx", [node("Reshape", "x s", "r"), node("MatMul", "r w")],
                [8, 2, 6], {"s": np.array([8, 12]), "w": normal(12, 5)})
    module = read_onnx(path).module
    x = torch.from_numpy(normal(5, 2, 6))
    torch.testing.assert_close(module(x), x.flatten(1) @ torch.from_numpy(normal(12, 5)))


@pytest.mark.parametrize(("nodes", "constants", "reason"), [
    ([node("Softmax", "x", axis=0)], {}, r"tensor 'y' must be what onnxruntime \(4 at a time"),
    ([node("Add", "x b")], {"b": normal(4, 6)}, r"node 'y' \(Add\): does not run with 2 images"),
    ([node("ReduceMean", "x", keepdims=0)], {}, "output 0 must have an axis of images"),
])
def test_images_of_a_fixed_batch_that_are_mixed(nodes, constants, reason, tmp_path: Path) -> None:
    with pytest.raises(VqromError, match=reason):
        read_onnx(save(tmp_path / "net.onnx", nodes, [4, 6], constants))


def test_token_for_each_image(tmp_path: Path) -> None:
    """A class token is expanded to the number of images, as the file asks the shape for it."""
    token = normal(1, 1, 6)
    nodes = [node("Shape", "x", "n", start=0, end=1), node("Concat", "n rest", "s", axis=0),
             node("Expand", "token s", "t"), node("Concat", "t x", "y", axis=1)]
    path = save(tmp_path / "net.onnx", nodes, ["n", 4, 6],
                {"rest": np.array([1, 6]), "token": token})
    x = torch.from_numpy(normal(3, 4, 6))
    expected = torch.cat([torch.from_numpy(token).expand(3, -1, -1), x], 1)
    torch.testing.assert_close(read_onnx(path).module(x), expected)


def test_branches_of_a_constant_condition(tmp_path: Path) -> None:
    """Both branches name their tensors alike; the one that is taken counts."""
    info = onnx.helper.make_tensor_value_info("b", 1, None)
    yes, no = (onnx.helper.make_graph([node(kind, "x", "b")], kind, [], [info])
               for kind in ("Relu", "Neg"))
    nodes = [node("If", "c", "a", then_branch=yes, else_branch=no),
             node("If", "d", "b2", then_branch=yes, else_branch=no), node("Add", "a b2")]
    path = save(tmp_path / "net.onnx", nodes, ["n", 4],
                {"c": np.array(True), "d": np.array(False)})
    x = torch.from_numpy(normal(3, 4))
    torch.testing.assert_close(read_onnx(path).module(x), x.relu() - x)


def test_condition_of_the_number_of_images(tmp_path: Path) -> None:
    """It is the same for a few images, and another one for many."""
    info = onnx.helper.make_tensor_value_info("b", 1, None)
    yes, no = (onnx.helper.make_graph([node(kind, "x", "b")], kind, [], [info])
               for kind in ("Relu", "Neg"))
    nodes = [node("Shape", "x", "n", start=0, end=1), node("Squeeze", "n", "m"),
             node("Greater", "m limit", "c"), node("If", "c", "y", then_branch=yes, else_branch=no)]
    path = save(tmp_path / "net.onnx", nodes, ["n", 4], {"limit": np.array(10)})
    with pytest.raises(VqromError, match=r"\(If\): input 0 must not depend on the number of im"):
        read_onnx(path)


def test_constants_that_do_not_fit_into_memory(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", [node("ConstantOfShape", "s", "c"), node("Add", "x c")],
                ["n", 4], {"s": np.array([1 << 20, 1 << 20])})
    with pytest.raises(VqromError, match="a constant must have at most"):
        read_onnx(path)
