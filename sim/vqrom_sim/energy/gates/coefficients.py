"""What a transition of each net of a module costs, and what the module costs without transitions.

A net's energy belongs to the module that its sinks are in, so that each pin is counted once: an
output port's load outside is that of the modules which read it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..cells import PowerLibrary
from .netlist import Netlist

STEPS_PER_STAGE = 16
"""Steps of time of the gate simulation in the delay of an inverter with a fan-out of four."""
LONGEST_STAGES = 8
"""No gate takes longer than that many of such delays: nets of more load get buffers, which
synthesis does not make."""


@dataclass(frozen=True)
class WireModel:
    """An assumption of how much wire a net has, since a netlist has none.

    Members
    -------
    pitches:
        Length of wire for each sink, in pitches: square roots of the mean area of a module's cells.
        Routed arithmetic of OpenROAD-flow-scripts (jpeg, ``metadata-base-ok.json``) has 6.5 to 7.7
        for a net of a little over two sinks, a processor (ibex) 12 to 14.
    ff_per_um:
        Capacitance of a micrometre (``setRC.tcl`` there: 0.172 on met1 of sky130, 0.173 on signal
        layers of ASAP7).
    """

    pitches: float = 4.0
    ff_per_um: float = 0.17

    def sink_ff(self, cell_um2: float) -> float:
        """Capacitance of the wire to one sink, of cells with that mean area."""
        return self.pitches * math.sqrt(cell_um2) * self.ff_per_um


@dataclass(frozen=True)
class Coefficients:
    """Energies of one module.

    Members
    -------
    cell_fj, pin_fj, wire_fj:
        float64 ``[nets]``: of a transition of each net: inside the cells at both of its ends, in
        the capacitance of the pins that it drives, and in its wire.
    delays:
        int64 ``[nets]``: steps of time that the gate which drives a net takes.
    clock_fj:
        Of a clock cycle: clock pins of flip-flops, their wires, and what happens inside.
    leakage_nw:
        Of all cells.
    area_um2:
        Of all cells.
    """

    cell_fj: np.ndarray
    pin_fj: np.ndarray
    wire_fj: np.ndarray
    delays: np.ndarray
    clock_fj: float
    leakage_nw: float
    area_um2: float

    @property
    def net_fj(self) -> np.ndarray:
        """float64 ``[nets]``: everything that a transition of a net costs."""
        return self.cell_fj + self.pin_fj + self.wire_fj


def coefficients(netlist: Netlist, library: PowerLibrary, wires: WireModel) -> Coefficients:
    """Energies of a module from its cells and its nets' loads.

    A transition charges or discharges half of ``C V^2`` in the load; what a cell spends inside
    beyond that is the library's internal energy, read at the load.
    """
    half_v2 = library.supply_v ** 2 / 2
    kinds = [library.cells[kind] for kind, _ in netlist.cells.values()]
    area = math.fsum(kind.area_um2 for kind in kinds)
    sink_ff = wires.sink_ff(area / max(len(kinds), 1))
    cell_fj, pins_ff = np.zeros(netlist.nets), np.zeros(netlist.nets)
    sinks = np.zeros(netlist.nets, np.int64)
    clock = 0.0
    for kind, (_, connections) in zip(kinds, netlist.cells.values(), strict=True):
        for pin in kind.inputs:
            if pin.name in connections:
                net = connections[pin.name]
                pins_ff[net] += pin.load_ff
                cell_fj[net] += pin.toggle_fj
                sinks[net] += 1
            else:  # Only a flip-flop's clock is in no net.
                clock += 2 * (pin.toggle_fj + half_v2 * (pin.load_ff + sink_ff))
    for bundle in netlist.outputs:
        np.add.at(sinks, bundle.nets, 1)
    wires_ff = sinks * sink_ff
    delays = np.ones(netlist.nets, np.int64)
    for kind, (_, connections) in zip(kinds, netlist.cells.values(), strict=True):
        for output in kind.outputs:
            if output.name in connections:
                net = connections[output.name]
                load_ff = float(pins_ff[net] + wires_ff[net])
                cell_fj[net] += output.energy_fj(load_ff)
                if not kind.register:  # Those change with the inputs, in the first step.
                    stages = min(output.time_ns(load_ff) / library.stage_ns, LONGEST_STAGES)
                    delays[net] = max(1, round(stages * STEPS_PER_STAGE))
    return Coefficients(cell_fj, half_v2 * pins_ff, half_v2 * wires_ff, delays, clock,
                        math.fsum(kind.leakage_nw for kind in kinds), area)
