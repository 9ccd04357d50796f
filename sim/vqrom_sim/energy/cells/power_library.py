"""Energies of library cells: what a transition of each pin costs, at a typical transition time.

A Liberty file gives the energy inside a cell for a rise and for a fall of an output, by the input
that caused it, and that of inputs and clocks whose output stays. Rises and falls of a net
alternate, so one number stands for both: their mean. Means are taken over the states (``when``) of
a cell and then over the inputs that a table is related to; tables of several supply rails
(``related_pg_pin``) add up, as the format says.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vqrom_hw.errors import VqromError

from .liberty_groups import Group, library_head, read_cells
from .power_tables import fixed_slew, table_over_loads

FAN_OUT = 4
"""Inverters that each inverter of the chain drives which sets the typical transition time."""
_PREFIXES = {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


@dataclass(frozen=True)
class InputPin:
    """An input of a cell.

    Members
    -------
    name:
        Of the pin.
    load_ff:
        Its capacitance.
    toggle_fj:
        Energy inside the cell for a transition of this pin that no output follows.
    """

    name: str
    load_ff: float
    toggle_fj: float


@dataclass(frozen=True)
class OutputPin:
    """An output of a cell.

    Members
    -------
    name, function:
        Of the pin; the function in Liberty's notation.
    loads_ff, toggle_fj:
        float64 ``[n]``: energy inside the cell for a transition of this pin, by the load.
    delay_ns:
        float64 ``[n]``: time from an input to this pin, by the load; the mean of its arcs.
    """

    name: str
    function: str
    loads_ff: np.ndarray
    toggle_fj: np.ndarray
    delay_ns: np.ndarray

    def energy_fj(self, load_ff: float) -> float:
        """Energy inside the cell for a transition of this pin with a load."""
        return float(np.interp(load_ff, self.loads_ff, self.toggle_fj))

    def time_ns(self, load_ff: float) -> float:
        """Time from an input to this pin with a load."""
        return float(np.interp(load_ff, self.loads_ff, self.delay_ns))


@dataclass(frozen=True)
class PowerCell:
    """A cell as the gate simulation needs it.

    Members
    -------
    name, area_um2, leakage_nw:
        The cell, its area, and what it leaks, the mean of its states.
    inputs, outputs:
        Its pins.
    register:
        Attributes of its ``ff`` group (``clocked_on``, ``next_state``, ``clear``, ``preset``) and
        the names of its state and the state's inverse (``state``, ``inverse``); empty for logic.
    """

    name: str
    area_um2: float
    leakage_nw: float
    inputs: tuple[InputPin, ...]
    outputs: tuple[OutputPin, ...]
    register: Mapping[str, str]


@dataclass(frozen=True)
class PowerLibrary:
    """Cells of a library with their energies.

    Members
    -------
    name, supply_v:
        The library, and its supply voltage.
    slew_ns:
        Transition time that all energies are of.
    stage_ns:
        Delay of an inverter with a load of :data:`FAN_OUT` of its like.
    cells:
        Those that were asked for, by name.
    """

    name: str
    supply_v: float
    slew_ns: float
    stage_ns: float
    cells: Mapping[str, PowerCell]


@dataclass(frozen=True)
class _Units:
    """A library's units in fF, fJ, nW and ns."""

    load_ff: float
    energy_fj: float
    leakage_nw: float
    time_ns: float


def read_power(texts: Sequence[str], names: Iterable[str], inverter: str) -> PowerLibrary:
    """Read cells from the Liberty texts of one library.

    Parameters
    ----------
    texts:
        The library's texts, which share units and supply voltage.
    names:
        Cells to read.
    inverter:
        The cell of the chain that sets the transition time (:func:`.power_tables.fixed_slew`), each
        with a load of :data:`FAN_OUT` of its like.

    Raises
    ------
    VqromError
        If units differ or are not understood, a cell is missing, or it lacks what its energy
        follows from.
    """
    heads = [library_head(text) for text in texts]
    described = {(_units(head), _supply(head)) for head in heads}
    if len(described) != 1:
        raise VqromError("Liberty files of one library must share units and supply voltage, "
                         f"unlike {[head.name for head in heads]!r}")
    (units, supply), = described
    wanted = {*names, inverter}
    groups = {name: group for text in texts for name, group in read_cells(text, wanted).items()}
    missing = sorted(wanted - set(groups))
    if missing:
        raise VqromError(f"Liberty library {heads[0].name!r} must have cell {missing[0]!r}")
    chain = groups[inverter]
    load = sum(float(pin.attributes.get("capacitance", 0)) for pin in chain.all("pin"))
    slew = fixed_slew(chain, FAN_OUT * load)
    cells = {name: _cell(group, slew, units) for name, group in groups.items()}
    stage = cells[inverter].outputs[0].time_ns(FAN_OUT * load * units.load_ff)
    return PowerLibrary(heads[0].name, supply, slew * units.time_ns, stage, cells)


