"""Modules of a Verilog text: cut apart, as black boxes, and which of their memories stay whole."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vqrom_hw.errors import VqromError
from vqrom_hw.weights import MACRO

MACRO_BITS, MACRO_WORDS = 1024, 16
"""From this many bits and words on a RAM stays a memory, as compilers of macros make none smaller;
smaller ones become flip-flops. So do those whose read port has no register, as no macro does."""
ROM_LOGIC_BITS = 1 << 18
"""Up to this many bits a ROM becomes logic; larger ones stay a memory."""

_MODULE = re.compile(r"^module (\w+) ?\(.*?^endmodule$", re.DOTALL | re.MULTILINE)
_PORT = re.compile(r"^  (?:input|output|inout) [^;]*;$", re.MULTILINE)
_HEAD = re.compile(r"\Amodule \w+ ?\(.*?\);$", re.DOTALL | re.MULTILINE)
_INSTANCE = re.compile(r"^  ([A-Za-z_]\w*) (\\\S+|\w+) \($", re.MULTILINE)
_MEMORY = re.compile(r"^  reg (?:signed )?\[(\d+):0\] (\\\S+ |\w+) ?\[(\d+):0\];$", re.MULTILINE)
_READMEMH = re.compile(r'\$readmemh\("([^"]+)", (\\\S+ |\w+)\)')


def split_modules(verilog: str) -> dict[str, str]:
    """Modules of a text by name, as ``vqrom generate`` writes them.

    Raises
    ------
    VqromError
        If there is none.
    """
    modules = {match.group(1): match.group(0) + "\n" for match in _MODULE.finditer(verilog)}
    if not modules:
        raise VqromError("the Verilog of a design must hold modules; it has none")
    return modules


def black_box(module: str) -> str:
    """Verilog of a module's ports without its contents.

    Raises
    ------
    VqromError
        If the text does not begin with a port list.
    """
    head = _HEAD.match(module)
    if head is None:
        raise VqromError(f"module text must begin with a port list, not {module[:40]!r}")
    return "\n".join(["(* blackbox *)", head.group(0), *_PORT.findall(module), "endmodule\n"])


def children_of(module: str, names: Iterable[str]) -> list[str]:
    """Which of some modules a module has instances of, sorted."""
    return sorted({kind for kind, _ in _INSTANCE.findall(module)} & set(names))


def files_read(module: str) -> list[str]:
    """Names of the files that ``$readmemh`` reads in a module."""
    return [file for file, _ in _READMEMH.findall(module)]


def kept_memories(module: str) -> list[str]:
    """Names of the memories of a module that stay memories: large RAMs, and ROMs that are very
    large or stand for a macro (the module :data:`vqrom_hw.weights.MACRO`)."""
    head = _MODULE.match(module)
    rom_logic_bits = 0 if head and head.group(1) == MACRO else ROM_LOGIC_BITS
    roms = {name.strip() for _, name in _READMEMH.findall(module)}
    kept = []
    for high, name, last in _MEMORY.findall(module):
        words = int(last) + 1
        bits = words * (int(high) + 1)
        if (bits > rom_logic_bits if name.strip() in roms
                else bits >= MACRO_BITS and words >= MACRO_WORDS):
            kept.append(name.strip().removeprefix("\\"))
    return kept
