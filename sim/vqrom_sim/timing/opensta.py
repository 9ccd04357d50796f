"""OpenSTA: the script that it runs, and what its output says. Nothing in it is passed over."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_sw.io import run_group

PROGRAM = "sta"
DESIGN, WIRES_LIBRARY = "design.v", "vqrom_wires"
WORST = 25
"""Slowest paths of the whole design that are listed point by point."""
ALL = 10_000_000
"""More ends than any design has."""

_MARK = "=="
_HARMLESS = (
    # OpenSTA itself remarks on attributes of a Liberty file that it does not know.
    re.compile(r"Warning: \S+\.lib, line \d+"),
)
_UNCONSTRAINED = re.compile(r"There (is|are) \d+ unconstrained endpoints?\.")
_CHECK = r"""
with_output_to_variable remarks { check_setup -verbose }
set constants 0
foreach line [split $remarks \n] {
  set name [string trim $line]
  if {[string match {*There *} $name]} {
    puts "remark $name"
    set constants [string match {*unconstrained*} $name]
  } elseif {$name ne {} && $constants} {
    puts "listed $name"
    if {[string first / $name] < 0} {
      report_constant [get_ports $name]
    } else {
      report_constant [get_pins $name]
    }
  }
}
"""
_SHOW = r"""
proc component {pin} {
  set names {}
  foreach name [lrange [split $pin /] 0 end-2] {
    regsub {(_\d+)+$} $name {} name
    lappend names $name
  }
  return [join $names /]
}
proc register {pin} {
  regsub -all {_?\d+} $pin {} name
  return $name
}
proc show {paths most} {
  array set components {}
  array set pairs {}
  foreach path $paths {
    set start [get_property [get_property $path startpoint] full_name]
    set end [get_property [get_property $path endpoint] full_name]
    puts "end [get_property $path slack] $start $end"
    set component [component $end]
    set pair "[register $start] [register $end]"
    set first [expr {![info exists components($component)]}]
    set worst [expr {[array size pairs] < $most && ![info exists pairs($pair)]}]
    if {$first || $worst} {
      set components($component) 1
      set pairs($pair) 1
      foreach point [get_property $path points] {
        set pin [get_property $point pin]
        puts "point [get_property $point arrival] [get_property $pin full_name]"
      }
    }
  }
}
"""


@dataclass(frozen=True)
class Point:
    """A pin on a path, and when the signal is there, in ps after the clock's edge."""

    arrival_ps: float
    pin: str


@dataclass(frozen=True)
class TimedPath:
    """The slowest path to one end.

    Members
    -------
    slack_ps:
        What is left of the period; the set-up time is taken off.
    start, end:
        Pins, or ports of the whole design.
    points:
        The pins between, for the slowest path of each component and those of the whole; else none.
    """

    slack_ps: float
    start: str
    end: str
    points: tuple[Point, ...]


def require_opensta() -> str:
    """Path of OpenSTA.

    Raises
    ------
    VqromError
        If it is not installed.
    """
    found = shutil.which(PROGRAM)
    if found is None:
        raise VqromError(f"timing needs OpenSTA's program {PROGRAM!r} on PATH, which is not there; "
                         "install it with: apt-get install opensta")
    return found


def version() -> str:
    """What OpenSTA says its version is."""
    return subprocess.run([require_opensta(), "-version"], capture_output=True, text=True,
                          check=False).stdout.strip()


def script(liberties: Sequence[str], top: str, clock: str, period_ps: float, buffer: str,
           load_ff: float, wires: Sequence[str], every: str) -> str:
    """Tcl that times a design under several assumptions about its wires.

    Parameters
    ----------
    liberties:
        Liberty files in the folder where it runs.
    top, clock:
        The module at the root, and its clock port.
    period_ps:
        Clock period.
    buffer, load_ff:
        Cell that drives the inputs, and load at the outputs.
    wires:
        Names of the wire loads of :data:`WIRES_LIBRARY`.
    every:
        The one of them for which the slowest path to every end is listed, not the slowest alone.
    """
    lines = [
        *(f"read_liberty {file}" for file in liberties),
        "set_cmd_units -time ps -capacitance fF",
        f"puts {{{_MARK} link}}", f"read_verilog {DESIGN}", f"link_design {top}",
        f"puts {{{_MARK} constraints}}",
        f"create_clock -name clock -period {period_ps:.6g} [get_ports {clock}]",
        "set inputs {}",
        "foreach port [all_inputs] {",
        f"  if {{[get_full_name $port] ne {{{clock}}}}} {{ lappend inputs $port }}", "}",
        "set_input_delay 0 -clock clock $inputs",
        "set_output_delay 0 -clock clock [all_outputs]",
        f"set_driving_cell -lib_cell {buffer} $inputs",
        f"set_load {load_ff:.6g} [all_outputs]", "set_wire_load_mode top",
        f"puts {{{_MARK} check}}", _CHECK, _SHOW]
    for name in wires:
        count = ALL if name == every else 1
        lines += [f"puts {{{_MARK} {name}}}",
                  f"set_wire_load_model -name {name} -library {WIRES_LIBRARY}",
                  f"show [find_timing_paths -group_count {count}] {WORST}"]
    return "\n".join([*lines, f"puts {{{_MARK} done}}", ""])


