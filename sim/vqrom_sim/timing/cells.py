"""Cells of a library as a load and a driver: what sizing and fan-out trees are chosen by.

A driver is taken as linear: ``delay = intrinsic + resistance * load``, the line through two points
of the Liberty's delay table. OpenSTA times the netlist with the tables themselves; the line only
chooses sizes.
"""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from vqrom_hw.errors import VqromError

from .liberty_tree import Group, numbers, read_tree

NOT_FOR_LOGIC = ("dont_use", "always_on", "is_isolation_cell", "is_level_shifter",
                 "retention_cell")
"""Attributes of cells that cross power domains, or that the library asks not to use."""
LIGHT, HEAVY = 2.0, 16.0
"""Loads between which the line of a driver is drawn, in inputs of the smallest inverter."""

_TIME = {"ps": 1.0, "ns": 1e3, "us": 1e6}
_CAPACITANCE = {"ff": 1.0, "pf": 1e3}
_UNIT = re.compile(r"\s*([\d.]+)\s*([a-z]+)\s*$")
_NO_DELAY = ("setup", "hold", "recovery", "removal", "min_pulse", "minimum_period", "skew",
             "non_seq", "nochange", "three_state")


@dataclass(frozen=True, order=True)
class Corner:
    """The conditions that a library is characterised for."""

    process: float
    voltage_v: float
    temperature_c: float


@dataclass(frozen=True)
class Driver:
    """An output pin: ``delay_ps = intrinsic_ps + ps_per_ff * load_ff``."""

    intrinsic_ps: float
    ps_per_ff: float

    def delay_ps(self, load_ff: float) -> float:
        """Delay into a load, worst of rising and falling and of all inputs."""
        return self.intrinsic_ps + self.ps_per_ff * load_ff


@dataclass(frozen=True)
class Cell:
    """A cell of the library.

    Members
    -------
    name, area_um2:
        As the Liberty says.
    family:
        Cells that compute the same with the same pins share it: they differ in drive strength.
    inputs:
        Capacitance of each input pin in fF.
    outputs:
        Driver of each output pin.
    clocks:
        Input pins that are clocks.
    sequential:
        Whether it is a flip-flop or a latch; memories and submodules count as such, too.
    needs_ps:
        Time that a signal takes from an input to where it is stored, for submodules.
    """

    name: str
    area_um2: float
    family: tuple
    inputs: Mapping[str, float]
    outputs: Mapping[str, Driver]
    clocks: frozenset[str]
    sequential: bool
    needs_ps: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def mean_input_ff(self) -> float:
        """Mean capacitance of the inputs that are no clocks."""
        loads = [load for pin, load in self.inputs.items() if pin not in self.clocks]
        return sum(loads) / len(loads) if loads else 0.0


@dataclass(frozen=True)
class TimedLibrary:
    """All cells that a mapped netlist may hold.

    Members
    -------
    cells:
        By name.
    families:
        Drive strengths of each family that may be exchanged, smallest first.
    buffers:
        The family of buffers with the most drive strengths.
    inverter_ff:
        Input of the smallest inverter: the unit of load.
    unusable:
        Cells that :data:`NOT_FOR_LOGIC` excludes.
    corner:
        Conditions that the library is of.
    """

    cells: Mapping[str, Cell]
    families: Mapping[tuple, Sequence[Cell]]
    buffers: Sequence[Cell]
    inverter_ff: float
    unusable: frozenset[str]
    corner: Corner


