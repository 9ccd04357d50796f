"""Drive strengths: each cell of a module gets the one that suits its load and its slack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cells import Cell, TimedLibrary
from .netlist import Bit, Net, Netlist, clock_nets, nets_of
from .trees import Surroundings

SWEEPS = 3
"""Times that every cell is visited; sizes hardly change after that."""
AREA_WEIGHT = 0.3
"""Delays of the smallest buffer into four inverters that a cell must gain to grow by the area of
that buffer, at a slack of :data:`USUAL_SLACK`."""
USUAL_SLACK = 0.15
"""Part of the module's slowest path that is left over where :data:`AREA_WEIGHT` holds; it falls in
proportion on slower paths and grows on faster ones."""
LEAST, MOST = 0.1, 8.0
"""Bounds of that proportion."""
OUTSIDE = 0.3
"""Part of the module's slowest path that the rest of a path through a port is taken to last."""


@dataclass(frozen=True)
class ModuleDelays:
    """Delays of a module by the linear drivers: estimates, to choose sizes by.

    Members
    -------
    arrivals_ps:
        Time at which each output pin of the module is ready, without its driver's load outside.
    needs_ps:
        Time that a signal takes from each input pin to where it is stored.
    longest_ps:
        The slowest path.
    """

    arrivals_ps: Mapping[str, float]
    needs_ps: Mapping[str, float]
    longest_ps: float


def size_cells(netlist: Netlist, parts: Mapping[str, Cell], library: TimedLibrary,
               around: Surroundings) -> ModuleDelays:
    """Choose the drive strength of each library cell of a module; the module is changed.

    A cell is weighed by its own delay into its load, what its inputs cost those that drive them,
    and its area, which weighs more where there is slack. Cells are visited from the outputs to the
    inputs, so that loads are known.
    """
    nets = nets_of(netlist, parts)
    sizer = _Sizer(netlist, parts, nets, clock_nets(nets, netlist, parts), around)
    smallest = library.buffers[0]
    unit = next(iter(smallest.outputs.values())).delay_ps(4 * library.inverter_ff)
    weight = AREA_WEIGHT * unit / smallest.area_um2
    families = {name: family for name, instance in netlist.instances.items()
                if len(family := library.families.get(parts[instance.kind].family, ())) > 1}
    shares = dict.fromkeys(families, 1.0)
    for _ in range(SWEEPS):
        for name in reversed(sizer.order):
            if name in families:
                sizer.choose(name, families[name], weight * shares[name])
        slacks, delays = sizer.slacks()
        for name in families:
            share = slacks.get(name, 1.0) / max(delays.longest_ps, 1e-9) / USUAL_SLACK
            shares[name] = min(MOST, max(LEAST, share))
    return sizer.slacks()[1]


def topological(netlist: Netlist, nets: Mapping[Bit, Net],
                parts: Mapping[str, Cell]) -> list[str]:
    """Instances in an order in which drivers come before what they drive, registers first.

    Instances of a combinational circle, if there is one, come last.
    """
    waiting = {name: 0 if parts[instance.kind].sequential else sum(
        1 for pin, bit in instance.pins.items()
        if pin in parts[instance.kind].inputs and isinstance(bit, int) and nets[bit].driver)
        for name, instance in netlist.instances.items()}
    ready = [name for name, count in waiting.items() if count == 0]
    order: dict[str, None] = {}
    while ready:
        name = ready.pop()
        order[name] = None
        instance = netlist.instances[name]
        for pin in parts[instance.kind].outputs:
            bit = instance.pins.get(pin)
            for sink, _ in nets[bit].sinks if isinstance(bit, int) else ():
                waiting[sink] -= 1
                if waiting[sink] == 0:
                    ready.append(sink)
    return [*order, *(name for name in netlist.instances if name not in order)]


