"""Drive strengths: each cell of a module gets the one that makes it and its driver fastest."""

from __future__ import annotations

from collections.abc import Mapping

from .cells import Cell, CellLibrary
from .netlist import Bit, Net, Netlist, clock_nets, nets_of
from .trees import Surroundings

SWEEPS = 3
"""Times that every cell is visited; sizes hardly change after the second."""
AREA_WEIGHT = 0.1
"""Picoseconds that a cell must gain to grow by the area of the smallest buffer, in delays of that
buffer into four inverters."""


def size_cells(netlist: Netlist, parts: Mapping[str, Cell], library: CellLibrary,
               around: Surroundings) -> None:
    """Choose the drive strength of each library cell of a module; the module is changed.

    A cell is weighed by its own delay into its load, what its inputs cost those that drive them,
    and its area. Cells are visited from the outputs to the inputs, so that loads are known.
    """
    nets = nets_of(netlist, parts)
    clocks = clock_nets(nets, netlist, parts)
    smallest = library.buffers[0]
    unit = next(iter(smallest.outputs.values())).delay_ps(4 * library.inverter_ff)
    weight = AREA_WEIGHT * unit / smallest.area_um2
    sizer = _Sizer(netlist, parts, nets, clocks, around, weight)
    order = [name for name in reversed(topological(netlist, nets, parts))
             if len(library.families.get(parts[netlist.instances[name].kind].family, ())) > 1]
    for _ in range(SWEEPS):
        for name in order:
            kind = netlist.instances[name].kind
            netlist.instances[name].kind = sizer.best(
                name, library.families[parts[kind].family]).name


def topological(netlist: Netlist, nets: Mapping[Bit, Net],
                parts: Mapping[str, Cell]) -> list[str]:
    """Instances in an order in which drivers come before what they drive, registers first.

    Where signals run in a circle through submodules, the order is any.
    """
    waiting = {}
    ready = []
    for name, instance in netlist.instances.items():
        part = parts[instance.kind]
        count = 0 if part.sequential else sum(
            1 for pin, bit in instance.pins.items() if pin in part.inputs
            and not isinstance(bit, str) and nets[bit].driver is not None)
        waiting[name] = count
        if count == 0:
            ready.append(name)
    order = []
    while ready:
        name = ready.pop()
        order.append(name)
        instance = netlist.instances[name]
        for pin in parts[instance.kind].outputs:
            for sink, _ in nets[instance.pins[pin]].sinks if _is_net(instance.pins, pin) else ():
                waiting[sink] -= 1
                if waiting[sink] == 0:
                    ready.append(sink)
    seen = set(order)
    return order + [name for name in netlist.instances if name not in seen]


def _is_net(pins: Mapping[str, Bit], pin: str) -> bool:
    return isinstance(pins.get(pin), int)


class _Sizer:
    """Weighs the drive strengths of one instance with the rest as it is."""

    def __init__(self, netlist: Netlist, parts: Mapping[str, Cell], nets: Mapping[Bit, Net],
                 clocks: set[Bit], around: Surroundings, weight: float) -> None:
        self._instances, self._parts, self._nets = netlist.instances, parts, nets
        self._clocks, self._around, self._weight = clocks, around, weight

    def best(self, name: str, family: list[Cell]) -> Cell:
        """The member of a family that suits an instance best."""
        pins = self._instances[name].pins
        loads = {pin: self._load(pins[pin]) for pin in family[0].outputs if _is_net(pins, pin)}
        drives = [(pin, self._drive(pins[pin])) for pin in family[0].inputs
                  if _is_net(pins, pin) and pins[pin] not in self._clocks]

        def cost(cell: Cell) -> float:
            own = max((cell.outputs[pin].delay_ps(load) for pin, load in loads.items()),
                      default=0.0)
            others = sum(drive * cell.inputs[pin] for pin, drive in drives)
            return own + others / max(1, len(drives)) + self._weight * cell.area_um2
        return min(family, key=cost)

    def _load(self, bit: Bit) -> float:
        net, instances = self._nets[bit], self._instances
        pins = sum(self._parts[instances[name].kind].inputs[pin] for name, pin in net.sinks)
        ports = sum(self._around.output_ff.get(pin, 0.0) for pin in net.ports)
        return pins + ports + self._around.wire_ff * (len(net.sinks) + len(net.ports))

    def _drive(self, bit: Bit) -> float:
        driver = self._nets[bit].driver
        if driver is None:
            return self._around.input_driver.ps_per_ff
        name, pin = driver
        return self._parts[self._instances[name].kind].outputs[pin].ps_per_ff
