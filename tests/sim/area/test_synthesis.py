"""Synthesis of single modules: what stays a memory, what the library lacks, what is no Verilog."""

from __future__ import annotations

from pathlib import Path

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.area import split_modules, synthesize
from vqrom_sim.area.codebook_verilog import rom_port
from vqrom_sim.area.liberty import generic_liberty
from vqrom_sim.area.modules import black_box, kept_memories

GENERIC = (generic_liberty(),)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of each test's own: results are computed, not remembered."""
    monkeypatch.setenv("VQROM_CACHE", str(tmp_path / "cache"))


def memory(words: int, *, clocked: bool) -> str:
    """Verilog of a memory of 64-bit words, read with or without a clock."""
    read = ("always @(posedge clk) out <= words[to];" if clocked
            else "always @* out = words[to];")
    return f"""module memory (clk, write, to, data, out);
  input clk;
  input write;
  input [7:0] to;
  input [63:0] data;
  output reg [63:0] out;
  reg [63:0] words [{words - 1}:0];
  {read}
  always @(posedge clk) if (write) words[to] <= data;
endmodule
"""


@pytest.mark.parametrize(("words", "clocked", "kept"), [
    (16, True, True),
    (16, False, False),  # No macro is read without a clock.
    (15, True, False)])  # No macro is that shallow.
def test_which_memories_stay(tmp_path: Path, words: int, clocked: bool, kept: bool) -> None:
    found = synthesize({"memory": memory(words, clocked=clocked)}, GENERIC, tmp_path)["memory"]
    if kept:
        one, = found.memories
        assert (one.words, one.width, one.synchronous) == (words, 64, True)
        assert found.cells.get("DFF", 0) == 0
    else:
        assert not found.memories
        assert found.cells["DFF"] == 64 * (words + clocked)


def test_a_macro_of_the_codebook_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "codebook.hex").write_text("55\n66\n78\n80\n")  # Every column is another.
    texts = {"vqrom_codebook_rom": rom_port(4, 8), "port": rom_port(4, 8, "port")}
    found = synthesize(texts, GENERIC, tmp_path)
    one, = found["vqrom_codebook_rom"].memories
    assert (one.kind, one.words, one.width, one.read_ports) == ("rom", 4, 8, 1)
    assert not found["port"].memories and found["port"].cells["DFF"] >= 4


def test_another_content_is_another_rom(tmp_path: Path) -> None:
    sizes = []
    for content in ("00\n" * 16, "".join(f"{37 * word % 256:02x}\n" for word in range(16))):
        (tmp_path / "codebook.hex").write_text(content)
        found = synthesize({"port": rom_port(16, 8, "port")}, GENERIC, tmp_path)["port"]
        sizes.append(sum(found.cells.values()))
    assert sizes[0] < sizes[1]


def test_library_that_lacks_a_latch(tmp_path: Path) -> None:
    latch = """module latch (e, d, q);
  input e;
  input d;
  output q;
  reg q;
  always @* if (e) q = d;
endmodule
"""
    with pytest.raises(VqromError, match=r"module 'latch' cannot be .*\$_DLATCH_P_"):
        synthesize({"latch": latch}, GENERIC, tmp_path)


def test_module_that_is_no_verilog(tmp_path: Path) -> None:
    with pytest.raises(VqromError, match="module 'bad' cannot be synthesised"):
        synthesize({"bad": "module bad (;\nendmodule\n"}, GENERIC, tmp_path)


def test_kept_memories_by_size() -> None:
    text = ("module m (clk);\n  reg [15:0] big [63:0];\n  reg [15:0] small [62:0];\n"
            "  reg [127:0] shallow [14:0];\n"
            "  reg [63:0] rom [4095:0];\n  reg [63:0] huge [4096:0];\n"
            '  initial $readmemh("codebook.hex", rom);\n'
            '  initial $readmemh("codebook.hex", huge);\nendmodule\n')
    assert kept_memories(text) == ["big", "huge"]


def test_black_box_has_ports_only() -> None:
    assert black_box(memory(16, clocked=True)) == (
        "(* blackbox *)\nmodule memory (clk, write, to, data, out);\n  input clk;\n"
        "  input write;\n  input [7:0] to;\n  input [63:0] data;\n  output reg [63:0] out;\n"
        "endmodule\n")


def test_text_without_modules() -> None:
    with pytest.raises(VqromError, match="must hold modules"):
        split_modules("")