def run(text: str, folder: Path) -> dict[str, list[str]]:
    """Run a script; the lines that it printed, by section.

    Raises
    ------
    VqromError
        If OpenSTA is not installed, fails, or warns of something that is not known to be harmless.
    """
    (folder / "timing.tcl").write_text(text, encoding="utf-8")
    result = run_group([require_opensta(), "-exit", "-no_splash", "timing.tcl"], cwd=folder)
    sections: dict[str, list[str]] = {"liberty": []}
    current = sections["liberty"]
    for line in result.stdout.splitlines():
        if line.startswith(_MARK):
            current = sections.setdefault(line.removeprefix(_MARK).strip(), [])
        elif line.strip():
            current.append(line)
    remarks = [line for line in result.stderr.splitlines() if line.strip()]
    remarks += [line for name, lines in sections.items() for line in lines
                if line.startswith(("Warning", "Error"))]
    for line in remarks:
        if not any(known.match(line) for known in _HARMLESS):
            raise VqromError(f"OpenSTA must time the design without a remark, not: {line[:300]}")
    if result.returncode or "done" not in sections:
        raise VqromError(f"OpenSTA ended with status {result.returncode} before the design was "
                         f"timed: {(remarks or ['without a word'])[-1][:300]}")
    return sections


def check_setup(lines: Sequence[str]) -> int:
    """Number of ends without a path, each of which holds a constant.

    Parameters
    ----------
    lines:
        What :func:`script` prints in the section ``check``.

    Raises
    ------
    VqromError
        If OpenSTA finds a register without a clock, a combinational loop or something else that is
        left out of the analysis, or an end without a path that is no constant.
    """
    remaining, constants = iter(lines), 0
    for line in remaining:
        kind, _, rest = line.partition(" ")
        if kind == "remark":
            if not _UNCONSTRAINED.search(rest):
                raise VqromError(f"the design must be timed as a whole, but OpenSTA says: {rest}")
        elif kind == "listed":
            # OpenSTA writes the pin's name and its value on the line after.
            if next(remaining, "").split()[-1:] not in (["0"], ["1"]):
                raise VqromError("every end of the design must have a path or a constant value, "
                                 f"but {unescaped(rest)!r} has neither")
            constants += 1
        else:
            raise VqromError(f"OpenSTA must list ends and their values, not {line[:200]!r}")
    return constants


def read_paths(lines: Sequence[str]) -> list[TimedPath]:
    """The paths that ``show`` printed, slowest first.

    Raises
    ------
    VqromError
        If there is none, or a line is not as expected.
    """
    paths: list[TimedPath] = []
    points: list[Point] = []
    for line in reversed(lines):
        kind, *values = line.split()
        if kind == "point" and len(values) == 2:
            points.append(Point(float(values[0]), unescaped(values[1])))
        elif kind == "end" and len(values) == 3:
            paths.append(TimedPath(float(values[0]), unescaped(values[1]), unescaped(values[2]),
                               tuple(reversed(points))))
            points = []
        else:
            raise VqromError(f"OpenSTA must list paths and their points, not {line[:200]!r}")
    if not paths:
        raise VqromError("OpenSTA found no path between registers; the design has no timing")
    # Of paths that are equally slow, the one that OpenSTA lists first has the points.
    return sorted(reversed(paths), key=lambda path: path.slack_ps)


def unescaped(name: str) -> str:
    """A name without OpenSTA's backslashes."""
    return name.replace("\\", "")


def wires_liberty(header: Sequence[str], loads_ff: Mapping[str, float]) -> str:
    """Liberty text of wire loads: capacitance for each sink, by name."""
    lines = list(header)
    for name, load in loads_ff.items():
        lines += [f'  wire_load("{name}") {{', "    capacitance : 1;", "    resistance : 0;",
                  "    area : 0;", f"    slope : {load:.6g};",
                  f"    fanout_length(1, {load:.6g});", "  }"]
    return "\n".join([*lines, "}", ""])
