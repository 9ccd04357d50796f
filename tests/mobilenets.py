"""MobileNetV1 and V2 for 224x224 images with random weights: many depthwise convolutions."""

from __future__ import annotations

from tests.random_networks import NetworkBuilder
from vqrom_sw.codebook import UniversalCodebook

SAME = (1, 1, 1, 1)
"""Padding with which a 3x3 convolution of stride 1 keeps the size of a map."""


def mobilenet_v1(codebook: UniversalCodebook, seed: int = 4) -> NetworkBuilder:
    """Make MobileNetV1 of width 1 with random weights (Howard et al., "MobileNets", 2017, table 1).
    """
    net = NetworkBuilder(codebook, (224, 224, 3), seed)
    net.conv(32, (3, 3), (2, 2), SAME)
    channels = 32
    for outputs, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
                            *((512, 1),) * 5, (1024, 2), (1024, 1)):
        net.conv(channels, (3, 3), (stride, stride), SAME, groups=channels)
        net.conv(outputs, (1, 1))
        channels = outputs
    net.average_pool()
    net.conv(1000, (1, 1), kind="linear")
    return net


def mobilenet_v2(codebook: UniversalCodebook, seed: int = 5) -> NetworkBuilder:
    """Make MobileNetV2 of width 1 with random weights (Sandler et al., "MobileNetV2", CVPR 2018,
    table 2)."""
    net = NetworkBuilder(codebook, (224, 224, 3), seed)
    last, channels = net.conv(32, (3, 3), (2, 2), SAME), 32
    for expansion, outputs, repeats, stride in (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1)):
        for number in range(repeats):
            step, wide = stride if number == 0 else 1, expansion * channels
            before = last
            if expansion > 1:
                net.conv(wide, (1, 1), source=before)
            net.conv(wide, (3, 3), (step, step), SAME, groups=wide)
            last = net.conv(outputs, (1, 1))
            if step == 1 and outputs == channels:
                last = net.add(before, last)
            channels = outputs
    net.conv(1280, (1, 1))
    net.average_pool()
    net.conv(1000, (1, 1), kind="linear")
    return net
