"""The check that a program computes what its network says, whatever the units' speeds are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.command_interpreter import Interpreter
from tests.random_networks import NetworkBuilder
from vqrom_hw.config import PRESETS, AcceleratorConfig
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import CompiledNetwork, Program, Stage, compile_network
from vqrom_sw.network import INPUT, QuantizedNetwork
from vqrom_sw.reference import quantize_input, run_layers, run_reference


def config_of(preset: str, **changes: Any) -> AcceleratorConfig:
    """A preset with some parameters changed."""
    return AcceleratorConfig(**(PRESETS[preset] | changes))


def check_program(builder: NetworkBuilder, codebook: UniversalCodebook,
                  config: AcceleratorConfig, apart: int = 2, **options: Any) -> Program:
    """Compile a network, run it, and compare its output with the integer reference's.

    Parameters
    ----------
    builder:
        Makes the network and an input.
    codebook:
        The network's codebook.
    config:
        The accelerator.
    apart:
        Runs with units at random speeds, beside the one in list order.
    options:
        Keyword arguments of :func:`vqrom_sw.compiler.compile_network`.

    Returns
    -------
    Program
        The program, for further checks.
    """
    network = builder.build()
    program = compile_network(network, codebook.codewords, config, **options)
    inputs = quantize_input(network, builder.images(1))
    expected = run_reference(network, codebook, inputs)[network.layers[-1].name]
    image = program.input_image(inputs, network.input_quantization.zero_point)[0]
    for seed in range(apart + 1):
        run = Interpreter(program, codebook.codewords, image, seed)
        if seed:
            run.run_apart(np.random.default_rng(seed))
        else:
            run.run_in_order()
        np.testing.assert_array_equal(program.output_maps(run.output[None]), expected)
    return program


def check_programs(compiled: CompiledNetwork, codebook: UniversalCodebook, inputs: np.ndarray,
                   runs: int = 1) -> None:
    """Run all stages, and compare every map that crosses with the integer reference's.

    Parameters
    ----------
    compiled:
        The stages and their programs, with contents.
    codebook:
        The network's codebook.
    inputs:
        int8 ``[1, H, W, C]``.
    runs:
        Times that the network runs: first in list order, then with units at random speeds.
    """
    network = compiled.network
    expected = run_reference(network, codebook, inputs)
    for seed in range(runs):
        maps = {INPUT: inputs}
        for stage, program in zip(compiled.stages, compiled.programs, strict=True):
            if program is None:
                found = run_layers(network, codebook, stage.layers, maps)
            else:
                found = _run_stage(program, stage, network, codebook, maps, seed)
            for given, values in found.items():
                np.testing.assert_array_equal(values, expected[given], err_msg=given)
            maps |= {given: found[given] for given in stage.outputs}


def _run_stage(program: Program, stage: Stage, network: QuantizedNetwork,
               codebook: UniversalCodebook, maps: dict[str, np.ndarray],
               seed: int) -> dict[str, np.ndarray]:
    """The maps that a stage of the accelerator gives, in list order or with units apart."""
    image = program.input_images(
        [maps[name] for name in stage.inputs],
        [network.quantization_of(name).zero_point for name in stage.inputs])[0]
    run = Interpreter(program, codebook.codewords, image, seed)
    if seed:
        run.run_apart(np.random.default_rng(seed))
    else:
        run.run_in_order()
    found = program.all_output_maps(run.output[None])
    return dict(zip(stage.outputs, found, strict=True))
