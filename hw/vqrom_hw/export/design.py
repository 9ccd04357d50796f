"""The files of a generated accelerator: Verilog, memory file, metadata and C header."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from amaranth.hdl import Shape

from vqrom_hw.accelerator import Accelerator
from vqrom_hw.codebook import codewords_as_integers
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import (
    ACTIVITIES,
    COMMAND_BYTES,
    COUNTERS,
    REGISTER_ADDRESS_BITS,
    Channel,
    ErrorCode,
    Opcode,
    Region,
    Stream,
    Unit,
    VectorOp,
    csr_map,
)

from .registers import HEADER, c_header
from .verilog import to_verilog

TOP = "vqrom"
"""Name of the top module."""

VERILOG, ROM, METADATA = "vqrom.v", "codebook.hex", "vqrom.json"
"""Names of the Verilog, of the codebook that its ROM reads, and of the metadata."""

SCHEMA = "vqrom.design/1"
"""What the metadata say that they are; the number grows when a reader must change."""


@dataclass(frozen=True)
class GeneratedDesign:
    """Where the files of a generated accelerator are.

    Members
    -------
    directory:
        The directory of all of them.
    verilog:
        ``vqrom.v``: all modules, the top module ``vqrom`` last.
    rom:
        ``codebook.hex``: a codeword in hexadecimal a line, its first weight in the lowest byte.
    metadata:
        ``vqrom.json``: ports, parameters, register map, numbers of the command set, codebook hash.
    header:
        ``vqrom.h``: registers for a driver in C.
    """

    directory: Path
    verilog: Path
    rom: Path
    metadata: Path
    header: Path


def generate(config: AcceleratorConfig, codewords: np.ndarray, directory: Path) -> GeneratedDesign:
    """Write an accelerator into a directory, which is made if absent.

    The same configuration and codebook give the same bytes with the same releases of Amaranth and
    Yosys.

    Parameters
    ----------
    config:
        The accelerator's dimensions.
    codewords:
        int8 ``[config.codewords, config.subvector]``: the ROM's contents.
    directory:
        Where ``vqrom.v``, ``codebook.hex``, ``vqrom.json`` and ``vqrom.h`` go; existing ones are
        replaced.

    Raises
    ------
    VqromError
        If the codebook does not fit the configuration.
    """
    design = GeneratedDesign(directory, *(directory / name for name in (
        VERILOG, ROM, METADATA, HEADER)))
    accelerator = Accelerator(config, codewords)
    directory.mkdir(parents=True, exist_ok=True)
    design.verilog.write_text(to_verilog(accelerator, TOP, ROM), encoding="utf-8")
    digits = config.codeword_width // 4
    design.rom.write_text(
        "".join(f"{word:0{digits}x}\n" for word in codewords_as_integers(codewords)),
        encoding="ascii")
    metadata = design_metadata(config, accelerator)
    design.metadata.write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    design.header.write_text(c_header(config), encoding="ascii")
    return design


def design_metadata(config: AcceleratorConfig, accelerator: Accelerator) -> dict[str, object]:
    """Contents of ``vqrom.json``, which tell software about a design without reading its Verilog.

    Parameters
    ----------
    config:
        What the accelerator was made of.
    accelerator:
        The top level, whose ports and codebook are listed.

    Returns
    -------
    dict
        Objects that JSON can hold: the top module's ports, the parameters, the register map, names
        of counters, numbers of the command set, and the codebook's shape and SHA-256.
    """
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
        "csr": {"address_bits": REGISTER_ADDRESS_BITS, "registers": csr_map()},
        "counters": list(COUNTERS),
        "activities": list(ACTIVITIES),
        "commands": {"bytes": COMMAND_BYTES, **{
            name: {member.name: int(member) for member in members}
            for name, members in (("opcodes", Opcode), ("units", Unit), ("channels", Channel),
                                  ("streams", Stream), ("regions", Region),
                                  ("vector_operations", VectorOp), ("errors", ErrorCode))}},
        "codebook": {"codewords": config.codewords, "subvector": config.subvector,
                     "sha256": accelerator.codebook_sha256},
    }
