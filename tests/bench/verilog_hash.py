"""The SHA-256 of each preset's Verilog, compared with the committed table or written to it.

Run: ``python -m tests.bench.verilog_hash`` checks all designs (some minutes) and exits with
status 1 if one differs; ``--write`` writes the table anew, which is right only after a change of
the hardware that is meant.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from vqrom_hw.config import PRESETS, AcceleratorConfig, load_config
from vqrom_hw.export import generate

TABLE = Path(__file__).parents[1] / "hw/export/verilog_hashes.json"
"""The committed table: releases of the tools that made the Verilog, and hashes by design."""

TOOLS = ("amaranth", "pyosys")
"""The packages whose release decides about the text of the Verilog."""

FORMS = {"readmemh": ("rom", "readmemh"), "logic": ("rom", "logic"), "macro": ("rom", "macro"),
         "sram": ("sram", "readmemh")}
"""Forms of the codebook: ``codebook_storage`` and ``codebook_rom`` by a name for both."""

DESIGNS = tuple(f"{preset} {form}" for preset in PRESETS for form in FORMS)
"""All designs of the table: a preset and a form of the codebook."""


def releases() -> dict[str, str]:
    """The installed releases of the tools."""
    return {tool: version(tool) for tool in TOOLS}


def config_of_design(design: str) -> AcceleratorConfig:
    """The configuration of a design of :data:`DESIGNS`."""
    preset, form = design.split()
    storage, rom = FORMS[form]
    base = load_config(preset, subvector=4, codewords=256).model_dump()
    return AcceleratorConfig.model_validate(
        base | {"codebook_storage": storage, "codebook_rom": rom})


def verilog_hash(design: str) -> str:
    """SHA-256 of the Verilog of a design of :data:`DESIGNS`, with a codebook of random numbers."""
    codewords = np.random.default_rng(7).integers(-128, 128, (256, 4), dtype=np.int8)
    with tempfile.TemporaryDirectory() as folder:
        made = generate(config_of_design(design), codewords, Path(folder))
        return hashlib.sha256(made.verilog.read_bytes()).hexdigest()


def read_table() -> dict[str, dict[str, str]]:
    """The committed table: ``releases`` by tool, ``verilog`` hashes by design."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def differences(designs: Iterable[str]) -> Iterator[str]:
    """A line for each design whose Verilog is not the one of the table."""
    table = read_table()["verilog"]
    for design in designs:
        found = verilog_hash(design)
        if found != table[design]:
            yield f"{design}: the Verilog has SHA-256 {found}, the table {table[design]}"


def main() -> int:
    """Check or write the table; the exit status says whether all designs agree."""
    parser = argparse.ArgumentParser(description="Check the hashes of the presets' Verilog.")
    parser.add_argument("--write", action="store_true", help="write the table anew")
    if parser.parse_args().write:
        table = {"releases": releases(), "verilog": {
            design: verilog_hash(design) for design in DESIGNS}}
        TABLE.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
        return 0
    made_with = read_table()["releases"]
    if made_with != releases():
        print(f"the table was made with {made_with}, installed are {releases()}")
    different = list(differences(DESIGNS))
    print("\n".join(different) or f"{len(DESIGNS)} designs have the Verilog of the table")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