class _Sizer:
    """Weighs the drive strengths of one instance with the rest as it is."""

    def __init__(self, netlist: Netlist, parts: Mapping[str, Cell], nets: Mapping[Bit, Net],
                 clocks: set[Bit], around: Surroundings) -> None:
        self._netlist, self._parts, self._nets = netlist, parts, nets
        self._clocks, self._around = clocks, around
        self.order = topological(netlist, nets, parts)
        self._loads = {bit: self._load(net) for bit, net in nets.items()}
        self._longest = 0.0

    def choose(self, name: str, family: Sequence[Cell], weight: float) -> None:
        """Give an instance the member of a family that suits it best; ``weight`` in ps per um2."""
        instance = self._netlist.instances[name]
        before, pins = self._parts[instance.kind], instance.pins
        loads = [(pin, self._loads[bit]) for pin in before.outputs
                 if isinstance(bit := pins.get(pin), int)]
        drives = [(pin, self._drive(bit)) for pin in before.inputs
                  if isinstance(bit := pins.get(pin), int) and bit not in self._clocks]
        share = 1 / max(1, len(drives))

        def cost(cell: Cell) -> float:
            own = max([cell.outputs[pin].delay_ps(load) for pin, load in loads], default=0.0)
            others = sum([drive * cell.inputs[pin] for pin, drive in drives])
            return own + others * share + weight * cell.area_um2
        best = min(family, key=cost)
        if best is not before:
            instance.kind = best.name
            for pin, _ in drives:
                self._loads[pins[pin]] += best.inputs[pin] - before.inputs[pin]

    def slacks(self) -> tuple[dict[str, float], ModuleDelays]:
        """Slack of each instance in ps with the module's slowest path as the period."""
        outside = OUTSIDE * self._longest
        arrivals, delays = self._arrivals(outside)
        needs = self._needs(outside, delays)
        through = {name: max((arrivals[bit] + needs.get(bit, 0.0)
                              for bit in self._outputs(name)), default=0.0)
                   for name in self._netlist.instances}
        ports = [arrivals.get(bit, 0.0) for _, bit in
                 self._netlist.port_bits(self._netlist.outputs)]
        entries = {pin: needs.get(bit, 0.0) for pin, bit in
                   self._netlist.port_bits(self._netlist.inputs)}
        longest = max([*through.values(), *entries.values(), *ports, 0.0])
        self._longest = longest
        exits = {pin: arrivals.get(bit, 0.0) for pin, bit in
                 self._netlist.port_bits(self._netlist.outputs)}
        return ({name: longest - value for name, value in through.items()},
                ModuleDelays(exits, entries, longest))

    def _arrivals(self, outside: float) -> tuple[dict[Bit, float], dict[tuple[str, str], float]]:
        """When each net is ready, and the delay of each output pin."""
        arrivals: dict[Bit, float] = {bit: outside for _, bit in
                                      self._netlist.port_bits(self._netlist.inputs)}
        delays: dict[tuple[str, str], float] = {}
        for name in self.order:
            instance = self._netlist.instances[name]
            part = self._parts[instance.kind]
            start = 0.0 if part.sequential else max(
                (arrivals.get(bit, 0.0) for pin, bit in instance.pins.items()
                 if pin in part.inputs), default=0.0)
            for pin, driver in part.outputs.items():
                bit = instance.pins.get(pin)
                if isinstance(bit, int):
                    delays[name, pin] = driver.delay_ps(self._loads[bit])
                    arrivals[bit] = start + delays[name, pin]
        return arrivals, delays

    def _needs(self, outside: float,
               delays: Mapping[tuple[str, str], float]) -> dict[Bit, float]:
        """Time from each net to where what it carries is stored."""
        needs: dict[Bit, float] = {bit: outside for _, bit in
                                   self._netlist.port_bits(self._netlist.outputs)}
        for name in reversed(self.order):
            instance = self._netlist.instances[name]
            part = self._parts[instance.kind]
            own = 0.0 if part.sequential else max(
                (delays[name, pin] + needs.get(instance.pins[pin], 0.0) for pin in part.outputs
                 if (name, pin) in delays), default=0.0)
            for pin in part.inputs:
                bit = instance.pins.get(pin)
                if isinstance(bit, int):
                    needs[bit] = max(needs.get(bit, 0.0), own + part.needs_ps.get(pin, 0.0))
        return needs

    def _outputs(self, name: str) -> list[Bit]:
        instance = self._netlist.instances[name]
        return [bit for pin in self._parts[instance.kind].outputs
                if isinstance(bit := instance.pins.get(pin), int)]

    def _load(self, net: Net) -> float:
        instances = self._netlist.instances
        pins = sum(self._parts[instances[name].kind].inputs[pin] for name, pin in net.sinks)
        ports = sum(self._around.output_ff.get(pin, 0.0) for pin in net.ports)
        return pins + ports + self._around.wire_ff * (len(net.sinks) + len(net.ports))

    def _drive(self, bit: Bit) -> float:
        driver = self._nets[bit].driver
        if driver is None:
            return self._around.input_driver.ps_per_ff
        name, pin = driver
        return self._parts[self._netlist.instances[name].kind].outputs[pin].ps_per_ff
