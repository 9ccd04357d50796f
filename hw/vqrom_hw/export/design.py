"""What ``vqrom generate`` writes: Verilog, memory files and metadata of an accelerator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from amaranth.hdl import Shape

from vqrom_hw.accelerator import Accelerator
from vqrom_hw.bus import CSR_ADDRESS_BITS
from vqrom_hw.codebook import codebook_sha256, codewords_as_integers
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import (
    ACTIVITIES,
    COMMAND_BYTES,
    COUNTERS,
    Channel,
    ErrorCode,
    Opcode,
    Region,
    Stream,
    Unit,
    VectorOp,
    csr_map,
)

from .verilog import to_verilog

TOP = "vqrom"
VERILOG, ROM, METADATA = "vqrom.v", "codebook.hex", "vqrom.json"
SCHEMA = "vqrom.design/1"


@dataclass(frozen=True)
class GeneratedDesign:
    """Files of a generated accelerator."""

    directory: Path
    verilog: Path
    rom: Path
    metadata: Path


def generate(config: AcceleratorConfig, codewords: np.ndarray, directory: Path) -> GeneratedDesign:
    """Write the accelerator into a directory, which is made if absent.

    Parameters
    ----------
    config:
        Dimensions.
    codewords:
        int8 ``[k, d]``: the ROM's contents.
    directory:
        Where ``vqrom.v``, ``codebook.hex`` and ``vqrom.json`` go; existing ones are replaced.

    Raises
    ------
    VqromError
        If the codebook does not fit the configuration.
    """
    design = GeneratedDesign(directory, directory / VERILOG, directory / ROM, directory / METADATA)
    accelerator = Accelerator(config, codewords)
    directory.mkdir(parents=True, exist_ok=True)
    design.verilog.write_text(to_verilog(accelerator, TOP, ROM), encoding="utf-8")
    digits = config.codeword_width // 4
    design.rom.write_text(
        "".join(f"{word:0{digits}x}\n" for word in codewords_as_integers(codewords)),
        encoding="ascii")
    metadata = design_metadata(config, codewords, accelerator)
    design.metadata.write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    return design


def design_metadata(config: AcceleratorConfig, codewords: np.ndarray,
                    accelerator: Accelerator) -> dict[str, object]:
    """Contents of ``vqrom.json``: ports, parameters, register map, codebook."""
    ports = [
        {"name": name, "direction": "output" if member.flow.name == "Out" else "input",
         "width": Shape.cast(member.shape).width}
        for name, member in accelerator.signature.members.items()
    ]
    return {
        "schema": SCHEMA,
        "top": TOP,
        "files": {"verilog": VERILOG, "codebook": ROM},
        "parameters": config.model_dump(exclude={"dram_latency"}),
        "ports": [{"name": "clk", "direction": "input", "width": 1},
                  {"name": "rst", "direction": "input", "width": 1}, *ports],
        "csr": {"address_bits": CSR_ADDRESS_BITS, "registers": csr_map()},
        "counters": list(COUNTERS),
        "activities": list(ACTIVITIES),
        "commands": {"bytes": COMMAND_BYTES, **{
            name: {member.name: int(member) for member in members}
            for name, members in (("opcodes", Opcode), ("units", Unit), ("channels", Channel),
                                  ("streams", Stream), ("regions", Region),
                                  ("vector_operations", VectorOp), ("errors", ErrorCode))}},
        "codebook": {"codewords": config.codewords, "subvector": config.subvector,
                     "sha256": codebook_sha256(codewords)},
    }
