"""One component of an accelerator, simulated: all instances together, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vqrom_sim.area import SynthesizedModule, read_mapped

from .cells import PowerLibrary
from .gates import (
    Activity,
    Coefficients,
    Netlist,
    Sources,
    Window,
    WireModel,
    coefficients,
    read_netlist,
    simulate,
)

MOST_INSTANCES = 4
"""Instances of a module in one component that are simulated; the others cost what these do."""


class Module:
    """A synthesised module, ready to be simulated.

    Parameters
    ----------
    name, synthesized:
        The module.
    modules:
        Names of all modules of the design.
    library:
        Its cells.
    wires:
        How much wire a net has.
    """

    def __init__(self, name: str, synthesized: SynthesizedModule, modules: set[str],
                 library: PowerLibrary, wires: WireModel) -> None:
        self.synthesized = synthesized
        self.netlist: Netlist = read_netlist(name, read_mapped(synthesized.netlist), library.cells,
                                             modules)
        self.coefficients: Coefficients = coefficients(self.netlist, library, wires)

    @cached_property
    def sources(self) -> Sources:
        """Where its values are found in the Verilog."""
        return Sources(self.netlist)

    def run(self, path: tuple[str, ...], window: Window) -> Activity:
        """Simulate one instance in a window of the recording."""
        stimuli = self.sources.stimuli(path, window)
        return simulate(self.netlist, stimuli.given, stimuli.states, stimuli.expected,
                        self.coefficients.net_fj, self.coefficients.delays)


@dataclass
class Simulated:
    """What the simulated instances of a component cost, scaled to all of them.

    Members
    -------
    energies:
        For each window float64 ``[cycles]``: fJ of each cycle.
    settled_fj, wire_fj:
        Of all windows: of settled values alone, and in wires.
    clock_fj:
        Of a clock cycle.
    leakage_nw, area_um2:
        Of all cells.
    instances, simulated, flip_flops:
        How many there are, how many of the instances were simulated.
    """

    energies: list[np.ndarray]
    settled_fj: float = 0.0
    wire_fj: float = 0.0
    clock_fj: float = 0.0
    leakage_nw: float = 0.0
    area_um2: float = 0.0
    instances: int = 0
    simulated: int = 0
    flip_flops: int = 0
    modules: list[str] = field(default_factory=list)


def simulate_component(paths: Mapping[str, Sequence[tuple[str, ...]]],
                       modules: Mapping[str, Module], windows: Sequence[Window],
                       cycles: Sequence[int]) -> Simulated:
    """Simulate a component's instances on every window.

    Parameters
    ----------
    paths:
        Paths of its instances from the top, by module.
    modules:
        The modules.
    windows, cycles:
        Windows of the recording, and clock edges within each.
    """
    result = Simulated([np.zeros(count) for count in cycles])
    for name, instances in paths.items():
        module = modules[name]
        chosen = sample(instances)
        scale = len(instances) / len(chosen)
        found = module.coefficients
        result.modules.append(name)
        result.instances += len(instances)
        result.simulated += len(chosen)
        result.flip_flops += len(module.netlist.states) * len(instances)
        result.clock_fj += found.clock_fj * len(instances)
        result.leakage_nw += found.leakage_nw * len(instances)
        result.area_um2 += found.area_um2 * len(instances)
        if not module.netlist.cells:
            continue
        for number, window in enumerate(windows):
            for path in chosen:
                activity = module.run(path, window)
                result.energies[number] += scale * activity.energy_fj
                result.settled_fj += scale * float(activity.settled_fj.sum())
                result.wire_fj += scale * float(activity.transitions @ found.wire_fj)
    return result


def sample(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """At most :data:`MOST_INSTANCES` of a module's instances, spread over all of them."""
    count = min(len(paths), MOST_INSTANCES)
    return [paths[(2 * place + 1) * len(paths) // (2 * count)] for place in range(count)]
