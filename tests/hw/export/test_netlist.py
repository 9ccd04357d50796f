"""What other tools make of the Verilog: names, synthesis for FPGAs, and paths through the buses."""

import pytest

from tests.hw.export.test_design import CONFIGS, codebook_of
from vqrom_hw.config import load_config
from vqrom_hw.export import VERILOG, generate, run_yosys

TO_CELLS = ("hierarchy -top vqrom", "proc", "flatten", "memory_dff", "memory_collect",
            "memory_map t:$mem_v2 r:RD_CLK_ENABLE=1'0 %i", "opt_clean")
"""What is read without a clock becomes logic; every other memory ends a path, as flip-flops do."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Folder of the generated preset."""
    folder = tmp_path_factory.mktemp("tiny")
    config = load_config("tiny")
    generate(config, codebook_of(config), folder)
    return folder


@pytest.mark.parametrize("name", CONFIGS)
def test_every_name_is_a_plain_identifier(name, tmp_path):
    """No name that Verilog must escape, as tools that split or join vectors stumble over them."""
    config = CONFIGS[name]
    generate(config, codebook_of(config), tmp_path)
    assert "\\" not in (tmp_path / VERILOG).read_text(encoding="utf-8")


@pytest.mark.parametrize("family", ["xilinx", "gowin", "nexus", "intel_alm"])
def test_synthesis_for_fpgas(tiny, family):
    """As far as the mapping of memories; after it no name is made any more."""
    run_yosys((f"read_verilog {VERILOG}", f"synth_{family} -top vqrom -run begin:map_luts"), tiny)


def _check_paths(folder, verilog):
    run_yosys((
        f"read_verilog {verilog}", *TO_CELLS,
        "select -set reached i:* i:clk %d i:rst %d %co*:-$dff,$mem_v2",
        "select -assert-none @reached o:* %i"), folder)


def test_no_input_reaches_an_output_within_a_cycle(tmp_path):
    """AXI4, A3.2.1: no manager or subordinate may answer valid or ready by logic alone."""
    config = CONFIGS["usual"]
    generate(config, codebook_of(config), tmp_path)
    _check_paths(tmp_path, VERILOG)
    # The check itself finds such a path where there is one.
    text = (tmp_path / VERILOG).read_text(encoding="utf-8")
    csr = text.index("module csr (")
    assert "assign interrupt = " in text[csr:text.index("endmodule", csr)]
    (tmp_path / "path.v").write_text(text[:csr] + text[csr:].replace(
        "assign interrupt = ", "assign interrupt = awvalid & ", 1), encoding="utf-8")
    with pytest.raises(RuntimeError, match="selection is not empty"):
        _check_paths(tmp_path, "path.v")
