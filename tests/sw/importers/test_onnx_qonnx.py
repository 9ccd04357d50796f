"""Operators of QONNX against their definition in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
import pytest
import torch

from tests.sw.importers.onnx_models import node, normal, save
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import capture, read_onnx
from vqrom_sw.network import FloatConv, FloatMaxPool, FloatTable, FloatUpsample

BREVITAS, LAST = "onnx.brevitas", "qonnx.custom_op.channels_last"

NUMBERS = np.array([[5.5, 2.5, 1.6, 1.1, 1.0, 0.0, -1.0, -1.1, -1.6, -2.5, -5.5]], np.float32)

ROUNDED = {
    "ROUND": [6, 2, 2, 1, 1, 0, -1, -1, -2, -2, -6], "CEIL": [6, 3, 2, 2, 1, 0, -1, -1, -1, -2, -5],
    "floor": [5, 2, 1, 1, 1, 0, -1, -2, -2, -3, -6], "UP": [6, 3, 2, 2, 1, 0, -1, -2, -2, -3, -6],
    "DOWN": [5, 2, 1, 1, 1, 0, -1, -1, -1, -2, -5],
    "HALF_UP": [6, 3, 2, 1, 1, 0, -1, -1, -2, -3, -6],
    "HALF_DOWN": [5, 2, 2, 1, 1, 0, -1, -1, -2, -2, -5]}
"""The table of the specification, and zero."""


def quantiser(kind: str = "Quant", inputs: str = "x s z b", outputs: str = "y",
              **attributes: Any) -> onnx.NodeProto:
    return node(kind, inputs, outputs, domain=BREVITAS, **attributes)


def read(path: Path, nodes: list[onnx.NodeProto], shape: tuple[int | str, ...],
         constants: dict[str, Any], version: int = 21):
    """Read a model that does not name its operator sets of other domains, as some do not."""
    constants = {name: np.asarray(value, np.float32) for name, value in constants.items()}
    return read_onnx(save(path / "net.onnx", nodes, shape, constants, version)).module


@pytest.mark.parametrize("mode", ROUNDED)
def test_rounding(mode: str, tmp_path: Path) -> None:
    module = read(tmp_path, [quantiser(signed=1, narrow=0, rounding_mode=mode)], ("n", 11),
                  {"s": 1, "z": 0, "b": 8})
    np.testing.assert_array_equal(module(torch.from_numpy(NUMBERS)).numpy(), [ROUNDED[mode]])


@pytest.mark.parametrize(("signed", "narrow", "bits", "low", "high"), [
    (1, 0, 8, -128, 127), (1, 1, 8, -127, 127), (0, 0, 4, 0, 15), (0, 1, 4, 0, 14),
    (0, 0, 1, 0, 1)])
def test_quantisers(signed: int, narrow: int, bits: int, low: int, high: int, tmp_path: Path
                    ) -> None:
    """With a scale for each channel, and a zero point."""
    scale, zero, x = np.array([[0.1], [0.5]], np.float32), np.float32(3), 30 * normal(4, 2, 50)
    module = read(tmp_path, [quantiser(signed=signed, narrow=narrow)], ("n", 2, 50),
                  {"s": scale[None], "z": zero, "b": bits})
    expected = (np.round(np.clip(x / scale + zero, low, high)) - zero) * scale
    np.testing.assert_array_equal(module(torch.from_numpy(x)).numpy(), expected)


def test_signs(tmp_path: Path) -> None:
    x = np.array([[-1.5, -1e-9, -0.0, 0.0, 2.0]], np.float32)
    module = read(tmp_path, [quantiser("BipolarQuant", "x s")], ("n", 5), {"s": 0.3})
    np.testing.assert_array_equal(module(torch.from_numpy(x)).numpy(),
                                  np.where(x >= 0, 0.3, -0.3).astype(np.float32))


@pytest.mark.parametrize("version", [9, 21])
def test_networks_on_channels_last(version: int, tmp_path: Path) -> None:
    """Quantisers of weights are computed, those of activations become tables."""
    nodes = [quantiser("Quant", "w s z b", "q", signed=1, narrow=1),
             node("Conv", "x q", "c", domain=LAST, kernel_shape=[3, 3], pads=[1, 1, 1, 1],
                  strides=[1, 1], dilations=[1, 1], group=1),
             quantiser("Quant", "c s z b", "a", signed=0, narrow=0),
             node("MaxPool", "a", "y", domain=LAST, kernel_shape=[2, 2], strides=[2, 2],
                  pads=[0, 0, 0, 0])]
    weights, x = normal(5, 3, 3, 4), normal(3, 8, 6, 4, seed=1)
    module = read(tmp_path, nodes, ("n", 8, 6, 4),
                  {"w": weights, "s": 0.25, "z": 0, "b": 4}, version)
    integers = torch.from_numpy(np.round(np.clip(weights / 0.25, -7, 7)) / 4).movedim(-1, 1)
    maps = torch.conv2d(torch.from_numpy(x).movedim(-1, 1), integers, padding=1)
    expected = torch.max_pool2d((maps * 4).clamp(0, 15).round() / 4, 2).movedim(1, -1)
    torch.testing.assert_close(module(torch.from_numpy(x)), expected, rtol=0, atol=1e-6)
    layers = capture(module, torch.zeros(1, 8, 6, 4), "net").layers
    assert [type(layer) for layer in layers] == [FloatConv, FloatTable, FloatMaxPool]


def test_images_are_not_moved(tmp_path: Path) -> None:
    """A table before the first transpose, and up-sampling of the axes in the middle."""
    nodes = [quantiser("Quant", "x s z b", "q", signed=1, narrow=0),
             node("Conv", "q w", "c", domain=LAST, kernel_shape=[1, 1], pads=[0, 0, 0, 0],
                  strides=[1, 1], dilations=[1, 1], group=1),
             node("Resize", "c _ factors", mode="nearest", nearest_mode="floor",
                  coordinate_transformation_mode="asymmetric")]
    module = read(tmp_path, nodes, ("n", 4, 6, 3), {
        "w": normal(5, 1, 1, 3), "s": 0.25, "z": 0, "b": 4, "factors": [1, 2, 3, 1]})
    assert module(torch.zeros(2, 4, 6, 3)).shape == (2, 8, 18, 5)
    layers = capture(module, torch.zeros(1, 4, 6, 3), "net").layers
    assert [type(layer) for layer in layers] == [FloatTable, FloatConv, FloatUpsample]


@pytest.mark.parametrize(("made", "constants", "reason"), [
    (quantiser("FloatQuant", "x s"), {"s": 1}, "operator FloatQuant of the domain 'onnx.brevitas'"),
    (quantiser(signed=1), {"s": 1, "z": 0, "b": 1}, "2 to 32, not 1"),
    (quantiser(signed=0), {"s": 1, "z": 0, "b": 2.5}, "1 to 32, not 2.5"),
    (quantiser(rounding_mode="SOME"), {"s": 1, "z": 0, "b": 8}, "rounding_mode must be one of"),
    (quantiser(inputs="x s z"), {"s": 1, "z": 0}, "must have 4 inputs, not 3"),
    (quantiser(other=1), {"s": 1, "z": 0, "b": 8}, "attribute 'other' is not understood"),
    (node("MaxPool", "x", domain=LAST), {}, "kernel_shape must be given"),
])
def test_refusals(made: onnx.NodeProto, constants: dict[str, float], reason: str, tmp_path: Path
                  ) -> None:
    with pytest.raises(VqromError, match=rf"node 'y'.*{reason}"):
        read(tmp_path, [made], ("n", 4), constants)
