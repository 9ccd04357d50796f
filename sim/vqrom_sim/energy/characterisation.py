"""What an accelerator's logic costs, by event and by cycle: a record that can be saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sw.io import parse_json, read_bytes

MAX_BYTES = 64 << 20
"""Largest characterisation that is read."""
SCHEMA = "vqrom.characterisation/1"
"""Format of a characterisation's JSON."""


@dataclass(frozen=True)
class ComponentEnergy:
    """Energies of one component, all its instances together, without what is in their submodules.

    Members
    -------
    component, group:
        Path from the top, and the part that it counts for, as in ``area.json``.
    modules, instances, simulated:
        Verilog modules, how many instances there are, and how many of them were simulated.
    flip_flops, area_um2:
        Size.
    event, counters:
        What it is counted by, in words and as counters.
    event_pj:
        Energy of an event, beyond what the cycles cost.
    cycle_pj:
        Energy of changing data in every cycle, the mean of idle cycles.
    clock_pj:
        Energy of the clock in every cycle: flip-flops' clock pins, without a clock tree.
    leakage_uw:
        Leakage of all cells.
    settled_share:
        Part of the simulated energy of data that would be left without glitches.
    wire_share:
        Part of it that is in wires, whose length is assumed.
    events, cycles, idle_cycles:
        Of the recording.
    """

    component: str
    group: str
    modules: tuple[str, ...]
    instances: int
    simulated: int
    flip_flops: int
    area_um2: float
    event: str
    counters: tuple[str, ...]
    event_pj: float
    cycle_pj: float
    clock_pj: float
    leakage_uw: float
    settled_share: float
    wire_share: float
    events: int
    cycles: int
    idle_cycles: int


@dataclass(frozen=True)
class Characterisation:
    """Energies of an accelerator's logic, from a gate simulation of its netlists.

    Members
    -------
    config:
        Every member of the accelerator's configuration.
    library:
        ``name``, ``sha256``, ``supply_v``, ``slew_ns``, ``stage_ns`` of the cell library.
    assumptions:
        ``wire_pitches_per_sink``, ``wire_ff_per_um``.
    stimuli:
        ``network``, ``program_sha256``, ``windows`` (first cycle and the one after the last, each)
        of the recording.
    window_error:
        How far the energies by event and cycle miss the simulated energy of one window: root mean
        square over windows, relative to their mean.
    components:
        Energies of each component.
    memories:
        Rows of memories that synthesis kept whole, as ``area.json`` has them.
    scaled_from:
        Name of the configuration that was simulated, where this one was not; else None.
    """

    config: Mapping[str, Any]
    library: Mapping[str, Any]
    assumptions: Mapping[str, float]
    stimuli: Mapping[str, Any]
    window_error: float
    components: tuple[ComponentEnergy, ...]
    memories: tuple[Mapping[str, Any], ...]
    scaled_from: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """What its JSON holds."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Characterisation:
        """The characterisation that :meth:`as_dict` gave.

        Raises
        ------
        VqromError
            If it is none, or one of another version.
        """
        try:
            if value["schema"] != SCHEMA:
                raise VqromError(f"characterisation must have schema {SCHEMA!r}, "
                                 f"not {value['schema']!r}")
            rows = tuple(ComponentEnergy(**{
                **row, "modules": tuple(row["modules"]), "counters": tuple(row["counters"])})
                for row in value["components"])
            return cls(**{
                **{key: item for key, item in value.items() if key != "schema"},
                "components": rows, "memories": tuple(value["memories"])})
        except (KeyError, TypeError, AttributeError) as error:
            raise VqromError(f"characterisation must be complete; {error} is wrong") from None

    @classmethod
    def load(cls, path: Path) -> Characterisation:
        """Read a file of its JSON.

        Raises
        ------
        VqromError
            If it cannot be read, or is no characterisation.
        """
        content = read_bytes(path, "characterisation", MAX_BYTES)
        value = parse_json(content, f"characterisation {str(path)!r}")
        try:
            return cls.from_dict(value)
        except VqromError as error:
            raise VqromError(f"{str(path)!r}: {error}") from None
