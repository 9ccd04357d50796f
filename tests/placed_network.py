"""A compiled network in a memory, with one input and the output that must come of it."""

from __future__ import annotations

import numpy as np

from tests.random_networks import NetworkBuilder
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Region
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Program, compile_network
from vqrom_sw.reference import output_of, quantize_input, run_reference

REGIONS = tuple(region.name.lower() for region in Region)


class PlacedNetwork:
    """A network, compiled, with one input, its place in memory and what must come out.

    Parameters
    ----------
    builder:
        The network, with random inputs of its own.
    codebook, config:
        The accelerator that it is compiled for.
    first:
        Byte address of the first block; with it bursts meet 4 KiB boundaries elsewhere.

    Members
    -------
    program:
        The compiled program.
    expected:
        Output of the integer reference.
    blocks:
        Bytes of the program, the constants and the input, by name.
    places, sizes:
        Byte address and number of bytes of each of those, of the output and of scratch.
    end:
        The first byte address behind all of them.
    """

    def __init__(self, builder: NetworkBuilder, codebook: UniversalCodebook,
                 config: AcceleratorConfig, first: int = 0) -> None:
        network = builder.build()
        self.program: Program = compile_network(network, codebook.codewords, config)
        inputs = quantize_input(network, builder.images(1))
        self.expected = output_of(network, run_reference(network, codebook, inputs))
        self.blocks = {"program": self.program.commands, "constant": self.program.constants,
                       "input": self.program.input_image(
                           inputs, network.input_quantization.zero_point).tobytes()}
        self.sizes = {name: len(block) for name, block in self.blocks.items()} | {
            "output": self.program.output_bytes, "scratch": self.program.scratch_bytes}
        self.places: dict[str, int] = {}
        self.end = first
        for name, size in self.sizes.items():
            self.places[name] = self.end
            self.end += -(-size // 64) * 64

    @property
    def image(self) -> bytes:
        """First contents of the memory, from address 0 on."""
        image = bytearray(self.end)
        for name, block in self.blocks.items():
            image[self.places[name]:self.places[name] + len(block)] = block
        return bytes(image)

    @property
    def csr(self) -> dict[str, int]:
        """Registers for a run."""
        return {"program_address": self.places["program"],
                "program_beats": self.program.program_beats,
                "program_limit": self.sizes["program"],
                **{f"base_{name}": self.places[name] for name in REGIONS},
                **{f"limit_{name}": self.sizes[name] for name in REGIONS}}

    def output(self, memory: bytes, first: int = 0) -> np.ndarray:
        """Outputs in a dump of the memory that begins at an address, as the reference has them."""
        place = self.places["output"] - first
        part = np.frombuffer(memory[place:place + self.program.output_bytes], np.uint8)
        return self.program.output_maps(part[None]).transpose(0, 3, 1, 2)
