"""The compiler: a quantised network into a program for one accelerator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.commands import Destination, Opcode, Region, Source, Stream
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError

from .allocation import place_feature_maps
from .network import INPUT, Add, Conv, GlobalAveragePool, Host, Layer, MaxPool, QuantizedNetwork
from .program import Assembler, Operation, Placement, Program
from .streams import parameter_packet, uniform_parameters, weight_packet

IDENTITY = (1 << 30, 1)
"""Multiplier and shift of an exact 1.0."""


def compile_network(network: QuantizedNetwork, codewords: np.ndarray,
                    config: AcceleratorConfig) -> Program:
    """Compile a network for the accelerator of ``config`` with ``codewords`` in its ROM.

    Parameters
    ----------
    network:
        Quantised network.
    codewords:
        int8 ``[k, d]``.
    config:
        Accelerator.

    Raises
    ------
    VqromError
        If the network belongs to another codebook, or a layer does not fit the accelerator.
    """
    digest = codebook_sha256(codewords)
    if digest != network.codebook_sha256:
        raise VqromError(f"network {network.name!r} must run on its own codebook "
                         f"{network.codebook_sha256[:12]}, not {digest[:12]!r}")
    beyond = beyond_accelerator(network)
    if beyond:
        raise VqromError(f"layer {beyond[0]}: must be one that the accelerator does; "
                         "the reference engine runs it on the host")
    maps = place_feature_maps(network, config)
    names = ("load", *(layer.name for layer in network.layers), "store")
    output = maps[network.layers[-1].name]
    operations = [_transfer(0, Opcode.LOAD, Region.INPUT, maps[INPUT], config)]
    for number, layer in enumerate(network.layers, start=1):
        lowering = _Lowering(network, codewords, config, maps, number)
        operations += lowering.operations(layer)
    operations.append(_transfer(len(names) - 1, Opcode.STORE, Region.OUTPUT, output, config))
    commands, constants, moved = Assembler(config).assemble(operations, len(names))
    return Program(config, names, commands, constants, maps[INPUT], output, tuple(moved),
                   _cycle_limit(operations, len(commands + constants), config))


def beyond_accelerator(network: QuantizedNetwork) -> list[str]:
    """Name and kind of each layer that only the reference engine runs, on the host."""
    return [f"{layer.name!r} ({layer.operation})" if isinstance(layer, Host)
            else f"{layer.name!r} (conv with {layer.groups} groups)" for layer in network.layers
            if isinstance(layer, Host) or (isinstance(layer, Conv) and layer.groups != 1)]


def _cycle_limit(operations: list[Operation], fetched: int, config: AcceleratorConfig) -> int:
    """Many times what memory accesses one after the other and the loops' steps could take."""
    steps = fetched + sum(operation.steps for operation in operations)
    return 100_000 + (len(operations) + steps) * (config.columns + config.dram_latency)


