"""Network files: written and read back, and every way in which one can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.random_networks import NetworkBuilder, mixed_network
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.formats.vqnet import content_digest
from vqrom_sw.io import tensor_bytes
from vqrom_sw.network import AveragePool, QuantizedNetwork, Softmax, image_output
from vqrom_sw.reference import run_reference

CODEBOOK = UniversalCodebook(
    np.random.default_rng(0).integers(-128, 128, (20, 4)).astype(np.int8))


@pytest.fixture
def network() -> QuantizedNetwork:
    return mixed_network(CODEBOOK).build()


@pytest.fixture
def path(network: QuantizedNetwork, tmp_path: Path) -> Path:
    file = tmp_path / "random.vqnet"
    save_network(network, file, CODEBOOK)
    return file


def test_there_and_back(network: QuantizedNetwork, path: Path) -> None:
    loaded = load_network(path)
    images = mixed_network(CODEBOOK).images(2).transpose(0, 2, 3, 1)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in network.layers]
    assert (loaded.name, loaded.input_shape, loaded.output_shape, loaded.codebook_sha256) == (
        network.name, network.input_shape, network.output_shape, CODEBOOK.sha256)
    ours, theirs = (run_reference(which, CODEBOOK, images) for which in (network, loaded))
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value)


def raw_network() -> QuantizedNetwork:
    """A network with raw weights, average pooling over windows and a softmax."""
    builder = NetworkBuilder(CODEBOOK, (6, 6, 3))
    builder.conv(8, raw=True)
    conv = builder.build()
    quantization = conv.layers[0].quantization
    pool = AveragePool("pool", ("conv0",), (2, 2, 8), quantization, (3, 3), (2, 2), (0, 1, 1, 0),
                       (-100, 90))
    softmax = Softmax("softmax", ("pool",), (2, 2, 8), Quantization(1 / 256, -128), 1 << 30, 23)
    return replace(conv, layers=(*conv.layers, pool, softmax), outputs=(image_output(softmax),))


def test_there_and_back_without_a_codebook(tmp_path: Path) -> None:
    network, path = raw_network(), tmp_path / "raw.vqnet"
    save_network(network, path, None)
    images = NetworkBuilder(CODEBOOK, (6, 6, 3)).images(2).transpose(0, 2, 3, 1)
    ours, theirs = (run_reference(which, None, images) for which in (network, load_network(path)))
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value)
    save_network(network, path.with_name("again.vqnet"), CODEBOOK)
    assert path.with_name("again.vqnet").read_bytes() == path.read_bytes()


def test_pixels_taken_off(tmp_path: Path) -> None:
    builder, path = NetworkBuilder(CODEBOOK, (6, 5, 3)), tmp_path / "crop.vqnet"
    builder.conv(8, (1, 1))
    builder.pad((-2, 1, -3, -4))
    network = builder.build()
    save_network(network, path, CODEBOOK)
    assert load_network(path).layers[1] == network.layers[1]

    def take_all(graph: dict[str, Any], tensors: object) -> None:
        graph["layers"][1].update(padding=[-6, 1, 1, -4])

    with pytest.raises(VqromError, match=r"a pixel of .* must be left"):
        load_network(forge(path, take_all))


@pytest.mark.parametrize(("change", "message"), [
    (lambda graph, tensors: graph["layers"][1].update(padding=[3, 0, 0, 0]), "smaller than the"),
    (lambda graph, tensors: graph["layers"][1].update(clamp=[5, -5]), "clamp must be a range"),
    (lambda graph, tensors: graph["layers"][1].update(shape=[2, 3, 8]), "shape must be"),
    (lambda graph, tensors: graph["layers"][2].update(shape=[2, 2, 7]), "shape must be"),
    (lambda graph, tensors: graph["layers"][2].update(shift=32), "shift"),
    (lambda graph, tensors: graph["layers"][2].update(multiplier=5), "multiplier"),
    (lambda graph, tensors: graph["layers"][0].update(weights="index"), "must have a codebook"),
])
def test_raw_content_that_cannot_be(change: Callable[..., object], message: str,
                                    tmp_path: Path) -> None:
    save_network(raw_network(), tmp_path / "raw.vqnet", None)
    with pytest.raises(VqromError, match=message):
        load_network(forge(tmp_path / "raw.vqnet", change))


def test_indices_need_their_codebook(network: QuantizedNetwork, tmp_path: Path) -> None:
    for codebook in (None, UniversalCodebook(np.ones((8, 4), np.int8))):
        with pytest.raises(VqromError, match="must run on its own codebook"):
            save_network(network, tmp_path / "x.vqnet", codebook)


def test_same_network_same_bytes(network: QuantizedNetwork, path: Path) -> None:
    again = path.with_name("again.vqnet")
    save_network(load_network(path), again, CODEBOOK)
    assert again.read_bytes() == path.read_bytes()


def test_index_maps_are_packed(path: Path) -> None:
    """With 20 codewords an index takes 5 bits, and there is no gap between two of them."""
    tensors = load_file(path)
    assert len(tensors["0.index"]) == -(-20 * 9 * 1 * 5 // 8)


def test_every_truncation(path: Path) -> None:
    content = path.read_bytes()
    cut = path.with_name("cut.vqnet")
    for size in (*range(0, len(content), 97), len(content) - 1):
        cut.write_bytes(content[:size])
        with pytest.raises(VqromError, match=r"cut\.vqnet"):
            load_network(cut)


def test_any_flipped_bit(path: Path) -> None:
    content = path.read_bytes()
    flipped = path.with_name("flipped.vqnet")
    for place in np.random.default_rng(1).integers(0, len(content), 200):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        flipped.write_bytes(altered)
        with pytest.raises(VqromError):
            load_network(flipped)


def forge(path: Path, change: Callable[[dict[str, Any], dict[str, np.ndarray]], object]) -> Path:
    """A file whose digest is right and whose content is not."""
    tensors = load_file(path)
    size = int.from_bytes(path.read_bytes()[:8], "little")
    metadata = json.loads(path.read_bytes()[8:8 + size])["__metadata__"]
    graph = json.loads(metadata["graph"])
    change(graph, tensors)
    metadata["graph"] = json.dumps(graph)
    metadata["sha256"] = content_digest(metadata["graph"], tensors)
    forged = path.with_name("forged.vqnet")
    forged.write_bytes(tensor_bytes(tensors, metadata))
    return forged


def layer_set(number: int, **values: object) -> Callable[..., object]:
    return lambda graph, tensors: graph["layers"][number].update(values)


@pytest.mark.parametrize(("change", "message"), [
    (lambda graph, tensors: tensors.pop("0.bias"), "layer 'conv0': bias must be int32"),
    (lambda graph, tensors: tensors.update({"0.bias": tensors["0.bias"][:3]}), "bias must be"),
    (lambda graph, tensors: tensors.update({"0.shift": tensors["0.shift"] * 0 + 9}), "shifts be"),
    (lambda graph, tensors: tensors["0.index"][:5].fill(255), "indices must be below 20, not 31"),
    (lambda graph, tensors: tensors.update({"99.bias": np.zeros(1)}), "must belong to a layer"),
    (lambda graph, tensors: graph.update(codewords=0), "codewords"),
    (lambda graph, tensors: graph.update(subvector=3), "subvector"),
    (lambda graph, tensors: graph.update(layers=[]), "layers"),
    (lambda graph, tensors: graph.update(colour="red"), "colour"),
    (lambda graph, tensors: graph["outputs"][0]["native"].update(sizes=[11]),
     "output of .* must have"),
    (layer_set(0, kind="softmax"), "layers.0"),
    (layer_set(0, kernel=[0, 3]), "kernel"),
    (layer_set(0, stride=[0, 1]), "stride"),
    (layer_set(0, shape=[12, 10, 1 << 30]), "shape"),
    (lambda graph, tensors: graph.update(input_shape=[1 << 14, 1 << 14, 8]), "at most 268435456"),
    (layer_set(0, clamp=[5, -5]), "clamp must be a range"),
    (layer_set(1, inputs=["nowhere"]), "input must be an earlier layer, not 'nowhere'"),
    (layer_set(1, inputs=["conv2"]), "input must be an earlier layer, not 'conv2'"),
    (layer_set(1, name="conv0"), "must have a name of its own"),
    (layer_set(1, shape=[6, 5, 21]), "shape must be"),
    (layer_set(4, inputs=["conv2"]), "must have 2 inputs, not 1"),
    (layer_set(4, inputs=["conv2", "maxpool1"]), "second operand must be"),
])
def test_content_that_cannot_be(path: Path, change: Callable[..., object], message: str) -> None:
    with pytest.raises(VqromError, match=message) as caught:
        load_network(forge(path, change))
    assert "forged.vqnet" in str(caught.value) and "\n" not in str(caught.value)


def test_nothing_half_written(network: QuantizedNetwork, tmp_path: Path) -> None:
    with pytest.raises(VqromError, match="cannot be written"):
        save_network(network, tmp_path / "absent" / "x.vqnet", CODEBOOK)
    assert not list(tmp_path.iterdir())
