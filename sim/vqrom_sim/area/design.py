"""A generated accelerator as synthesis takes it: checked, and cut into modules."""

from __future__ import annotations

import json
from pathlib import Path

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.export import METADATA, VERILOG
from vqrom_hw.weights import MACRO

from .codebook_verilog import rom_port
from .modules import split_modules


def check_design(config: AcceleratorConfig, directory: Path) -> str:
    """SHA-256 of the codebook in a generated design.

    Raises
    ------
    VqromError
        If the directory holds no design, or that of another configuration.
    """
    try:
        metadata = json.loads((directory / METADATA).read_text(encoding="utf-8"))
        parameters, sha256 = metadata["parameters"], metadata["codebook"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise VqromError(f"design {str(directory)!r} must hold a {METADATA!r} as vqrom generate "
                         "writes it") from None
    expected = config.model_dump(mode="json", exclude={"dram_latency"})
    for name, value in expected.items():
        if parameters.get(name) != value:
            raise VqromError(f"design {str(directory)!r} must have {name} {value!r}, as in config "
                             f"{config.name!r}, not {parameters.get(name)!r}")
    return sha256


def design_modules(config: AcceleratorConfig, directory: Path) -> dict[str, str]:
    """Verilog of every module of a generated design by name.

    A module that stands for the codebook's macro is written by the user; here it is one that
    synthesis keeps as a memory.
    """
    modules = split_modules((directory / VERILOG).read_text(encoding="utf-8"))
    if config.codebook_storage == "rom" and config.codebook_rom == "macro":
        modules[MACRO] = rom_port(config.codewords, config.codeword_width)
    return modules