def read_cells(texts: Iterable[str]) -> TimedLibrary:
    """The cells of one library in one or several Liberty texts.

    Raises
    ------
    VqromError
        If a text is no Liberty library, units or tables cannot be understood, the texts are of
        different corners, or there is no inverter or no buffer.
    """
    libraries = [read_tree(text) for text in texts]
    corners = {_corner(library) for library in libraries}
    if len(corners) != 1:
        raise VqromError(f"liberty files must be of one corner, not {sorted(corners)}")
    groups = [(library, cell) for library in libraries for cell in library.of_kind("cell")]
    inverter_ff = _smallest_inverter(groups)
    cells: dict[str, Cell] = {}
    unusable = set()
    for library, group in groups:
        if any(group.attributes.get(name) == "true" for name in NOT_FOR_LOGIC):
            unusable.add(group.name)
        if "area" in group.attributes:
            cells[group.name] = _cell(library, group, inverter_ff)
    families: dict[tuple, list[Cell]] = defaultdict(list)
    for cell in cells.values():
        if cell.name not in unusable and cell.outputs and cell.family[1]:
            families[cell.family].append(cell)
    for family in families.values():
        family.sort(key=lambda cell: (cell.area_um2, cell.name))
    buffers = [family for family in families.values() if _is_buffer(family[0])]
    if not buffers:
        raise VqromError("liberty library must have a buffer; it has none")
    return TimedLibrary(cells, {key: _useful(family) for key, family in families.items()},
                       _useful(max(buffers, key=len)), inverter_ff, frozenset(unusable),
                       corners.pop())


def _useful(family: Sequence[Cell]) -> list[Cell]:
    """Members that are better than every smaller one in something: delay cells are not."""
    kept: list[Cell] = []
    for cell in family:
        if not any(_dominates(smaller, cell) for smaller in kept):
            kept.append(cell)
    return kept


def _dominates(one: Cell, other: Cell) -> bool:
    return (all(one.inputs[pin] <= load for pin, load in other.inputs.items())
            and all(one.outputs[pin].intrinsic_ps <= driver.intrinsic_ps
                    and one.outputs[pin].ps_per_ff <= driver.ps_per_ff
                    for pin, driver in other.outputs.items()))


def _corner(library: Group) -> Corner:
    values = [library.attributes.get(f"nom_{name}", "") for name in
              ("process", "voltage", "temperature")]
    try:
        return Corner(*(float(value) for value in values))
    except ValueError:
        raise VqromError(f"liberty library {library.name!r} must state its nominal process, "
                         f"voltage and temperature, not {values}") from None


def _units(library: Group) -> tuple[float, float]:
    """Picoseconds of the library's unit of time, and femtofarads of that of capacitance."""
    time = _UNIT.match(library.attributes.get("time_unit", "1ns").lower())
    load = library.attributes.get("capacitive_load_unit", "1, pf").lower().replace('"', "")
    number, _, unit = load.partition(",")
    try:
        assert time is not None
        return (float(time[1]) * _TIME[time[2]], float(number) * _CAPACITANCE[unit.strip()])
    except (AssertionError, KeyError, ValueError):
        raise VqromError(f"liberty library {library.name!r} must have units of ps, ns, us and fF, "
                         f"pF, not {library.attributes.get('time_unit')!r} and {load!r}") from None


def _smallest_inverter(groups: Iterable[tuple[Group, Group]]) -> float:
    loads = []
    for library, cell in groups:
        pins = list(cell.of_kind("pin"))
        inputs = [pin for pin in pins if pin.attributes.get("direction") == "input"]
        functions = [_function(pin) for pin in pins if "function" in pin.attributes]
        if len(inputs) == 1 and functions == [f"!{inputs[0].name}"]:
            loads.append(_load(library, inputs[0]))
    if not loads:
        raise VqromError("liberty library must have an inverter; it has none")
    return min(loads)


def _function(pin: Group) -> str:
    text = re.sub(r"\s", "", pin.attributes.get("function", ""))
    while re.fullmatch(r"\([^()]*\)", text):
        text = text[1:-1]
    return re.sub(r"^!\((\w+)\)$|^\((\w+)\)'$|^(\w+)'$",
                  lambda match: "!" + next(filter(None, match.groups())), text)


