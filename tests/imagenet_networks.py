"""ResNets for 224x224 images with random weights: the workloads that simulators are compared on."""

from __future__ import annotations

from tests.random_networks import NetworkBuilder
from vqrom_sw.codebook import UniversalCodebook

SAME = (1, 1, 1, 1)
"""Padding with which a 3x3 convolution keeps the size of a map."""


def resnet18(codebook: UniversalCodebook, seed: int = 3, raw: bool = False) -> NetworkBuilder:
    """Make ResNet-18 with random weights, projections where the shape changes.

    Every layer has indices, or int8 weights if ``raw`` (He et al., "Deep Residual Learning for
    Image Recognition", CVPR 2016, table 1).
    """
    net = NetworkBuilder(codebook, (224, 224, 3), seed)
    net.conv(64, (7, 7), (2, 2), (3, 3, 3, 3), raw=raw)
    last = net.max_pool((3, 3), (2, 2), SAME)
    for channels, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for block in range(2):
            step = stride if block == 0 else 1
            net.conv(channels, (3, 3), (step, step), SAME, source=last, raw=raw)
            main = net.conv(channels, padding=SAME, raw=raw)
            shortcut = last
            if step == 2:
                shortcut = net.conv(channels, (1, 1), (2, 2), source=last, raw=raw)
            last = net.add(main, shortcut)
    net.average_pool()
    net.conv(1000, (1, 1), raw=raw, kind="linear")
    return net
