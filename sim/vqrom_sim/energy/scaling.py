"""Energies of one accelerator from those of another: by the sizes of their components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError

from .characterisation import Characterisation, ComponentEnergy

ONE_AT_A_TIME = ("codebook_rom", "codebook_ram", "accumulator_bank", "half", "activation_bank")
"""Parts of which an event concerns one instance: its energy goes with the area of an instance,
while elsewhere an event concerns the whole component."""


def scale(characterisation: Characterisation, config: AcceleratorConfig,
          area: Mapping[str, Any]) -> Characterisation:
    """Estimate an accelerator that was not simulated.

    Energies of events and cycles and leakage are scaled by the area of logic, those of the clock by
    flip-flops.

    Parameters
    ----------
    characterisation:
        Of another configuration, with the same cells.
    config:
        The accelerator.
    area:
        What ``area.json`` holds of it, with the same cell library.

    Raises
    ------
    VqromError
        If the library differs, or the accelerator has a component that the other one has not.
    """
    if area["library"]["sha256"] != characterisation.library["sha256"]:
        raise VqromError("area must be of the characterisation's cell library, "
                         f"{characterisation.library['name']!r}, not of "
                         f"{area['library']['name']!r}")
    known = {row.component: row for row in characterisation.components}
    rows = []
    for size in area["components"]:
        row = known.get(size["component"])
        if row is None and size["cells"]:
            raise VqromError(f"characterisation of {characterisation.config['name']!r} must have "
                             f"component {size['component']!r}")
        if row is not None:
            rows.append(_scaled(row, size))
    return replace(characterisation, config=config.model_dump(mode="json"), components=tuple(rows),
                   memories=tuple(area["memories"]), scaled_from=characterisation.config["name"])


def _scaled(row: ComponentEnergy, size: Mapping[str, Any]) -> ComponentEnergy:
    area = size["logic_um2"] / row.area_um2 if row.area_um2 else 1.0
    registers = size["flip_flops"] / row.flip_flops if row.flip_flops else 1.0
    alone = row.component.split("/")[-1] in ONE_AT_A_TIME
    share = row.instances / size["instances"] if alone else 1.0
    return replace(
        row, modules=tuple(size["modules"]), instances=size["instances"], simulated=0,
        flip_flops=size["flip_flops"], area_um2=size["logic_um2"],
        event_pj=row.event_pj * area * share, cycle_pj=row.cycle_pj * area,
        clock_pj=row.clock_pj * registers, leakage_uw=row.leakage_uw * area,
        events=0, cycles=0, idle_cycles=0)
