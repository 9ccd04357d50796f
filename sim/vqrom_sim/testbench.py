"""The Verilog around the accelerator in simulation: DRAM, layer trace, memory dump."""

from __future__ import annotations

from pathlib import Path

from vqrom_hw.accelerator import RETIREMENTS
from vqrom_hw.axi import axi4_read_members, axi4_write_members, axi4lite_members
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.counters import COUNTERS

TOP = "testbench"
DRAM_SOURCE = Path(__file__).parent / "rtl" / "dram.sv"
MAIN_SOURCE = Path(__file__).parent / "rtl" / "main.cpp"
DRAM_BYTES = 1 << 26
"""Size of the simulated DRAM."""

_CONSTANT = ("arsize", "arburst", "arcache", "arprot", "awlen", "awsize", "awburst", "awcache",
             "awprot")


def testbench_verilog(config: AcceleratorConfig) -> str:
    """Top-level module: AXI4-Lite and clock outside, accelerator and DRAM inside.

    ``free_run`` tells the C++ main program to run without callbacks until the interrupt.

    ``+trace=FILE`` gets a line per command that a unit has finished, and one at the end: number
    in ``RETIREMENTS``, layer and all counters. A rising
    ``dump`` writes beats ``+dump_first`` .. ``+dump_last`` of the DRAM to ``+dump=FILE``.
    """
    lite = {f"s_axil_{name}": member for name, member in axi4lite_members("").items()}
    bus = axi4_read_members("", config.bus_width) | axi4_write_members("", config.bus_width)
    ports = ["input wire clk", "input wire rst", "input wire free_run", "input wire dump",
             "output wire interrupt"]
    ports += [f"{'output' if member.flow.name == 'Out' else 'input'} wire "
              f"[{_width(member) - 1}:0] {name}" for name, member in lite.items()]
    wires = [f"    wire [{_width(member) - 1}:0] {name};" for name, member in bus.items()]
    count = len(RETIREMENTS)
    wires += [f"    wire [{count - 1}:0] retired;",
              f"    wire [{12 * count - 1}:0] retired_layers;"]
    dut = ["clk", "rst", "interrupt", "retired", "retired_layers", *lite]
    connections = [f"        .{name}({name})" for name in dut]
    connections += [f"        .m_axi_{name}({name})" for name in bus]
    memory = [f"        .{name}({name})" for name in ("clk", "rst", *bus) if name not in _CONSTANT]
    counters = ", ".join(f"dut.counter_bank.{name}" for name in COUNTERS)
    places = " ".join(["%0d"] * (len(COUNTERS) + 2))
    parameters = f"#(.BUS_WIDTH({config.bus_width}), .BEATS({DRAM_BYTES // config.beat_bytes}))"
    return "\n".join([
        f"module {TOP} (", ",\n".join(f"    {port}" for port in ports), ");",
        *wires,
        "    vqrom dut (", ",\n".join(connections), "    );",
        f"    dram {parameters} dram (", ",\n".join(memory), "    );",
        "    string trace, target;",
        "    integer file, first, last, unit;",
        '    initial if ($value$plusargs("trace=%s", trace)) file = $fopen(trace, "w");',
        f"    always @(posedge clk) for (unit = 0; unit < {count}; unit = unit + 1)",
        "        if (retired[unit] && file != 0)",
        f'            $fwrite(file, "{places}\\n", unit, retired_layers[12*unit +: 12],',
        f"                {counters});",
        "    always @(posedge dump) begin",
        '        if ($value$plusargs("dump=%s", target) && $value$plusargs("dump_first=%d", first)',
        '                && $value$plusargs("dump_last=%d", last))',
        "            $writememh(target, dram.beats, first, last);",
        "        if (file != 0) $fflush(file);",
        "    end",
        "endmodule", "",
    ])


def _width(member) -> int:
    shape = member.shape
    return int(shape) if isinstance(shape, int) else shape.width