def _load(library: Group, pin: Group) -> float:
    values = [float(pin.attributes[name]) for name in
              ("capacitance", "rise_capacitance", "fall_capacitance") if name in pin.attributes]
    return max(values, default=0.0) * _units(library)[1]


def _cell(library: Group, group: Group, unit_ff: float) -> Cell:
    pins = [pin for pin in group.of_kind("pin")]
    inputs = {pin.name: _load(library, pin) for pin in pins
              if pin.attributes.get("direction") == "input"}
    outputs = {pin.name: driver for pin in pins if pin.attributes.get("direction") == "output"
               and (driver := _driver(library, pin, unit_ff)) is not None}
    storage = [child for child in group.of_kind("ff", "latch", "ff_bank", "latch_bank",
                                                "statetable")]
    functions = tuple(sorted((pin.name, _function(pin)) for pin in pins
                             if "function" in pin.attributes))
    family = (group.attributes.get("cell_footprint", ""), functions, tuple(sorted(inputs)),
              tuple(tuple(sorted(child.attributes.items())) for child in storage))
    clocks = frozenset(pin.name for pin in pins if pin.attributes.get("clock") == "true")
    return Cell(group.name, float(group.attributes["area"]), family, inputs, outputs, clocks,
                bool(storage))


def _driver(library: Group, pin: Group, unit_ff: float) -> Driver | None:
    """The line above all arcs' lines; None for a pin without arcs, such as a constant's."""
    light, heavy = LIGHT * unit_ff, HEAVY * unit_ff
    points = []
    for arc in pin.of_kind("timing"):
        if not arc.attributes.get("timing_type", "combinational").startswith(_NO_DELAY):
            points += [(_delay_ps(library, table, light), _delay_ps(library, table, heavy))
                       for table in arc.of_kind("cell_rise", "cell_fall")]
    if not points:
        return None
    first, second = (max(values) for values in zip(*points, strict=True))
    slope = max(0.0, second - first) / (heavy - light)
    return Driver(first - slope * light, slope)


def _delay_ps(library: Group, table: Group, load_ff: float) -> float:
    """A delay table at a load, its input slew the second smallest that it lists."""
    template = next((child for child in library.of_kind("lu_table_template")
                     if child.name == table.name), Group("", ""))
    variables = [template.attributes.get(f"variable_{axis}", "") for axis in (1, 2)]
    values = numbers(table.attributes["values"])
    axes = [numbers(table.attributes.get(f"index_{axis}",
                                         template.attributes.get(f"index_{axis}", "")))
            for axis in (1, 2)]
    load_axis = next((axis for axis, name in enumerate(variables)
                      if name == "total_output_net_capacitance"), None)
    ps, ff = _units(library)
    if len(values) == 1:
        return values[0] * ps
    if load_axis is None or len(values) != max(1, len(axes[0])) * max(1, len(axes[1])):
        raise VqromError(f"liberty table {table.name!r} must be over input_net_transition and "
                         f"total_output_net_capacitance, not {variables}")
    loads, other = axes[load_axis], axes[1 - load_axis]
    slew = min(1, len(other) - 1)
    columns = len(axes[1])
    line = ([values[slew * columns + i] for i in range(len(loads))] if load_axis == 1 and other
            else [values[i * columns + slew] for i in range(len(loads))] if other else values)
    return _interpolate(loads, line, load_ff / ff) * ps


def _interpolate(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """Linear between points, and beyond them on the outermost lines."""
    if len(xs) == 1:
        return ys[0]
    right = min(max(bisect.bisect_left(xs, x), 1), len(xs) - 1)
    x0, x1, y0, y1 = xs[right - 1], xs[right], ys[right - 1], ys[right]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def _is_buffer(cell: Cell) -> bool:
    functions = cell.family[1]
    return (not cell.sequential and len(cell.inputs) == 1 and len(functions) == 1
            and functions[0][1] == next(iter(cell.inputs)))
