"""OpenSTA: what is made of its output, and times that can be added by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sim.timing.toy_library import (
    CLOCK_TO_Q_PS,
    GATES,
    INPUT_FF,
    PS_PER_FF,
    SETUP_PS,
    toy_liberty,
)
from vqrom_hw.errors import VqromError
from vqrom_sim.timing import opensta
from vqrom_sim.timing.cells import Corner
from vqrom_sim.timing.memories import header
from vqrom_sim.timing.netlist import Bit, Instance, Netlist
from vqrom_sim.timing.verilog import write_verilog

needs_opensta = pytest.mark.skipif(shutil.which("sta") is None,
                                   reason="OpenSTA is missing: apt-get install opensta")


def chain(gates: int) -> Netlist:
    """A register, inverters, and a register, in a module whose names are Verilog's own words."""
    instances = {"reg[0]": Instance("DFF_X1", {"CK": 1, "D": 2, "Q": 3})}
    bit: Bit = 3
    for index in range(gates):
        instances[f"$inv${index}"] = Instance("INV_X1", {"A": bit, "Y": 10 + index})
        bit = 10 + index
    instances["wire[7]"] = Instance("DFF_X1", {"CK": 1, "D": bit, "Q": 4})
    return Netlist("output", {"clk": [1], "begin": [2]}, {"end": [4]}, instances, {}, 100)


def times(folder: Path, verilog: str, top: str, loads: dict[str, float],
          clock: str = "clk") -> dict[str, list[str]]:
    (folder / "cells.lib").write_text(toy_liberty())
    (folder / "wires.lib").write_text(opensta.wires_liberty(
        header(opensta.WIRES_LIBRARY, Corner(1, 1, 25)), loads))
    (folder / opensta.DESIGN).write_text(verilog)
    return opensta.run(opensta.script(["cells.lib", "wires.lib"], top, clock, 1000, "BUF_X4", 1.0,
                                      list(loads), next(iter(loads))), folder)


@needs_opensta
def test_times_are_sums_of_the_liberty(tmp_path: Path) -> None:
    gates, wire = 5, 0.5
    sections = times(tmp_path, write_verilog([chain(gates)], set()), "output",
                     {"wired": wire, "bare": 0.0})
    assert opensta.check_setup(sections["check"]) == 0
    for name, extra in (("wired", wire), ("bare", 0.0)):
        slowest = opensta.read_paths(sections[name])[0]
        load = PS_PER_FF * (INPUT_FF + extra)
        expected = CLOCK_TO_Q_PS + load + gates * (GATES["INV"][1] + load) + SETUP_PS
        assert 1000 - slowest.slack_ps == pytest.approx(expected, rel=1e-4)
        assert (slowest.start, slowest.end) == ("reg[0]/Q", "wire[7]/D")
        assert slowest.points[0].pin == "reg[0]/Q" and len(slowest.points) == 2 * gates + 2
    # All ends where they were asked for: both registers and the port; else the slowest alone.
    assert len(opensta.read_paths(sections["wired"])) == 3
    assert len(opensta.read_paths(sections["bare"])) == 1


@needs_opensta
def test_instances_of_a_module_and_constants(tmp_path: Path) -> None:
    child = chain(2)
    child.instances["tied"] = Instance("DFF_X1", {"CK": 1, "D": "1", "Q": 60})
    top = Netlist("top", {"clk": [1], "a": [2]}, {"y": [5, 2, "0"]},
                  {f"part_{index}": Instance("output", {
                      "clk[0]": 1, "begin[0]": 2 + index, "end[0]": 3 + index})
                   for index in range(2)} | {
                       "last": Instance("DFF_X1", {"CK": 1, "D": 4, "Q": 5})}, {}, 9)
    sections = times(tmp_path, write_verilog([child, top], {"output"}), "top", {"bare": 0.0})
    # Two tied registers, and the output that is constant.
    assert opensta.check_setup(sections["check"]) == 3
    paths = opensta.read_paths(sections["bare"])
    assert {path.end for path in paths} >= {"part_0/wire[7]/D", "part_1/wire[7]/D", "last/D",
                                            "y[0]", "y[1]"}


@needs_opensta
@pytest.mark.parametrize(("change", "message"), [
    (("INV_X1", "INV_X99"), "INV_X99"),
    (("\\clk ), .\\D (\\begin ", "\\begin ), .\\D (\\clk "), r"without a remark|as a whole"),
])
def test_what_opensta_cannot_time_is_refused(
        tmp_path: Path, change: tuple[str, str], message: str) -> None:
    verilog = write_verilog([chain(2)], set())
    assert change[0] in verilog
    with pytest.raises(VqromError, match=message):
        opensta.check_setup(times(tmp_path, verilog.replace(*change), "output",
                                  {"bare": 0.0})["check"])


@needs_opensta
def test_loop_is_refused(tmp_path: Path) -> None:
    netlist = chain(2)
    netlist.instances["loop"] = Instance("NAND2_X1", {"A": 70, "B": 3, "Y": 71})
    netlist.instances["back"] = Instance("INV_X1", {"A": 71, "Y": 70})
    with pytest.raises(VqromError, match=r"timed as a whole, but OpenSTA says: .*loop"):
        opensta.check_setup(times(tmp_path, write_verilog([netlist], set()), "output",
                                  {"bare": 0.0})["check"])


def test_missing_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VqromError, match=r"'sta' on PATH.*apt-get install opensta"):
        opensta.require_opensta()


@pytest.mark.parametrize(("text", "message"), [
    ("echo 'Error: out of luck' >&2; exit 1", "without a remark, not: Error: out of luck"),
    ("echo 'Warning: x.v, line 3 module y not found'", "without a remark, not: Warning: x.v"),
    ("echo '== done'; exit 3", "ended with status 3"),
    ("true", "ended with status 0 before the design was timed"),
])
def test_program_that_says_something(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    program = tmp_path / "sta"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(VqromError, match=message):
        opensta.run("", tmp_path)


def test_setup_that_leaves_something_out() -> None:
    assert opensta.check_setup(["remark Warning: There are 2 unconstrained endpoints.",
                                "listed a/b/D", "D 0", "listed q", "q 1"]) == 2
    with pytest.raises(VqromError, match=r"but 'a/c\[1\]/D' has neither"):
        opensta.check_setup(["remark Warning: There are 1 unconstrained endpoints.",
                             r"listed a/c\[1\]/D", "D X"])
    with pytest.raises(VqromError, match="must list ends and their values, not 'noise'"):
        opensta.check_setup(["noise"])
    with pytest.raises(VqromError, match="as a whole, but OpenSTA says: There are 3 unclocked"):
        opensta.check_setup(["remark There are 3 unclocked register/latch pins."])


def test_paths_that_are_not_as_expected() -> None:
    with pytest.raises(VqromError, match="found no path"):
        opensta.read_paths([])
    with pytest.raises(VqromError, match="must list paths and their points, not 'noise'"):
        opensta.read_paths(["noise"])
