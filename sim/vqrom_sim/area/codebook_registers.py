"""What the codebook costs where it can be rewritten: the same codewords in registers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.progress import Progress

from .synthesis import synthesize

MAX_REGISTER_BITS = 1 << 15
"""Larger codebooks are not synthesised: the multiplexers alone take minutes."""

Sizes = dict[str, Any]
"""Sizes of a part by name, as :func:`.estimate.size_of` gives them."""


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


def registers_for(config: AcceleratorConfig, liberties: Sequence[str], progress: Progress | None,
                  measure: Callable[[dict[str, int]], Sizes]) -> Sizes | None:
    """Size of the codebook in registers with the decoder's read ports; None above 32768 bits.

    Files with one and with two read ports are synthesised; every further port adds their
    difference, since ports share the storage and nothing else.

    Parameters
    ----------
    config:
        The accelerator: it says how large the codebook is and how many words are read in a cycle.
    liberties:
        Texts of the cell library.
    progress:
        As for :func:`vqrom_sim.area.synthesis.synthesize`.
    measure:
        Gives the sizes of a set of library cells, counted by name.
    """
    if config.codewords * config.codeword_width > MAX_REGISTER_BITS:
        return None
    modules = {f"registers_{ports}": register_file(
        f"registers_{ports}", config.codewords, config.codeword_width, ports) for ports in (1, 2)}
    netlists = synthesize(modules, liberties, Path(), progress, label="codebook in registers",
                          keep_memories=False)
    one, two = (measure(netlists[name].cells) for name in modules)
    return {key: None if one[key] is None
            else round(one[key] + (config.decode_ports - 1) * (two[key] - one[key]), 3)
            for key in one}
