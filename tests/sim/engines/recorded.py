"""A recorded run that several tests look at: a network of many kinds of layers on ``tiny``."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.random_networks import mixed_network, random_codebook
from tests.sim.engines.engine_checks import TINY
from vqrom_hw.errors import VqromError
from vqrom_sim.engines import Recording, record, require_headers
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Program, compile_network
from vqrom_sw.reference import quantize_input

ARRAY = "vqrom.compute_unit.processing_array"
PE = f"{ARRAY}.processing_element_0_0"
LOADER = "vqrom.compute_unit.weight_loader"
IMAGES = 2


def need_headers() -> None:
    """Skip a test where models with waves cannot be built; the reason says what is missing."""
    try:
        require_headers()
    except VqromError as error:
        pytest.skip(str(error))


@cache
def recorded_program() -> tuple[Program, UniversalCodebook, np.ndarray]:
    """A compiled network, its codebook, and region INPUT of two images."""
    codebook = random_codebook(TINY)
    builder = mixed_network(codebook)
    network = builder.build()
    program = compile_network(network, codebook.codewords, TINY)
    maps = quantize_input(network, builder.images(IMAGES))
    return program, codebook, program.input_image(maps, network.input_quantization.zero_point)


@cache
def whole_recording() -> Recording:
    """All cycles of both images."""
    need_headers()
    program, codebook, images = recorded_program()
    return record(program, codebook.codewords, images, ["vqrom", LOADER, ARRAY, PE])
