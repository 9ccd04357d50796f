"""Small networks with host layers and several outputs, which are cut into stages in many ways."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.random_networks import NetworkBuilder, random_vector_layer
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import INPUT, QuantizedNetwork


def host_first(codebook: UniversalCodebook) -> QuantizedNetwork:
    net = NetworkBuilder(codebook, (6, 5, 5))
    net.host()
    net.conv(9, padding=(1, 1, 1, 1))
    return net.build()


def host_last(codebook: UniversalCodebook) -> QuantizedNetwork:
    net = NetworkBuilder(codebook, (6, 5, 5))
    net.conv(9)
    net.max_pool()
    net.host()
    return net.build()


def host_between(codebook: UniversalCodebook) -> QuantizedNetwork:
    net = NetworkBuilder(codebook, (8, 7, 3))
    net.conv(12, (3, 3), (2, 2), (1, 1, 1, 1))
    net.host()
    net.conv(20, (3, 3))
    return net.build()


def crossing_twice(codebook: UniversalCodebook) -> QuantizedNetwork:
    """A map that the host reads, and the accelerator again, beside what the host made of it."""
    net = NetworkBuilder(codebook, (7, 6, 8))
    first = net.conv(8, padding=(1, 1, 1, 1))
    made = net.host()
    net.conv(8, (1, 1))
    net.add(first, net.conv(8, padding=(1, 1, 1, 1), source=made))
    net.host()
    net.conv(5)
    return net.build()


def read_by_both(codebook: UniversalCodebook) -> QuantizedNetwork:
    """A map whose stage goes on with it, and which the host reads, too."""
    net = NetworkBuilder(codebook, (7, 6, 8))
    first = net.conv(8, padding=(1, 1, 1, 1))
    second = net.conv(8, padding=(1, 1, 1, 1))
    third = net.max_pool((3, 3), (1, 1), (1, 1, 1, 1), source=second)
    beside = net.host(first, second)
    net.add(beside, third)
    return net.build()


def two_outputs(codebook: UniversalCodebook) -> QuantizedNetwork:
    """Both read on: one by a pooling whose last map row nobody needs, one by the host."""
    net = NetworkBuilder(codebook, (9, 6, 6))
    first = net.conv(8, padding=(1, 1, 1, 1))
    net.max_pool()
    second = net.conv(11)
    net.host()
    return net.build(outputs=(first, second))


def two_heads(codebook: UniversalCodebook) -> QuantizedNetwork:
    """Four outputs, without a host layer."""
    net = NetworkBuilder(codebook, (8, 6, 6))
    trunk = net.conv(20, padding=(1, 1, 1, 1))
    heads = [net.conv(3, (1, 1), source=trunk), net.conv(19, (3, 3), source=trunk)]
    return net.build(outputs=(trunk, *heads, net.max_pool(source=trunk)))


def several_inputs(codebook: UniversalCodebook) -> QuantizedNetwork:
    """A stage that reads three maps: of few channels and of many, one of them in two layers."""
    net = NetworkBuilder(codebook, (8, 6, 2))
    narrow = net.host(INPUT)
    wide = net.conv(21, source=INPUT, padding=(1, 1, 1, 1))
    made = net.host(wide)
    added = net.add(made, net.conv(21, (3, 3), padding=(1, 1, 1, 1), source=narrow))
    net.add(added, wide)
    net.add(net.conv(21, (1, 1)), made)
    return net.build()


NETWORKS: dict[str, Callable[[UniversalCodebook], QuantizedNetwork]] = {
    build.__name__: build for build in (host_first, host_last, host_between, crossing_twice,
                                        read_by_both, two_outputs, two_heads, several_inputs)}


def random_inputs(network: QuantizedNetwork, count: int = 1) -> np.ndarray:
    """Random inputs of a network, int8 ``[count, C, H, W]``."""
    height, width, channels = network.input_shape
    return np.random.default_rng(3).integers(
        -128, 128, (count, channels, height, width)).astype(np.int8)


def random_stages(codebook: UniversalCodebook, seed: int) -> QuantizedNetwork:
    """Two to seven layers of any kind, some of them on the host, with one to three outputs.

    Sizes are odd, strides may be greater than kernels, any map may be read by several layers, or
    twice by one, and by later layers and as an output.
    """
    rng = np.random.default_rng(seed)
    height, width, channels = (int(rng.integers(1, most)) for most in (13, 13, 20))
    net = NetworkBuilder(codebook, (height, width, channels), seed)
    names = [net.conv(int(rng.integers(1, 22)), (1, 1))]
    for _ in range(rng.integers(1, 7)):
        source = names[-1] if rng.integers(2) else names[rng.integers(len(names))]
        height, width, channels = net.shape_of(source)
        kind = rng.integers(10) if height * width * channels < 6000 else 0
        kernel = (int(rng.integers(1, min(height, 4) + 1)), int(rng.integers(1, min(width, 4) + 1)))
        stride = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        if kind < 3:
            names.append(net.conv(int(rng.integers(1, 22)), kernel, stride=stride, source=source))
        elif kind == 3:
            names.append(net.max_pool(kernel, stride, source=source))
        elif kind < 6:
            names.append(net.host(source))
        else:
            names.append(random_vector_layer(net, rng, source, names))
    outputs = {names[-1], *(names[number] for number in rng.integers(len(names), size=2))}
    return net.build(outputs=sorted(outputs, key=names.index))
