"""Verilog of a codebook in the forms that the accelerator does not generate itself."""

from __future__ import annotations

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.export import ROM
from vqrom_hw.weights import MACRO


def register_file(name: str, words: int, width: int, ports: int) -> str:
    """Verilog of a codebook in registers: one write port, ``ports`` synchronous read ports."""
    address = index_width(words)
    reads = "\n".join(
        f"    if (enable) codewords[{port * width} +: {width}] <= "
        f"memory[index[{port * address} +: {address}]];" for port in range(ports))
    return f"""module {name} (clk, write, target, word, enable, index, codewords);
  input clk;
  input write;
  input [{address - 1}:0] target;
  input [{width - 1}:0] word;
  input enable;
  input [{ports * address - 1}:0] index;
  output reg [{ports * width - 1}:0] codewords;
  reg [{width - 1}:0] memory [{words - 1}:0];
  always @(posedge clk) begin
    if (write) memory[target] <= word;
{reads}
  end
endmodule
"""


def rom_port(words: int, width: int, name: str = MACRO) -> str:
    """Verilog of one port of the codebook, with the ports of the module that stands for a macro
    and the content of ``codebook.hex``."""
    return f"""module {name} (clk, enable, index, codeword);
  input clk;
  input enable;
  input [{index_width(words) - 1}:0] index;
  output reg [{width - 1}:0] codeword;
  reg [{width - 1}:0] codebook [{words - 1}:0];
  initial $readmemh("{ROM}", codebook);
  always @(posedge clk)
    if (enable) codeword <= codebook[index];
endmodule
"""


def crossbar(name: str, words: int, width: int, ports: int, banks: int) -> str:
    """Verilog between the lookup ports and the banks of one shared ROM.

    A lookup of all ports begins with ``start``. In each cycle every bank serves the first port that
    still waits for it, and a cycle later that port keeps the codeword. Low bits of the index choose
    the bank.

    Parameters
    ----------
    name:
        Of the module.
    words, width:
        Codewords, and bits of each.
    ports:
        Lookup ports.
    banks:
        A power of two from 2 on, at most half of ``words``.
    """
    address, choice = index_width(words), index_width(banks)
    row = address - choice
    return f"""module {name} (clk, start, index, row, word, done, codewords);
  input clk;
  input start;
  input [{ports * address - 1}:0] index;
  output reg [{banks * row - 1}:0] row;
  input [{banks * width - 1}:0] word;
  output done;
  output reg [{ports * width - 1}:0] codewords;
  reg [{ports - 1}:0] waiting, granted, arriving;
  reg [{ports * choice - 1}:0] from;
  reg busy;
  integer bank, port;
  assign done = ~|waiting;
  always @* begin
    granted = 0;
    row = 0;
    for (bank = 0; bank < {banks}; bank = bank + 1) begin
      busy = 0;
      for (port = 0; port < {ports}; port = port + 1)
        if (waiting[port] && !busy && index[port * {address} +: {choice}] == bank) begin
          busy = 1;
          granted[port] = 1;
          row[bank * {row} +: {row}] = index[port * {address} + {choice} +: {row}];
        end
    end
  end
  always @(posedge clk) begin
    waiting <= start ? {{{ports}{{1'b1}}}} : waiting & ~granted;
    arriving <= granted;
    for (port = 0; port < {ports}; port = port + 1) begin
      from[port * {choice} +: {choice}] <= index[port * {address} +: {choice}];
      if (arriving[port])
        codewords[port * {width} +: {width}] <=
          word[from[port * {choice} +: {choice}] * {width} +: {width}];
    end
  end
endmodule
"""
