"""The wires that nobody has laid yet: an assumption, stated, and varied in every report.

A net's wire grows with its number of sinks, in pitches of cells: a pitch is the side of a square
that has the mean area of the netlist's cells. Routed designs that were published say how long
(OpenROAD-flow-scripts, ``flow/designs/*/metadata-base-ok.json``; routed length over nets, over the
root of cell area over nets):

================  ======  =============  ================
design            nets    um for a net   pitches for a net
================  ======  =============  ================
jpeg, Nangate 45  71,938  7.66           6.5
jpeg, sky130 hd   45,909  23.4           7.4
jpeg, ASAP7       65,116  2.46           7.7
ibex, Nangate 45  17,706  16.6           12.4
ibex, sky130 hd   15,990  46.6           13.7
================  ======  =============  ================

jpeg is arithmetic, as an accelerator is, ibex a processor; a net has a little over two sinks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PITCHES_PER_SINK = 4.0
"""Length of wire for each sink, in pitches: nine pitches for a net of 2.3 sinks. See above."""
FF_PER_UM = 0.17
"""Capacitance of a wire with its neighbours. OpenROAD-flow-scripts, ``setRC.tcl``: 0.172 on met1 of
sky130, 0.173 on the signal layers of ASAP7, 0.105 on metal3 of Nangate 45."""
FACTORS = {"none": 0.0, "nominal": 1.0, "twice": 2.0}
"""How the assumption is varied."""


@dataclass(frozen=True)
class Wires:
    """Capacitance that wires add to a net.

    Members
    -------
    um_per_sink:
        Length for each sink.
    ff_per_um:
        Capacitance of the length.
    """

    um_per_sink: float
    ff_per_um: float = FF_PER_UM

    @property
    def ff_per_sink(self) -> float:
        """Capacitance for each sink."""
        return self.um_per_sink * self.ff_per_um


def wires_for(mean_cell_um2: float) -> Wires:
    """The nominal assumption for a netlist whose cells have this mean area."""
    return Wires(PITCHES_PER_SINK * math.sqrt(mean_cell_um2))
