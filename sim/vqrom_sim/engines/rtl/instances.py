"""The instances of a generated design and their ports, read from its Verilog.

Yosys writes every module, port and instance in one fixed form, a line each, and escapes no name of
an instance. So a few patterns suffice, and a form that they do not know is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vqrom_hw.errors import VqromError
from vqrom_hw.export import TOP
from vqrom_hw.weights import MACRO

_MODULE = re.compile(r"^module (\w+) ?\(")
_PORT = re.compile(r"^  (input|output) (?:signed )?(?:\[(\d+):0\] )?\\?(\S+?) ?;$")
_INSTANCE = re.compile(r"^  (\w+) (\w+) \($")


@dataclass(frozen=True)
class Port:
    """A port of a module.

    Members
    -------
    name:
        As in the Verilog, without the backslash of an escaped name.
    output:
        Whether the module drives it.
    width:
        Its bits.
    """

    name: str
    output: bool
    width: int


@dataclass(frozen=True)
class DesignModule:
    """A module of the generated Verilog.

    Members
    -------
    name:
        Of the module.
    ports:
        By name.
    children:
        Name of the module of each instance in it, by the instance's name.
    """

    name: str
    ports: Mapping[str, Port]
    children: Mapping[str, str]


def read_modules(verilog: str) -> dict[str, DesignModule]:
    """The modules of a generated design by name.

    Parameters
    ----------
    verilog:
        Text of ``vqrom.v``.

    Raises
    ------
    VqromError
        If a module has no end, or a port or an instance of an unknown form.
    """
    modules: dict[str, DesignModule] = {}
    name, ports, children = "", dict[str, Port](), dict[str, str]()
    for line in verilog.splitlines():
        if line.startswith("module "):
            name, ports, children = _matched(_MODULE, line)[0], {}, {}
        elif line.startswith(("  input ", "  output ")):
            direction, high, port = _matched(_PORT, line)
            ports[port] = Port(port, direction == "output", int(high or 0) + 1)
        elif line.startswith("endmodule"):
            modules[name] = DesignModule(name, ports, children)
        elif found := _INSTANCE.match(line):
            children[found[2]] = found[1]
    unknown = {module for found in modules.values() for module in found.children.values()}
    if missing := sorted(unknown - modules.keys() - {MACRO}):
        raise VqromError(f"generated Verilog must hold module {missing[0]!r}, which it uses")
    return modules


def instance_modules(modules: Mapping[str, DesignModule], top: str = TOP) -> dict[str, str]:
    """Name of the module of each instance, by its path from the top: ``vqrom``,
    ``vqrom.compute_unit``, ``vqrom.compute_unit.sequencer`` and so on. A codebook's macro, whose
    module the user brings, is none of them."""
    found: dict[str, str] = {}

    def visit(path: str, module: str) -> None:
        found[path] = module
        for instance, child in modules[module].children.items():
            if child != MACRO:
                visit(f"{path}.{instance}", child)

    visit(top, top)
    return found


def _matched(pattern: re.Pattern[str], line: str) -> tuple[str, ...]:
    found = pattern.match(line)
    if found is None:
        raise VqromError(f"generated Verilog must have the form that Yosys writes, not {line!r}")
    return found.groups()