def _supply(head: Group) -> float:
    try:
        return float(head.attributes["nom_voltage"])
    except (KeyError, ValueError):
        raise VqromError(f"Liberty library {head.name!r} must have a number as "
                         "nom_voltage") from None


def _units(head: Group) -> _Units:
    load, unit = re.split(r"\s*,\s*", head.attributes.get("capacitive_load_unit", "1, pf"))[:2]
    farad = float(load) * _PREFIXES[unit.strip().lower().removesuffix("f")]
    volt = _quantity(head, "voltage_unit", "V")
    # The format has no unit of energy; capacitance times voltage squared is what its tables are in.
    return _Units(farad / 1e-15, farad * volt ** 2 / 1e-15,
                  _quantity(head, "leakage_power_unit", "W") / 1e-9,
                  _quantity(head, "time_unit", "s") / 1e-9)


def _quantity(head: Group, attribute: str, unit: str) -> float:
    text = head.attributes.get(attribute, "")
    match = re.fullmatch(rf"([\d.]+)\s*([afpnum]?){unit}", text, re.IGNORECASE)
    if match is None:
        raise VqromError(f"Liberty library {head.name!r} must have {attribute} in {unit}, "
                         f"not {text!r}")
    return float(match.group(1)) * _PREFIXES[match.group(2).lower()]


def _cell(group: Group, slew: float, units: _Units) -> PowerCell:
    pins = group.all("pin")
    unread = [child.kind for child in group.children
              if child.kind in ("latch", "latch_bank", "ff_bank", "statetable", "bus", "bundle")]
    if unread:
        raise VqromError(f"Liberty cell {group.name!r} must be logic or one flip-flop, "
                         f"not a {unread[0]}")
    return PowerCell(
        group.name, float(group.attributes.get("area", "nan")),
        _leakage(group) * units.leakage_nw,
        tuple(_input(pin, slew, units) for pin in pins
              if pin.attributes.get("direction") == "input"),
        tuple(_output(pin, slew, units) for pin in pins if "function" in pin.attributes),
        _register(group))


def _register(group: Group) -> dict[str, str]:
    registers = group.all("ff")
    if not registers:
        return {}
    state, inverse = (part.strip() for part in registers[0].name.split(","))
    return {**registers[0].attributes, "state": state, "inverse": inverse}


def _leakage(group: Group) -> float:
    """The mean over a cell's states, as the library says, else of its values."""
    if "cell_leakage_power" in group.attributes:
        return float(group.attributes["cell_leakage_power"])
    rails: dict[str, list[Group]] = defaultdict(list)
    for leakage in group.all("leakage_power"):
        rails[leakage.attributes.get("related_pg_pin", "")].append(leakage)
    if not rails:
        raise VqromError(f"Liberty cell {group.name!r} must have a leakage power")
    total = 0.0
    for states in rails.values():
        whole = [state for state in states if "when" not in state.attributes] or states
        total += float(np.mean([float(state.attributes["value"]) for state in whole]))
    return total


def _input(pin: Group, slew: float, units: _Units) -> InputPin:
    energy = _energy(pin, lambda table: table_over_loads(table, slew, np.zeros(1)), np.zeros(1))
    return InputPin(pin.name, float(pin.attributes.get("capacitance", 0)) * units.load_ff,
                    float(energy[0]) * units.energy_fj)


def _output(pin: Group, slew: float, units: _Units) -> OutputPin:
    powers = [table for power in pin.all("internal_power") for table in power.children]
    delays = [table for timing in pin.all("timing") for table in timing.children
              if table.kind in ("cell_rise", "cell_fall")]
    axes = [axis for table in (*powers, *delays) if len(axis := table.numbers("index_2"))]
    if not delays or not axes:
        raise VqromError(f"Liberty output pin {pin.name!r} must have tables of its delay by load")
    loads = axes[0]
    energy = _energy(pin, lambda table: table_over_loads(table, slew, loads), np.zeros(len(loads)))
    delay = np.mean([table_over_loads(table, slew, loads) for table in delays], axis=0)
    return OutputPin(pin.name, pin.attributes["function"], loads * units.load_ff,
                     energy * units.energy_fj, delay * units.time_ns)


def _energy(pin: Group, read: Callable[[Group], np.ndarray], nothing: np.ndarray) -> np.ndarray:
    """A pin's energy for a transition: rise and fall, states and related pins averaged, rails
    added."""
    rails: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    for power in pin.all("internal_power"):
        tables = [read(table) for table in power.children
                  if table.kind in ("rise_power", "fall_power", "power")]
        if tables:
            both = tables if power.all("power") or len(tables) == 2 else [*tables, nothing]
            rail = rails[power.attributes.get("related_pg_pin", "")]
            rail[power.attributes.get("related_pin", "")].append(np.mean(both, axis=0))
    return sum((np.mean([np.mean(states, axis=0) for states in related.values()], axis=0)
                for related in rails.values()), nothing)
