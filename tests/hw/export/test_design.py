"""The generated Verilog: clean under Verilator's lint, readable, the same every time."""

import gc
import json
import re
import subprocess

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import _nir as nir  # pyright: ignore[reportAttributeAccessIssue]

from tests.hw.simulation import SHAPES, config_of
from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_hw.export import c_header, generate
from vqrom_hw.isa import csr_map
from vqrom_sim.engines import require_tools
from vqrom_sim.engines.rtl.tools import tool_environment

CONFIGS = SHAPES | {"1024-bit bus": config_of(bus_width=1024), "tiny": load_config("tiny")}

STYLE = ("UNUSEDSIGNAL", "PROCASSINIT", "WIDTHEXPAND", "WIDTHTRUNC", "CASEOVERLAP", "DECLFILENAME",
         "SYMRSVDWORD")
"""How Yosys writes Verilog; everything else (latches, loops, undriven and missing pins) counts."""


def codebook_of(config):
    rng = np.random.default_rng(config.codewords)
    return rng.integers(-128, 128, (config.codewords, config.subvector)).astype(np.int8)


@pytest.mark.parametrize("name", CONFIGS)
def test_lint(name, tmp_path):
    config = CONFIGS[name]
    generate(config, codebook_of(config), tmp_path)
    ran = subprocess.run(
        [require_tools("verilator")["verilator"], "--lint-only", "-Wall",
         *(f"-Wno-{name}" for name in STYLE), "--top-module", "vqrom", "vqrom.v"],
        cwd=tmp_path, env=tool_environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]


def test_one_module_per_distinct_component(tmp_path):
    config = CONFIGS["usual"]
    generate(config, codebook_of(config), tmp_path)
    modules = re.findall(r"^module (\S+?) ?\(", (tmp_path / "vqrom.v").read_text(), re.MULTILINE)
    assert len(modules) == len(set(modules))
    assert sum("processing_element" in name for name in modules) == 1
    assert sum("codebook_rom" in name for name in modules) == 1
    assert not any(re.search(r"\$\d", name) for name in modules), "names as people write them"


def test_describes_what_it_is(tmp_path):
    config = CONFIGS["one column"]
    codebook = codebook_of(config)
    generate(config, codebook, tmp_path)
    described = json.loads((tmp_path / "vqrom.json").read_text())
    assert described["codebook"]["sha256"] == codebook_sha256(codebook)
    assert described["parameters"]["columns"] == 1
    text = (tmp_path / "vqrom.v").read_text()
    top = text[text.index("module vqrom("):]
    for port in described["ports"]:
        width = f"[{port['width'] - 1}:0] " if port["width"] > 1 else ""
        assert re.search(rf"^  {port['direction']} (wire )?{re.escape(width)}{port['name']};", top,
                         re.MULTILINE), port


def test_memory_file_is_the_codebook(tmp_path):
    config = CONFIGS["wide codeword"]
    codebook = codebook_of(config)
    generate(config, codebook, tmp_path)
    lines = [line for line in (tmp_path / "codebook.hex").read_text().splitlines()
             if not line.startswith("//")]
    read = [[*bytes.fromhex(line)][::-1] for line in lines]
    np.testing.assert_array_equal(np.array(read, np.uint8).view(np.int8), codebook)


def test_registers_for_a_driver(tmp_path):
    config = config_of()
    design = generate(config, codebook_of(config), tmp_path)
    assert design.header == tmp_path / "vqrom.h"
    assert design.header.read_text() == c_header(config)
    described = json.loads(design.metadata.read_text())
    assert described["csr"]["registers"] == csr_map()


def test_same_bytes_every_time(tmp_path):
    config = CONFIGS["one PE row"]
    for name in ("first", "second"):
        generate(config, codebook_of(config), tmp_path / name)
    for file in (tmp_path / "first").iterdir():
        assert file.read_bytes() == (tmp_path / "second" / file.name).read_bytes()


def test_conversion_leaves_no_trace(tmp_path, monkeypatch):
    """Garbage collection and Amaranth are afterwards what they were, also where it fails, and for
    those who have turned collection off themselves."""
    seen = []

    def convert(*_, **__):
        seen.append(gc.isenabled())
        raise RuntimeError("no netlist")

    replaced = (nir.Netlist.check_comb_cycles, nir.Value.__new__, rtlil.ModuleEmitter.emit_memory)
    monkeypatch.setattr("vqrom_hw.export.verilog.rtlil.convert", convert)
    config = CONFIGS["one column"]
    for enabled in (True, False):
        if not enabled:
            gc.disable()
        try:
            with pytest.raises(RuntimeError, match="no netlist"):
                generate(config, codebook_of(config), tmp_path)
            assert gc.isenabled() == enabled
            assert replaced == (nir.Netlist.check_comb_cycles, nir.Value.__new__,
                                rtlil.ModuleEmitter.emit_memory)
        finally:
            gc.enable()
    assert seen == [False, False]


def test_refuses_another_codebook_shape(tmp_path):
    with pytest.raises(VqromError, match="codebook must be int8 of shape"):
        generate(config_of(), np.zeros((3, 4), np.int8), tmp_path / "out")
