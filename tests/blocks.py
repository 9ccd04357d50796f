"""Blocks of real networks, small and with random numbers, whose layers are more than convolutions.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.random_networks import NetworkBuilder
from vqrom_sw.network import Shape

SAME = (1, 1, 1, 1)


def squeeze_and_excitation(net: NetworkBuilder, source: str, reduced: int) -> str:
    """Channels scaled by what their means say."""
    channels = net.shape_of(source)[2]
    net.average_pool()
    net.linear(reduced)
    net.linear(channels)
    return net.elementwise("multiply", source, net.table())


def mobilenet_v3(net: NetworkBuilder, expanded: int = 20, out: int = 12) -> None:
    """An inverted residual with hard-swish and squeeze-and-excitation."""
    start = net.conv(out, padding=SAME)
    net.conv(expanded, (1, 1))
    net.table()
    net.conv(expanded, padding=SAME, groups=expanded)
    squeeze_and_excitation(net, net.table(), max(1, expanded // 4))
    net.add(start, net.conv(out, (1, 1)))


def dense(net: NetworkBuilder, growth: int = 6, layers: int = 3) -> None:
    """Each convolution reads the maps of all before it."""
    net.conv(growth, padding=SAME)
    for number in range(layers):
        before = net.last
        net.conv(2 * growth, (1, 1))
        net.concat(before, net.conv(growth, padding=SAME), rescale=bool(number % 2))
    net.conv(growth, (1, 1))
    net.window_average_pool()


def yolo_neck(net: NetworkBuilder, channels: int = 16) -> None:
    """A small map up-sampled and put beside a large one; the channels split and shuffled."""
    large = net.conv(channels, padding=SAME)
    net.conv(2 * channels, stride=(2, 2), padding=SAME)
    net.conv(channels // 2 + 3, (1, 1))
    net.concat(net.upsample(), large)
    whole = net.conv(channels, (1, 1))
    half = channels // 2
    left = net.select(range(half), source=whole)
    right = net.select(range(half, channels), source=whole)
    net.concat(right, net.conv(half, padding=SAME), left, rescale=False)
    net.select([*range(0, channels, 2), -1, *range(1, channels, 2)], clamp=True)
    net.conv(9, (1, 1))


def espcn(net: NetworkBuilder, colours: int = 3) -> None:
    """Super-resolution: channels become pixels; a tanh and PReLUs as tables."""
    net.conv(12, (5, 5), padding=(2, 2, 2, 2))
    net.table(by_channel=True)
    net.pad((1, 0, 1, 2), -7)
    net.conv(colours * 4)
    net.depth_to_space()


def u_net(net: NetworkBuilder, channels: int = 8, levels: int = 2) -> None:
    """A path down and a path up, joined by concatenation."""
    skips = []
    for level in range(levels):
        skips.append(net.conv(channels << level, padding=SAME))
        net.max_pool()
    net.conv(channels << levels, padding=SAME)
    for level in reversed(range(levels)):
        net.concat(skips[level], net.conv(channels << level, (1, 1), source=net.upsample()))
        net.conv(channels << level, padding=SAME)
    net.conv(2, (1, 1))


def gates(net: NetworkBuilder) -> None:
    """Every operator on two maps, with a map and with a pixel; padding that counts in a mean."""
    first = net.conv(13, padding=SAME)
    second = net.conv(13, (1, 1))
    net.average_pool()
    pixel = net.table(by_channel=True)
    for operator in ("subtract", "multiply", "maximum", "minimum", "add"):
        first = net.elementwise(operator, net.elementwise(operator, first, pixel), second)
    net.window_average_pool((3, 3), (1, 1), SAME, count_padding=True)


BLOCKS: dict[str, tuple[Shape, Callable[[NetworkBuilder], None]]] = {
    "MobileNetV3 block": ((9, 7, 3), mobilenet_v3),
    "dense block": ((8, 6, 3), dense),
    "YOLO neck": ((8, 10, 3), yolo_neck),
    "ESPCN": ((7, 6, 1), espcn),
    "U-Net": ((8, 12, 3), u_net),
    "gates": ((5, 6, 4), gates),
}
"""Each with the shape of its input."""
