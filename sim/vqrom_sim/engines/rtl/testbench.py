"""The Verilog around the accelerator in simulation.

It connects the accelerator to the simulated DRAM, writes down which layer the counters count for,
dumps the outputs, and stands in for the codebook ROM where that is a black box.
"""

from __future__ import annotations

from pathlib import Path

from vqrom_hw.bus import axi4_read_members, axi4_write_members, axi4lite_members
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.export import ROM
from vqrom_hw.isa import COUNTERS
from vqrom_hw.weights import MACRO
from vqrom_sim.engines.dram import DRAM_BYTES, DRAM_QUEUE

TOP = "testbench"
"""Name of the top-level module."""
SIMULATOR = Path(__file__).parent / "simulator"
"""Folder of what becomes part of the simulator's process: the DRAM in Verilog, the main loop in
C++, and the Python that cocotb runs in it."""
DRAM_SOURCE = SIMULATOR / "dram.sv"
MAIN_SOURCE = SIMULATOR / "main.cpp"
RECORDER_SOURCE = SIMULATOR / "recorder.h"

_CONSTANT = ("arsize", "arburst", "arcache", "arprot", "awlen", "awsize", "awburst", "awcache",
             "awprot")
"""AXI4 signals that the accelerator never changes, and that the simulated DRAM does not look at."""


def testbench_verilog(config: AcceleratorConfig) -> str:
    """Text of the top-level module: AXI4-Lite and clock outside, accelerator and DRAM inside.

    ``free_run`` tells the C++ main program to run without callbacks until the interrupt.

    ``+trace=FILE`` gets a line whenever the layer that cycles count for has changed, and one at the
    end: whether it is the end, the layer until now, and all counters. A rising ``dump`` writes
    beats ``+dump_first`` .. ``+dump_last`` of the DRAM to ``+dump=FILE``.
    """
    lite = {f"s_axil_{name}": member for name, member in axi4lite_members("").items()}
    bus = axi4_read_members("", config.bus_width) | axi4_write_members("", config.bus_width)
    ports = ["input wire clk", "input wire rst", "input wire free_run", "input wire dump",
             "output wire interrupt"]
    ports += [f"{'output' if member.flow.name == 'Out' else 'input'} wire "
              f"[{_width(member) - 1}:0] {name}" for name, member in lite.items()]
    wires = [f"    wire [{_width(member) - 1}:0] {name};" for name, member in bus.items()]
    wires += ["    wire active;", "    wire [11:0] active_layer;"]
    dut = ["clk", "rst", "interrupt", "active", "active_layer", *lite]
    connections = [f"        .{name}({name})" for name in dut]
    connections += [f"        .m_axi_{name}({name})" for name in bus]
    memory = [f"        .{name}({name})" for name in ("clk", "rst", *bus) if name not in _CONSTANT]
    counters = ", ".join(f"dut.counter_bank.{name}" for name in COUNTERS)
    places = " ".join(["%0d"] * (len(COUNTERS) + 2))
    parameters = f"#(.BUS_WIDTH({config.bus_width}), .BEATS({DRAM_BYTES // config.beat_bytes}), " \
                 f".QUEUE({DRAM_QUEUE}))"
    return "\n".join([
        f"module {TOP} (", ",\n".join(f"    {port}" for port in ports), ");",
        *wires,
        "    vqrom dut (", ",\n".join(connections), "    );",
        f"    dram {parameters} dram (", ",\n".join(memory), "    );",
        "    string trace, target;",
        "    integer file, first, last;",
        "    reg was_active = 0;",
        "    reg [11:0] layer;",
        '    initial if ($value$plusargs("trace=%s", trace)) file = $fopen(trace, "w");',
        "    always @(posedge clk) begin",
        "        if (was_active && (!active || active_layer != layer) && file != 0)",
        f'            $fwrite(file, "{places}\\n", !active, layer, {counters});',
        "        was_active <= active;",
        "        layer <= active_layer;",
        "    end",
        "    always @(posedge dump) begin",
        '        if ($value$plusargs("dump=%s", target) && $value$plusargs("dump_first=%d", first)',
        '                && $value$plusargs("dump_last=%d", last))',
        "            $writememh(target, dram.beats, first, last);",
        "        if (file != 0) $fflush(file);",
        "    end",
        "endmodule", "", *(_macro_lines(config) if config.codebook_rom == "macro" else ()),
    ])


def _macro_lines(config: AcceleratorConfig) -> list[str]:
    """The module that an accelerator with ``codebook_rom = "macro"`` leaves to its user."""
    width = config.codeword_width
    return [
        f"module {MACRO} (input wire clk, input wire enable,",
        f"    input wire [{config.index_width - 1}:0] index, output reg [{width - 1}:0] codeword);",
        f"    reg [{width - 1}:0] codewords [0:{config.codewords - 1}];",
        f'    initial $readmemh("{ROM}", codewords);',
        "    always @(posedge clk) if (enable) codeword <= codewords[index];",
        "endmodule", "",
    ]


def _width(member) -> int:
    shape = member.shape
    return int(shape) if isinstance(shape, int) else shape.width
