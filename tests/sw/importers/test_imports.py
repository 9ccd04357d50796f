"""Networks from files of other tools, against those tools' own outputs."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from onnx.reference import ReferenceEvaluator
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers import capture, read_onnx, read_tflite
from vqrom_sw.network import FloatConv, FloatHost
from vqrom_sw.reference.floating_point import float_output


class Shortcut(nn.Module):
    """An option-A shortcut, whose padding the exporter computes from shapes."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.conv(x) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))).mean((2, 3))


class Tokens(nn.Module):
    """Linear layers on a sequence, which the exporter writes as products and sums."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = nn.Linear(4, 12), nn.Linear(12, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outer(torch.tanh(self.inner(x.flatten(2).transpose(1, 2))))


MODULES = {
    "conv": lambda: nn.Sequential(
        nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU6(),
        nn.Conv2d(6, 6, 3, groups=6), nn.MaxPool2d((2, 1)), nn.Flatten(), nn.Linear(6, 5),
        nn.Softmax(1)),
    "uneven padding": lambda: nn.Sequential(nn.ZeroPad2d((0, 1, 1, 2)), nn.Conv2d(4, 3, 3),
                                            nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "shortcut": Shortcut,
    "tokens": Tokens,
    "gelu": lambda: nn.Sequential(nn.Conv2d(4, 3, 1), nn.GELU(), nn.LayerNorm(6), nn.AvgPool2d(2)),
}


def export(name: str, path: Path) -> torch.Tensor:
    torch.manual_seed(1)
    x = torch.randn(3, 4, 8, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(MODULES[name]().eval(), (x[:1],), str(path), dynamo=False,
                          input_names=["x"], dynamic_axes={"x": {0: "n"}})
    return x


@pytest.mark.parametrize("name", MODULES)
def test_onnx_computes_what_its_reference_computes(name: str, tmp_path: Path) -> None:
    x = export(name, tmp_path / "net.onnx")
    imported = read_onnx(tmp_path / "net.onnx")
    network = capture(imported.module, torch.zeros(imported.input_shape))
    evaluator = ReferenceEvaluator(str(tmp_path / "net.onnx"))
    for image in x:
        expected = np.asarray(next(iter(evaluator.run(None, {"x": image[None].numpy()}))))
        np.testing.assert_allclose(float_output(network, image[None]), expected, rtol=1e-4,
                                   atol=1e-5)


def test_products_with_constants_are_layers_of_the_hardware(tmp_path: Path) -> None:
    export("tokens", tmp_path / "net.onnx")
    imported = read_onnx(tmp_path / "net.onnx")
    layers = capture(imported.module, torch.zeros(imported.input_shape)).layers
    assert sum(isinstance(layer, FloatConv) for layer in layers) == 2


def test_onnx_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    export("conv", path)
    content = path.read_bytes()
    for size in (0, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(VqromError, match=r"ONNX model '.*net\.onnx'"):
            read_onnx(path)
    with pytest.raises(VqromError, match="cannot be read"):
        read_onnx(tmp_path / "absent.onnx")


def test_onnx_operators_and_inputs_that_are_not_known(tmp_path: Path) -> None:
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    path = tmp_path / "net.onnx"
    for operator, shape, message in (
            ("Hardmax", [1, 4, 2, 2], r"node 'y' \(Hardmax\): the operator is not known"),
            ("Relu", [1, 4, 2, 2, 2], "must have 2, 3 or 4 axes"),
            ("Relu", ["n", 4, "h", 2], "leaves sizes open: n, 4, h, 2")):
        x, y = (helper.make_tensor_value_info(name, kind, shape) for name in "xy")
        graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "g", [x], [y])
        onnx.save(helper.make_model(graph), str(path))
        with pytest.raises(VqromError, match=message):
            read_onnx(path)


@pytest.mark.parametrize(("name", "layers"), [("ds_cnn_kws", 10), ("resnet8", 10),
                                              ("autoencoder_ad", 10)])
def test_tflite_of_mlperf_tiny(data_folder: Path, name: str, layers: int) -> None:
    imported = read_tflite(data_folder / "mlperf_tiny" / f"{name}_float.tflite")
    network = capture(imported.module, torch.zeros(imported.input_shape), name)
    assert sum(isinstance(layer, FloatConv) for layer in network.layers) == layers
    hosted = [layer.kind for layer in network.layers if isinstance(layer, FloatHost)]
    assert hosted == ([] if name == "autoencoder_ad" else ["softmax"])


def test_tflite_resnet8_has_its_published_accuracy(data_folder: Path) -> None:
    """It gets 76.25 % of the 2,000 test images right; 500 of them are tried here, in float."""
    with np.load(data_folder / "cifar10_resnet" / "test_2000.npz") as archive:
        images, labels = archive["images"][:500], archive["labels"][:500]
    imported = read_tflite(data_folder / "mlperf_tiny" / "resnet8_float.tflite")
    x = torch.from_numpy(images.astype(np.float32).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        scores = imported.module(x)
    network = capture(imported.module, torch.zeros(imported.input_shape))
    torch.testing.assert_close(float_output(network, x), scores, rtol=1e-4, atol=1e-5)
    assert 0.72 < (scores.argmax(1).numpy() == labels).mean() < 0.80


def test_tflite_that_is_none(data_folder: Path, tmp_path: Path) -> None:
    content = (data_folder / "mlperf_tiny" / "resnet8_float.tflite").read_bytes()
    path = tmp_path / "net.tflite"
    for damaged in (b"", b"nothing to see here", content[:100], content[:len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(VqromError, match=r"TFLite model '.*net\.tflite'"):
            read_tflite(path)
    with pytest.raises(VqromError, match="its input must be FLOAT32, not INT8"):
        read_tflite(data_folder / "mlperf_tiny" / "resnet8_int8.tflite")
