"""A design mapped for speed: netlists of its modules, and macros in the place of its memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.area import (
    SPEED,
    Library,
    Memory,
    SynthesizedModule,
    design_modules,
    read_mapped,
    synthesize,
)
from vqrom_sw.progress import Progress

from .cells import Cell, TimedLibrary
from .memories import Macro, macro, macro_pins
from .netlist import Netlist, read_module


@dataclass(frozen=True)
class MappedDesign:
    """Modules made of library cells, macros and each other.

    Members
    -------
    modules:
        What synthesis says of each module.
    netlists:
        The modules by name.
    macros:
        Memories by kind.
    """

    modules: Mapping[str, SynthesizedModule]
    netlists: Mapping[str, Netlist]
    macros: Mapping[str, Macro]

    def parts(self, library: TimedLibrary) -> dict[str, Cell]:
        """Library cells and memories by kind."""
        return dict(library.cells) | {kind: memory.cell for kind, memory in self.macros.items()}


def synthesize_for_speed(config: AcceleratorConfig, directory: Path, library: Library,
                         cells: TimedLibrary, progress: Progress | None = None,
                         ) -> dict[str, SynthesizedModule]:
    """Every module of a generated design, mapped with :data:`vqrom_sim.area.SPEED`."""
    modules = design_modules(config, directory)
    recipe = replace(SPEED, unusable=tuple(sorted(cells.unusable)))
    return synthesize(modules, library.texts, directory, progress, label="synthesis for speed",
                      recipe=recipe)


def kind_of(memory: Memory) -> str:
    """Name of the macro of a memory; equal memories share it."""
    reading = "clocked" if memory.synchronous else "flow_through"
    return (f"{memory.kind}_{memory.words}x{memory.width}_{memory.read_ports}r"
            f"{memory.write_ports}w{memory.write_enables}_{reading}")


def map_design(modules: Mapping[str, SynthesizedModule], access_ns: Mapping[str, float],
               cells: TimedLibrary) -> MappedDesign:
    """Netlists of synthesised modules.

    Parameters
    ----------
    modules:
        As :func:`synthesize_for_speed` gives them.
    access_ns:
        Access time of each memory by its :func:`kind_of`.
    cells:
        The cell library.

    Raises
    ------
    VqromError
        If something in a netlist is not understood.
    """
    netlists: dict[str, Netlist] = {}
    macros: dict[str, Macro] = {}
    for name, module in modules.items():
        mapped = read_mapped(module.netlist)
        netlist = netlists[name] = read_module(name, mapped, set(modules))
        for memory in module.memories:
            instance = netlist.instances[memory.name]
            instance.pins = macro_pins(
                memory.name, mapped["cells"][memory.name]["parameters"], instance.pins)
            instance.kind = kind_of(memory)
            macros[instance.kind] = _merged(macros.get(instance.kind), macro(
                instance.kind, instance.pins, synchronous=memory.synchronous,
                access_ns=access_ns[instance.kind], library=cells))
    return MappedDesign(modules, netlists, macros)


def _merged(known: Macro | None, other: Macro) -> Macro:
    """A macro with the pins of two instances: those that lead nowhere may differ."""
    if known is None:
        return other
    cell = replace(other.cell, inputs={**known.cell.inputs, **other.cell.inputs},
                   outputs={**known.cell.outputs, **other.cell.outputs})
    return replace(other, cell=cell)
