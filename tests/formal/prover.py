"""Unbounded proofs of components with the model checker that Yosys' wheel brings.

A harness is a component whose inputs are free in every cycle; it holds the design under proof, a
model of what it should do, and ``Assert`` and ``Assume``. Yosys turns all that into and-inverter
gates and registers; ``pdr`` of yosys-abc (IC3, property-directed reachability) then either finds
an inductive invariant that implies every assertion in every reachable state, which is a proof for
all time, or a run that violates one.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pyosys
import pytest
from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Elaboratable, Module, Value
from amaranth.lib.wiring import Component

from vqrom_hw.export import run_yosys

CHECKER = Path(pyosys.__file__).parent / "yosys-abc"
"""The model checker, a program in the wheel of Yosys."""
SECONDS = 60
"""Time that the model checker gets for one proof."""

_TO_GATES = (
    "hierarchy -top top", "proc", "flatten", "chformal -lower", "async2sync",
    "setundef -undriven -anyseq", "opt -full", "memory_map -formal", "formalff -clk2ff",
    "techmap", "opt -fast",
    # An undefined bit may have any value; also those that techmap leaves of shifts.
    "setundef -undriven -anyseq", "simplemap", "dffunmap", "aigmap", "opt_clean",
    "write_aiger -I -B -zinit -no-startoffset top.aig",
)


class _Top(Elaboratable):
    """The harness in a clock domain without reset: registers begin at their initial values."""

    def __init__(self, harness: Component) -> None:
        self._harness = harness
        self.domain = ClockDomain("sync", reset_less=True)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = self.domain
        m.submodules.harness = self._harness
        return m


def first_violation(harness: Component) -> int | None:
    """The number of the cycle in which an assertion of the harness can fail first.

    ``None`` is a proof that none can, ever. Skips the test where the model checker is missing.

    Raises
    ------
    RuntimeError
        If there is no verdict within ``SECONDS``.
    """
    if not CHECKER.exists():
        pytest.skip(f"model checker absent: no {CHECKER}")
    top = _Top(harness)
    inputs = [Value.cast(getattr(harness, name)) for name in harness.signature.members]
    with tempfile.TemporaryDirectory(prefix="vqrom-formal-") as name:
        folder = Path(name)
        text = rtlil.convert(top, ports=[top.domain.clk, *inputs], emit_src=False)
        (folder / "top.il").write_text(text, encoding="utf-8")
        run_yosys(["read_rtlil top.il", *_TO_GATES], folder)
        # fold turns assumptions into part of the assertions, orpos those into one.
        log = subprocess.run(
            [CHECKER, "-c", f"read_aiger top.aig; fold; strash; orpos; pdr -T {SECONDS}"],
            cwd=folder, capture_output=True, text=True, check=True).stdout
    if "Property proved" in log:
        return None
    failed = re.search(r"asserted in frame (\d+)", log)
    if failed is None:
        raise RuntimeError(f"no verdict on {type(harness).__name__}: {log.splitlines()[-1]}")
    return int(failed[1])


def mutant(component: type[Any], old: str, new: str) -> type[Any]:
    """The component with a defect: ``new`` in the place of ``old`` in its class's source.

    A proof that does not fail on mutants proves nothing.
    """
    text = inspect.getsource(component)
    assert text.count(old) == 1, f"{old!r} must occur once in {component.__name__}"
    module = inspect.getmodule(component)
    assert isinstance(module, ModuleType)
    scope = dict(vars(module))
    exec(compile(text.replace(old, new), f"<mutant of {component.__name__}>", "exec"), scope)
    return scope[component.__name__]
