"""Memories as timed macros: a Liberty cell for each shape, its access time from the technology.

What the macro model does not say is assumed, and stated in ``timing.json``: the time that addresses
and data must be there before the clock (:data:`SETUP_PART` of the access time), the load of an
input (:data:`INPUT_INVERTERS`) and the strength of an output, that of a library's buffer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vqrom_hw.errors import VqromError

from .cells import Cell, Corner, Driver, TimedLibrary
from .netlist import Bit, port_of

SETUP_PART = 0.2
"""Setup time of a macro's inputs over its access time. An assumption: the address register and the
first stage of the decoder are what both have in common."""
INPUT_INVERTERS = 4.0
"""Load of a macro's input, in inputs of the smallest inverter. An assumption."""
CLOCK = "CLK"

_INPUTS = ("RD_ADDR", "RD_EN", "WR_ADDR", "WR_DATA", "WR_EN")
_CLOCKS = ("RD_CLK", "WR_CLK")
_CONSTANT_ONLY = ("RD_ARST", "RD_SRST")


@dataclass(frozen=True)
class Macro:
    """A memory of one shape.

    Members
    -------
    cell:
        Its loads and drivers.
    synchronous:
        Whether reading starts at the clock's edge; if not, at a change of the address.
    access_ps, setup_ps:
        Time to the word read, and time that inputs must be there before the clock.
    """

    cell: Cell
    synchronous: bool
    access_ps: float
    setup_ps: float


def macro(kind: str, pins: Mapping[str, Bit], *, synchronous: bool, access_ns: float,
          library: TimedLibrary) -> Macro:
    """The macro of a memory whose pins are these (:func:`macro_pins`)."""
    strong = output_driver(library)
    inputs = {pin: INPUT_INVERTERS * library.inverter_ff for pin in pins
              if pin.startswith(_INPUTS) or pin == CLOCK}
    access_ps = access_ns * 1e3
    outputs = {pin: Driver(access_ps, strong.ps_per_ff) for pin in pins
               if pin.startswith("RD_DATA")}
    cell = Cell(kind, 0.0, ("memory", kind), inputs, outputs, frozenset([CLOCK]), True)
    return Macro(cell, synchronous, access_ps, SETUP_PART * access_ps)


def output_buffer(library: TimedLibrary) -> Cell:
    """What ports and memories are taken to be driven by: the buffer that is fastest into 16
    inverters."""
    return min(library.buffers, key=lambda cell: next(iter(cell.outputs.values())).delay_ps(
        16 * library.inverter_ff))


def output_driver(library: TimedLibrary) -> Driver:
    """The driver of :func:`output_buffer`."""
    return next(iter(output_buffer(library).outputs.values()))


def macro_pins(name: str, parameters: Mapping[str, str], pins: Mapping[str, Bit]) -> dict[str, Bit]:
    """Pins of a macro in the place of those of Yosys' ``$mem_v2``: one clock, one write enable for
    each part of a word, and names that are no vectors.

    Raises
    ------
    VqromError
        If the memory has several clocks, one of falling edges, or a reset.
    """
    for port in ("RD", "WR"):
        enabled, rising = parameters[f"{port}_CLK_ENABLE"], parameters[f"{port}_CLK_POLARITY"]
        if any(used == "1" and edge == "0" for used, edge in zip(enabled, rising, strict=True)):
            raise VqromError(f"memory {name!r} must have a clock of rising edges")
    result: dict[str, Bit] = {}
    last_enable: Bit | None = None
    for pin, bit in pins.items():
        port, index = port_of(pin)
        if port in _CLOCKS:
            if isinstance(bit, str):
                continue
            if result.setdefault(CLOCK, bit) != bit:
                raise VqromError(f"memory {name!r} must have one clock, not several")
        elif port in _CONSTANT_ONLY:
            if not isinstance(bit, str):
                raise VqromError(f"memory {name!r} must have no reset; it has {port}")
        elif port == "WR_EN":
            # Yosys repeats the enable of a part for each of its bits.
            if bit != last_enable:
                result[f"{port}_{index}"] = last_enable = bit
        elif port in (*_INPUTS, "RD_DATA"):
            result[f"{port}_{index}"] = bit
        else:
            raise VqromError(f"memory {name!r} has a pin {port!r} that is not understood")
    return result


def memory_liberty(macros: Iterable[Macro], library: TimedLibrary) -> str:
    """Liberty text of macros, in ps and fF."""
    return "\n".join([
        *header("vqrom_memories", library.corner),
        "  lu_table_template(load) {",
        "    variable_1 : total_output_net_capacitance;", '    index_1("0, 1000");', "  }",
        *(line for macro in macros for line in _cell(macro)), "}", ""])


def header(name: str, corner: Corner) -> list[str]:
    """First lines of a Liberty library in ps and fF, as OpenSTA demands them."""
    thresholds = [f"  {kind}_threshold_pct_{edge} : 50;" for kind in ("input", "output")
                  for edge in ("rise", "fall")]
    slews = [f"  slew_{bound}_threshold_pct_{edge} : {value};"
             for bound, value in (("lower", 20), ("upper", 80)) for edge in ("rise", "fall")]
    return [f"library({name}) {{", "  delay_model : table_lookup;", '  time_unit : "1ps";',
            "  capacitive_load_unit(1, ff);", '  voltage_unit : "1V";',
            '  current_unit : "1mA";', '  pulling_resistance_unit : "1kohm";',
            '  leakage_power_unit : "1nW";', f"  nom_process : {corner.process};",
            f"  nom_voltage : {corner.voltage_v};",
            f"  nom_temperature : {corner.temperature_c};",
            *thresholds, *slews]


def _cell(macro: Macro) -> list[str]:
    cell = macro.cell
    lines = [f"  cell({cell.name}) {{", "    area : 0;", "    is_macro_cell : true;"]
    for pin, load in cell.inputs.items():
        lines += [f"    pin({pin}) {{", "      direction : input;",
                  f"      capacitance : {load:.6g};"]
        if pin == CLOCK:
            lines.append("      clock : true;")
        elif macro.synchronous or not pin.startswith("RD_"):
            lines += ["      timing() {", f'        related_pin : "{CLOCK}";',
                      "        timing_type : setup_rising;",
                      *(f'        {edge}_constraint(scalar) {{ values("{macro.setup_ps:.6g}"); }}'
                        for edge in ("rise", "fall")), "      }"]
        lines.append("    }")
    starts = [CLOCK] if macro.synchronous else [
        pin for pin in cell.inputs if pin.startswith(("RD_ADDR", "RD_EN"))]
    kind = "rising_edge" if macro.synchronous else "combinational"
    for pin, driver in cell.outputs.items():
        delays = f"{driver.delay_ps(0):.6g}, {driver.delay_ps(1000):.6g}"
        slews = f"{driver.ps_per_ff:.6g}, {1000 * driver.ps_per_ff:.6g}"
        lines += [f"    pin({pin}) {{", "      direction : output;", "      timing() {",
                  f'        related_pin : "{" ".join(starts)}";', f"        timing_type : {kind};",
                  "        timing_sense : non_unate;",
                  *(f'        {table}(load) {{ values("{values}"); }}' for table, values in
                    (("cell_rise", delays), ("cell_fall", delays), ("rise_transition", slews),
                     ("fall_transition", slews))), "      }", "    }"]
    return [*lines, "  }"]