def _transfer(number: int, opcode: Opcode, region: Region, place: Placement,
              config: AcceleratorConfig) -> Operation:
    beats = -(-place.words * config.rows // config.beat_bytes)
    # A store fills its last beat; a load leaves what its last beat holds beyond the map.
    words = place.words if opcode == Opcode.LOAD else -(-beats * config.beat_bytes // config.rows)
    return Operation(number, {"opcode": opcode, "region": region, "beats": beats,
                              "act_base": place.base, "words": words})


class _Lowering:
    """Operations of one layer."""

    def __init__(self, network: QuantizedNetwork, codewords: np.ndarray, config: AcceleratorConfig,
                 maps: dict[str, Placement], number: int):
        self._network = network
        self._codewords = codewords
        self._config = config
        self._maps = maps
        self._number = number

    def operations(self, layer: Layer) -> list[Operation]:
        if isinstance(layer, Conv):
            return list(self._conv(layer))
        if isinstance(layer, MaxPool):
            return [self._max_pool(layer)]
        if isinstance(layer, GlobalAveragePool):
            return list(self._average_pool(layer))
        if isinstance(layer, Add):
            return list(self._add(layer))
        raise TypeError(f"unknown layer class {type(layer).__name__}")

    def _conv(self, layer: Conv) -> Iterator[Operation]:
        """One COMPUTE per strip of output rows that the accumulators hold."""
        config = self._config
        source, target = self._maps[layer.inputs[0]], self._maps[layer.name]
        height, width, _ = layer.shape
        if width > config.accumulator_depth:
            raise VqromError(f"layer {layer.name!r}: output width must be at most "
                             f"accumulator_depth "
                             f"{config.accumulator_depth} of config {config.name!r}, not {width!r}")
        zero_point = self._network.quantization_of(layer.inputs[0]).zero_point
        weights = weight_packet(layer, self._codewords, config, zero_point)
        parameters = parameter_packet(weights.bias, layer.requantization)
        strip = config.accumulator_depth // width
        for first in range(0, height, strip):
            rows = min(strip, height - first)
            command = {
                "opcode": Opcode.COMPUTE, "raw": layer.raw is not None,
                "fills": weights.tiles * config.fill_steps,
                "parameter_groups": weights.column_tiles * config.post_groups,
                "pad_value": zero_point,
                "nest": _conv_nest(layer, source, first, rows, weights.column_tiles),
                "post": {
                    "source": Source.ACCUMULATOR, "destination": Destination.ACTIVATION,
                    "pixels": rows * width, "passes": weights.column_tiles,
                    "accumulator_stride": 1,
                    "out_base": target.base + first * width * target.channel_words,
                    "out_stride": target.channel_words,
                    **self._output_range(layer, layer.clamp),
                },
            }
            stream = Stream.INDEX if layer.raw is None else Stream.RAW_WEIGHT
            yield Operation(self._number, command, weights.content, stream, parameters)

    def _max_pool(self, layer: MaxPool) -> Operation:
        source, target = self._maps[layer.inputs[0]], self._maps[layer.name]
        _, width, _ = source.shape
        words = source.channel_words
        (kernel_y, kernel_x), (stride_y, stride_x) = layer.kernel, layer.stride
        top, left = layer.padding[:2]
        return Operation(self._number, {
            "opcode": Opcode.MAXPOOL,
            "nest": {
                "levels": [
                    _level(kernel_x, words, dx=1), _level(kernel_y, width * words, dy=1),
                    _level(words, 1),
                    _level(layer.shape[1], stride_x * words, dx=stride_x),
                    _level(layer.shape[0], stride_y * width * words, dy=stride_y), _level(1, 0),
                ],
                **_window_start(source, top, left),
            },
            "post": {"out_base": target.base},
        })

    def _average_pool(self, layer: GlobalAveragePool) -> Iterator[Operation]:
        """Sum all pixels of a word into one accumulator, then requantise it."""
        source, target = self._maps[layer.inputs[0]], self._maps[layer.name]
        pixels = source.shape[0] * source.shape[1]
        zero_point = self._network.quantization_of(layer.inputs[0]).zero_point
        scale = layer.requantization
        for word in range(source.channel_words):
            for section in self._sections():
                yield self._vector((-zero_point, *IDENTITY), source.base + word, {
                    "source": Source.ACTIVATION, "destination": Destination.ACCUMULATOR_ADD,
                    "pixels": pixels, "source_stride": source.channel_words, "section": section})
                yield self._vector((0, int(scale.multiplier[0]), int(scale.shift[0])), 0, {
                    "source": Source.ACCUMULATOR, "destination": Destination.ACTIVATION,
                    "pixels": 1, "out_base": target.base + word, "section": section,
                    **self._output_range(layer, (-128, 127))})

    def _add(self, layer: Add) -> Iterator[Operation]:
        """Both inputs rescaled into the accumulators, then their sum requantised."""
        target = self._maps[layer.name]
        depth = self._config.accumulator_depth
        scale = layer.requantization
        for first in range(0, target.words, depth):
            pixels = min(depth, target.words - first)
            for section in self._sections():
                common = {"pixels": pixels, "accumulator_stride": 1, "section": section}
                for name, requantization, destination in zip(
                        layer.inputs, layer.input_requantization,
                        (Destination.ACCUMULATOR_SET, Destination.ACCUMULATOR_ADD), strict=True):
                    zero_point = self._network.quantization_of(name).zero_point
                    yield self._vector(
                        (-(zero_point << 20), int(requantization.multiplier[0]),
                         int(requantization.shift[0])),
                        self._maps[name].base + first,
                        common | {"source": Source.ACTIVATION, "destination": destination,
                                  "pre_shift": 1, "source_stride": 1})
                yield self._vector(
                    (0, int(scale.multiplier[0]), int(scale.shift[0])), 0,
                    common | {"source": Source.ACCUMULATOR, "destination": Destination.ACTIVATION,
                              "out_base": target.base + first, "out_stride": 1,
                              **self._output_range(layer, layer.clamp)})

    def _sections(self) -> range:
        """Parts of a word that the lanes of one pass cover."""
        return range(self._config.rows // self._config.columns)

    def _vector(self, parameters: tuple[int, int, int], base: int,
                post: Mapping[str, object]) -> Operation:
        return Operation(self._number, {
            "opcode": Opcode.VECTOR, "act_base": base,
            "parameter_groups": self._config.post_groups, "post": {"passes": 1, **post},
        }, parameters=uniform_parameters(*parameters, self._config))

    def _output_range(self, layer: Layer, clamp: tuple[int, int]) -> dict[str, object]:
        return {"zero_point": layer.quantization.zero_point, "low": clamp[0], "high": clamp[1]}


def _level(count: int, stride: int, dy: int = 0, dx: int = 0) -> dict[str, int]:
    return {"count": count, "stride": stride, "dy": dy, "dx": dx}


def _window_start(source: Placement, top: int, left: int, skipped_rows: int = 0) -> dict[str, int]:
    """Where the first window starts, padding included."""
    height, width, _ = source.shape
    y0, x0 = skipped_rows - top, -left
    return {"base": source.base + (y0 * width + x0) * source.channel_words,
            "y0": y0, "x0": x0, "height": height, "width": width}


def _conv_nest(layer: Conv, source: Placement, first: int, rows: int,
               column_tiles: int) -> dict[str, object]:
    """Pixels innermost, then the reduction, then the column tiles."""
    words, width = source.channel_words, source.shape[1]
    (kernel_y, kernel_x), (stride_y, stride_x) = layer.kernel, layer.stride
    top, left = layer.padding[:2]
    return {
        "levels": [
            _level(layer.shape[1], stride_x * words, dx=stride_x),
            _level(rows, stride_y * width * words, dy=stride_y),
            _level(kernel_x, words, dx=1), _level(kernel_y, width * words, dy=1),
            _level(words, 1), _level(column_tiles, 0),
        ],
        **_window_start(source, top, left, first * stride_y),
    }
