"""Networks that onnxruntime quantised: the file's integers, layer by layer, and as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.sw.importers.onnx_int8.int8_models import quantized_file, steps_apart
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import is_onnx_int8, read_onnx, read_onnx_int8
from vqrom_sw.network import (
    NO_CODEBOOK,
    AveragePool,
    Concat,
    Conv,
    Elementwise,
    GlobalAveragePool,
    Host,
    MaxPool,
    Table,
)


class Mixed(nn.Module):
    """Convolutions, poolings, a sum, a product, a concatenation and linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.grouped = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=2)
        self.pixel = nn.Conv2d(8, 8, 1)
        self.linear = nn.Linear(16 * 2 * 2, 10)
        self.last = nn.Linear(10, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to classes."""
        x = F.max_pool2d(torch.relu(self.first(x)), 2)
        x = F.relu6(self.grouped(x))
        y = self.pixel(x)
        y = y * torch.sigmoid(y)
        x = torch.cat([x + y, F.hardswish(y)], 1)
        x = F.avg_pool2d(x, 2).flatten(1)
        return self.last(torch.relu(self.linear(x)))


@pytest.fixture(scope="module", params=["int8", "uint8 by channel", "one image by channel"])
def mixed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    options = {"int8": {}, "uint8 by channel": {"unsigned": True, "per_channel": True},
               "one image by channel": {"per_channel": True, "batch": False}}[request.param]
    return quantized_file(tmp_path_factory.mktemp("qdq"), Mixed(), (1, 3, 16, 16), **options)


def test_layers_are_those_of_the_file(mixed: Path) -> None:
    network = read_onnx_int8(mixed)
    kinds = [type(layer) for layer in network.layers]
    assert [kind for kind in kinds if kind is not Table] == [
        Conv, MaxPool, Conv, Conv, Elementwise, Elementwise, Concat, AveragePool, Conv, Conv]
    assert network.codebook_sha256 == NO_CODEBOOK and network.name == "int8"
    assert network.input_native.sizes == (3, 16, 16) and network.output_shape == (5,)


def test_weights_are_the_integers_of_the_file(mixed: Path) -> None:
    network = read_onnx_int8(mixed)
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor)
              for tensor in onnx.load(str(mixed)).graph.initializer}
    (layer,) = [layer for layer in network.layers if layer.name == "/first/Conv"]
    assert isinstance(layer, Conv) and layer.raw is not None
    weights = stored["first.weight_quantized"]
    np.testing.assert_array_equal(layer.raw.transpose(0, 3, 1, 2), weights)
    np.testing.assert_array_equal(layer.bias, stored["first.bias_quantized"])
    np.testing.assert_array_equal(layer.weight_scale, np.broadcast_to(
        stored["first.weight_scale"].astype(np.float64), layer.weight_scale.shape))
    zero_point = int(stored["x_zero_point"])
    unsigned = stored["x_zero_point"].dtype == np.uint8
    assert network.input_quantization.zero_point == zero_point - 128 * unsigned
    assert network.input_quantization.scale == float(stored["x_scale"])


def test_the_whole_network_gives_nearly_what_onnxruntime_does(mixed: Path) -> None:
    # Each layer may be off by one step where the real number is in the middle of two.
    assert steps_apart(read_onnx_int8(mixed), mixed) <= 3


def test_the_float_reader_points_here(mixed: Path) -> None:
    assert is_onnx_int8(mixed)
    with pytest.raises(VqromError, match=r"QuantizeLinear.*read_onnx_int8 reads those"):
        read_onnx(mixed)


class Excited(nn.Module):
    """Squeeze and excitation, an average, and a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, dilation=2)
        self.down, self.up = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to channels."""
        x = F.leaky_relu(self.conv(F.pad(x, (1, 2, 0, 1))))
        x = x * F.hardsigmoid(self.up(torch.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))
        x = F.avg_pool2d(x * 2 + 1, 3, 2, padding=1)
        return F.adaptive_avg_pool2d(x, 1).flatten(1)


def test_excitation_is_a_product_with_a_pixel(tmp_path: Path) -> None:
    torch.manual_seed(1)
    path = quantized_file(tmp_path, Excited(), (1, 3, 12, 10), unsigned=True)
    network = read_onnx_int8(path)
    (product,) = [layer for layer in network.layers if isinstance(layer, Elementwise)]
    assert network.shape_of(product.inputs[1]) == (1, 1, 8)
    assert sum(isinstance(layer, GlobalAveragePool) for layer in network.layers) == 2
    assert not any(isinstance(layer, Host) for layer in network.layers)
    assert steps_apart(network, path) <= 3


class Sequence(nn.Module):
    """Linear layers of a sequence with a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 8), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sequences to sequences."""
        return torch.softmax(self.two(F.gelu(self.one(x))), -1)


def test_a_sequence_with_matrix_products(tmp_path: Path) -> None:
    torch.manual_seed(2)
    path = quantized_file(tmp_path, Sequence(), (1, 5, 6), per_channel=True)
    network = read_onnx_int8(path)
    assert network.input_shape == (5, 1, 6) and network.output_shape == (5, 4)
    assert [layer.kind for layer in network.layers if isinstance(layer, Host)] == ["host"]
    assert steps_apart(network, path) <= 3


def test_a_signal(tmp_path: Path) -> None:
    torch.manual_seed(3)
    module = nn.Sequential(nn.Conv1d(4, 8, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool1d(2),
                           nn.Flatten(), nn.Linear(8 * 4, 3))
    path = quantized_file(tmp_path, module, (1, 4, 16))
    network = read_onnx_int8(path)
    assert not any(isinstance(layer, Host) for layer in network.layers)
    assert steps_apart(network, path) <= 2


def test_images_in_another_order(tmp_path: Path) -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Images (N, H, W, C) to such."""
            return torch.relu(self.conv(x.permute(0, 3, 1, 2))).permute(0, 2, 3, 1)

    torch.manual_seed(4)
    path = quantized_file(tmp_path, Last(), (1, 6, 7, 3))
    network = read_onnx_int8(path)
    assert network.input_shape == (6, 7, 3) and network.output_shape == (4, 5, 4)
    assert [type(layer) for layer in network.layers] == [Conv]
    assert steps_apart(network, path) <= 1


def test_a_float_model_is_not_int8(tmp_path: Path) -> None:
    path = quantized_file(tmp_path, nn.Linear(4, 3), (1, 4))
    assert is_onnx_int8(path)
    assert not is_onnx_int8(tmp_path / "float.onnx")
    with pytest.raises(VqromError, match=r"Gemm.*QuantizeLinear must follow, not an output"):
        read_onnx_int8(tmp_path / "float.onnx")
