"""Accelerators that tests share, since each costs a Verilator build, and what holds on all of them:
the Verilog, the integer reference and PyTorch's integer convolution give the same bytes, the
Verilog and the cycle model the same counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from tests.hw.lib.test_requantizer import doubling_high_multiply, rounding_divide
from tests.random_networks import NetworkBuilder, random_codebook
from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_sim.engines import run_model, run_rtl
from vqrom_sim.engines.rtl.engine import RtlRun
from vqrom_sim.report import describe, hardware_figures
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import compile_network
from vqrom_sw.network import Conv, QuantizedNetwork
from vqrom_sw.reference import quantize_input, run_reference

TINY = load_config("tiny")

ODD = AcceleratorConfig(
    name="odd", subvector=2, codewords=20, rows=6, columns=3, decode_ports=5, post_lanes=1,
    vector_lanes=2, vector_columns=2, bus_width=128, activation_words=512, activation_banks=2,
    accumulator_depth=24, weight_fifo_beats=4, parameter_fifo_beats=4, vector_fifo_beats=4,
    activation_fifo_beats=4, max_burst_beats=4, command_queue=3)
"""Nothing is a power of two, the last step of a fill is short, maps are spilled and rows split."""

SRAM = AcceleratorConfig(
    name="sram", subvector=8, codewords=300, codebook_storage="sram", rows=16, columns=4,
    decode_ports=8, post_lanes=4, vector_lanes=16, vector_columns=3, bus_width=1024,
    activation_words=512, activation_banks=1, accumulator_depth=40, weight_fifo_beats=8,
    parameter_fifo_beats=8, vector_fifo_beats=8, activation_fifo_beats=8, max_burst_beats=8,
    command_queue=1)
"""A codebook that programs load, the widest bus, so that a command is a beat and a beat several
words, one bank for all, a tile a cycle."""

BANKED = AcceleratorConfig(**TINY.model_dump() | {
    "name": "banked", "activation_words": 512, "activation_banks": 16, "accumulator_depth": 40,
    "command_queue": 16, "dram_latency": 7})
"""As many banks and as long command queues as there may be, and maps are spilled."""

CONFIGS = {config.name: config for config in (TINY, ODD, SRAM)}
LATENCIES = (1, 7, 32, 200)
"""Cycles of the simulated DRAM; all run on one model."""


def with_latency(name: str, latency: int) -> AcceleratorConfig:
    """One of :data:`CONFIGS` beside another DRAM."""
    return CONFIGS[name].model_copy(update={"dram_latency": latency})


def check_engines(net: NetworkBuilder, config: AcceleratorConfig, images: int = 1,
                  **options: Any) -> RtlRun:
    """Run a builder's network on random inputs, :func:`check_network`."""
    return check_network(net.build(), random_codebook(config), config, net.images(images),
                         **options)


def check_network(network: QuantizedNetwork, codebook: UniversalCodebook,
                  config: AcceleratorConfig, inputs: np.ndarray, **options: Any) -> RtlRun:
    """Every byte of the outputs, every counter of every image and of every layer.

    Parameters
    ----------
    inputs:
        int8 ``[N, C, H, W]``.
    options:
        Of :func:`vqrom_sw.compiler.compile.compile_network`.
    """
    maps = quantize_input(network, inputs)
    program = compile_network(network, codebook.codewords, config, **options)
    run = run_rtl(program, codebook.codewords,
                  program.input_image(maps, network.input_quantization.zero_point))
    expected = run_reference(network, codebook, maps)
    check_convolutions(network, codebook, expected)
    np.testing.assert_array_equal(program.output_maps(run.outputs),
                                  expected[network.layers[-1].name])

    sizes = compile_network(network, codebook.codewords, config, contents=False, **options)
    model = run_model(sizes, len(maps))
    assert run.counters == model.counters
    layers = zip(program.layers, run.layer_counters, model.layer_counters, strict=True)
    for name, counted, modelled in layers:
        assert (name, counted) == (name, modelled)
    report = describe(network, codebook, config, len(maps), "either")
    assert hardware_figures(report, program, run) == hardware_figures(report, sizes, model)
    return run


def check_convolutions(network: QuantizedNetwork, codebook: UniversalCodebook,
                       maps: dict[str, np.ndarray]) -> None:
    """PyTorch's convolution of int64 tensors and TFLite's scalar requantisation, layer by layer."""
    for layer in network.layers:
        if isinstance(layer, Conv):
            np.testing.assert_array_equal(
                maps[layer.name], _convolution(network, layer, codebook, maps[layer.inputs[0]]))


def _convolution(network: QuantizedNetwork, layer: Conv, codebook: UniversalCodebook,
                 x: np.ndarray) -> np.ndarray:
    weights, channels = layer.raw, x.shape[3] // layer.groups
    if weights is None:
        weights = codebook.codewords[layer.indices].reshape(
            *layer.shape[2:], *layer.kernel, -1)[..., :channels]
    top, left, bottom, right = layer.padding
    centred = x.astype(np.int64) - network.quantization_of(layer.inputs[0]).zero_point
    planes = F.pad(torch.from_numpy(centred).permute(0, 3, 1, 2), (left, right, top, bottom))
    sums = F.conv2d(planes, torch.from_numpy(weights.astype(np.int64)).permute(0, 3, 1, 2),
                    torch.from_numpy(layer.bias.astype(np.int64)), layer.stride,
                    dilation=layer.dilation, groups=layer.groups)
    assert sums.dtype == torch.int64
    scaled = np.empty(sums.shape, np.int64)
    scales = zip(layer.requantization.multiplier.tolist(), layer.requantization.shift.tolist(),
                 strict=True)
    for channel, (multiplier, shift) in enumerate(scales):
        plane = [rounding_divide(doubling_high_multiply(value << max(shift, 0), multiplier),
                                 max(-shift, 0)) for value in sums[:, channel].flatten().tolist()]
        scaled[:, channel] = np.reshape(plane, sums[:, channel].shape)
    result = np.clip(scaled + layer.quantization.zero_point, *layer.clamp)
    return result.transpose(0, 2, 3, 1).astype(np.int8)
