"""Conversion by Amaranth in a fraction of its time, with the same result.

Amaranth's conversion of a large array is limited by a few things that are not needed, or not as it
does them. Each is replaced here for as long as a conversion runs. What is replaced is none of its
documented interface, hence its exact release in ``pyproject.toml``.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

# Amaranth's netlist has no documented name.
from amaranth.back import rtlil
from amaranth.hdl import _nir as nir  # pyright: ignore[reportAttributeAccessIssue]

_EMIT_MEMORY = rtlil.ModuleEmitter.emit_memory
_CHECK_CYCLES = nir.Netlist.check_comb_cycles
_NEW_VALUE = nir.Value.__new__
_BITWISE = frozenset({"~", "&", "|", "^", "m"})
_UNIFORM = (nir.Part, nir.Matches, nir.FlipFlop, nir.AsyncReadPort)
"""Cells whose output bits all depend on the same nets, beside operators that are not bitwise."""


@contextmanager
def fast_conversion() -> Iterator[None]:
    """While it is entered, Amaranth converts without what takes most of its time.

    - No search for cyclic garbage: while a netlist grows, it walks over millions of objects that
      are all in use.
    - No initial contents of memories that are written and begin with zeros: the export deletes
      them anyway, and Amaranth spells out every bit.
    - Combinational cycles are searched for by :func:`has_cycle`.
    - Millions of lists of nets are made without a look at the type of each net.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    rtlil.ModuleEmitter.emit_memory = _emit_contents
    nir.Netlist.check_comb_cycles = _check_cycles
    nir.Value.__new__ = _unchecked_value
    try:
        yield
    finally:
        # Also where several threads convert, which end in any order: one may be slower then.
        rtlil.ModuleEmitter.emit_memory = _EMIT_MEMORY
        nir.Netlist.check_comb_cycles = _CHECK_CYCLES
        nir.Value.__new__ = _NEW_VALUE
        if was_enabled:
            gc.enable()


def _emit_contents(self: rtlil.ModuleEmitter, cell_idx: int, cell: Any) -> None:
    if any(cell.init) or not self.memories[cell_idx].write_port_ids:
        _EMIT_MEMORY(self, cell_idx, cell)


def _unchecked_value(cls: Any, nets: Any = ()) -> Any:
    return tuple.__new__(cls, (nets,) if isinstance(nets, nir.Net) else nets)


def _check_cycles(self: Any) -> None:
    if has_cycle(self):
        _CHECK_CYCLES(self)  # It raises, and names the path.
        raise AssertionError("a combinational cycle must be found by Amaranth, too")


def has_cycle(netlist: Any) -> bool:
    """Whether a net of Amaranth's netlist depends on itself within a cycle of the clock.

    Amaranth's own search goes through the inputs of a cell once for each bit of its output; where
    all bits depend on the same nets, as those of a sum do, this one looks at the first bit only.
    """
    uniform = [isinstance(cell, _UNIFORM)
               or (isinstance(cell, nir.Operator) and cell.operator not in _BITWISE)
               for cell in netlist.cells]

    def node(net: int) -> int:
        """The net, or the first one of its cell where one stands for all."""
        return net & ~0xFFFF if net > 1 and uniform[net >> 16] else int(net)

    def sources(net: int) -> Iterator[int]:
        if net < 0:
            return iter((node(netlist.connections[net]),))
        if net < 2:
            return iter(())
        edges = netlist.cells[net >> 16].comb_edges_to(net & 0xFFFF)
        return iter({node(source) for source, _ in edges})

    done: set[int] = set()
    return any(_closes(node(net), sources, done) for net in _all_nets(netlist))


def _all_nets(netlist: Any) -> Iterable[int]:
    for number, cell in enumerate(netlist.cells):
        yield from cell.output_nets(number)
    for value in netlist.signals.values():
        yield from value


def _closes(start: int, sources: Any, done: set[int]) -> bool:
    """Whether a cycle is found on the way back from a net; all nets on the way are done then."""
    if start in done:
        return False
    path, open_edges = [start], [sources(start)]
    on_path = {start}
    while path:
        for source in open_edges[-1]:
            if source in on_path:
                return True
            if source not in done:
                path.append(source)
                on_path.add(source)
                open_edges.append(sources(source))
                break
        else:
            open_edges.pop()
            net = path.pop()
            on_path.discard(net)
            done.add(net)
    return False
