"""Networks that join and split maps along whole channel words."""

from __future__ import annotations

import numpy as np

from tests.random_layers import Padding
from tests.random_networks import NetworkBuilder, random_codebook, random_vector_layer
from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.arithmetic import Quantization


class AlikeBuilder(NetworkBuilder):
    """Makes networks all of whose maps have one quantisation, so that joining changes nothing."""

    def _quantization(self) -> Quantization:
        return Quantization(1.0, 3)


def dense(net: NetworkBuilder, lanes: int) -> None:
    """Two layers that read all before them, joined to what they read, and one that reads all."""
    joined = net.concat(net.conv(2 * lanes, (1, 1)), net.conv(lanes, padding=(1, 1, 1, 1)),
                        rescale=False)
    net.concat(joined, net.conv(lanes, padding=(1, 1, 1, 1)), rescale=False)
    net.conv(5, (1, 1))


def split(net: NetworkBuilder, lanes: int) -> None:
    """Half of the channels pass a pooling and a table, and come together with the others."""
    base = net.conv(4 * lanes, (1, 1))
    first, second = (net.select(range(low, low + 2 * lanes), source=base)
                     for low in (0, 2 * lanes))
    pooled = net.max_pool((3, 3), (1, 1), (1, 1, 1, 1), source=second)
    net.concat(net.table(source=pooled), first, second, rescale=False)
    net.conv(5, (1, 1))


def random_crop(rng: np.random.Generator, height: int, width: int) -> Padding:
    """Rows and columns to take off a map, and now and then to add."""
    top, bottom = rng.multinomial(rng.integers(height), (0.5, 0.5))
    left, right = rng.multinomial(rng.integers(width), (0.5, 0.5)) * rng.integers(2)
    more = int(rng.random() < 0.2)
    return more - int(top), -int(left), -int(bottom), more - int(right)


def random_joins(config: AcceleratorConfig, seed: int) -> NetworkBuilder:
    """Random layers, and concatenations and splits of whole words of what they make."""
    rng = np.random.default_rng(seed)
    lanes = config.rows
    height, width = map(int, rng.integers(1, 8, 2))
    net = AlikeBuilder(random_codebook(config), (height, width, 3), seed)
    maps = [net.conv(lanes * int(rng.integers(1, 4)), (1, 1)), net.conv(lanes, (1, 1))]
    for _ in range(rng.integers(3, 8)):
        source = maps[rng.integers(len(maps))]
        size, channels = net.shape_of(source)[:2], net.shape_of(source)[2]
        alike = [name for name in maps if net.shape_of(name)[:2] == size]
        kind = rng.random()
        if kind < 0.35:
            maps.append(net.concat(*(alike[rng.integers(len(alike))]
                                     for _ in range(rng.integers(1, 4))), rescale=False))
        elif kind < 0.55 and channels > lanes:
            low, high = np.sort(rng.choice(channels // lanes + 1, 2, replace=False)) * lanes
            maps.append(net.select(range(low, min(int(high), channels)), source=source))
        elif kind < 0.65:
            maps.append(net.pad(random_crop(rng, *size), source=source))
        elif kind < 0.75:
            maps.append(random_vector_layer(net, rng, source, maps))
        elif kind < 0.85:
            maps.append(net.max_pool((1, 1), (1, 1), source=source))
        elif kind < 0.9:
            maps.append(net.conv(channels, (1, 1), source=source, groups=channels))
        else:
            maps.append(net.conv(lanes * int(rng.integers(1, 3)), (1, 1), source=source))
    net.conv(5, (1, 1))
    return net
