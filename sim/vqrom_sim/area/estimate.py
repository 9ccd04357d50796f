"""Area of an accelerator: every distinct module synthesised once, multiplied by its instances."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.export import METADATA, TOP, VERILOG, generate
from vqrom_hw.isa import QUEUES
from vqrom_sw.progress import Progress

from .codebook_registers import registers_for
from .liberty import (
    GENERIC,
    GENERIC_SOURCE,
    Library,
    generic_liberty,
    parse_liberty,
    read_liberties,
)
from .synthesis import Memory, SynthesizedModule, split_modules, synthesize

SCHEMA = "vqrom.area/1"
"""Format of ``area.json``."""

GROUPS = ("array", "rom", "decode", "accumulators", "post", "vector", "activation_buffer", "dma",
          "control")
"""Groups of components, in the order in which they are reported."""
COMPONENT_GROUPS: dict[str, str] = {
    "compute_unit": "array", "processing_array": "array", "sequencer": "array",
    "codebook_rom": "rom", "codebook_ram": "rom",
    "weight_feed": "decode", "weight_loader": "decode",
    "accumulator_banks": "accumulators",
    "post_processor": "post", "unpacker_parameter": "post",
    "vector_unit": "vector",
    "activation_buffer": "activation_buffer",
    "dma_read": "dma", "dma_write": "dma", "load_unit": "dma", "store_unit": "dma",
    "load_request_unit": "dma", "store_request_unit": "dma",
    "csr": "control", "counter_bank": "control", "command_processor": "control",
    **{f"{queue}_queue": "control" for queue in QUEUES}, TOP: "control",
}
"""Group of a component; one that is not named belongs to that of what it is in."""
SIZES = ("cells", "flip_flops", "nand2", "memory_bits")
"""Sizes that add up: library cells, flip-flops among them, NAND2 equivalents, and bits in memories
that are kept whole."""
_NUMBERS = re.compile(r"(_\d+)+$")


@dataclass(frozen=True)
class Place:
    """A place in the instance tree; instances that differ only by number share it.

    Members
    -------
    component:
        Path from the top, ``weight_loader/codebook_rom``; the top itself is ``vqrom``.
    group:
        One of :data:`GROUPS`.
    module:
        Verilog module.
    """

    component: str
    group: str
    module: str


def measure_area(config: AcceleratorConfig, codewords: np.ndarray, liberties: Sequence[Path] = (),
                 progress: Progress | None = None) -> dict[str, Any]:
    """Area of an accelerator that has not been written yet.

    Parameters
    ----------
    config:
        The accelerator.
    codewords:
        int8 ``[k, d]``: the ROM's contents.
    liberties, progress:
        As for :func:`estimate_area`.

    Raises
    ------
    VqromError
        If the codebook does not fit, or the library does not serve.
    """
    with tempfile.TemporaryDirectory() as name:
        generate(config, codewords, Path(name))
        return estimate_area(config, Path(name), liberties, progress)


def estimate_area(config: AcceleratorConfig, directory: Path, liberties: Sequence[Path] = (),
                  progress: Progress | None = None) -> dict[str, Any]:
    """Area of a generated accelerator, from synthesis.

    Parameters
    ----------
    config:
        The accelerator that was generated.
    directory:
        Where :func:`vqrom_hw.export.design.generate` wrote it.
    liberties:
        Liberty files of the cell library, gzipped or not; without one, the generic library, whose
        unit is the NAND2 equivalent.
    progress:
        Called with what is being done, modules done and modules to do.

    Returns
    -------
    dict
        What ``area.json`` holds (``docs/sim/area.md``).

    Raises
    ------
    VqromError
        If the directory holds no design of this configuration, or the library does not serve.
    """
    library = read_liberties(liberties) if liberties else parse_liberty(generic_liberty())
    sha256 = check_design(config, directory)
    modules = split_modules((directory / VERILOG).read_text(encoding="utf-8"))
    netlists = synthesize(modules, library.texts, directory, progress)
    places = count_instances(netlists)
    components = component_rows(places, netlists, library)
    groups = {group: add_up([row for row in components if row["group"] == group])
              for group in GROUPS}
    return {
        "schema": SCHEMA,
        "config": config.model_dump(mode="json"),
        "codebook_sha256": sha256,
        "library": describe_library(library),
        "components": components,
        "groups": groups,
        "memories": memory_rows(places, netlists),
        "total": add_up(components),
        "codebook_storage": {
            "bits": config.codewords * config.codeword_width,
            "read_ports": config.decode_ports,
            "rom": groups["rom"],
            "registers": registers_for(config, library.texts, progress,
                                       lambda cells: size_of(cells, library)),
        },
    }


def check_design(config: AcceleratorConfig, directory: Path) -> str:
    """SHA-256 of the codebook in a generated design.

    Raises
    ------
    VqromError
        If the directory holds no design, or that of another configuration.
    """
    try:
        metadata = json.loads((directory / METADATA).read_text(encoding="utf-8"))
        parameters, sha256 = metadata["parameters"], metadata["codebook"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise VqromError(f"design {str(directory)!r} must hold a {METADATA!r} as vqrom generate "
                         "writes it") from None
    expected = config.model_dump(mode="json", exclude={"dram_latency"})
    for name, value in expected.items():
        if parameters.get(name) != value:
            raise VqromError(f"design {str(directory)!r} must have {name} {value!r}, as in config "
                             f"{config.name!r}, not {parameters.get(name)!r}")
    return sha256


def count_instances(netlists: Mapping[str, SynthesizedModule],
                    top: str = TOP) -> Counter[Place]:
    """How often each place of the instance tree occurs.

    Parameters
    ----------
    netlists:
        Every module by name, each without what is inside its submodules.
    top:
        Module at the root of the tree.
    """
    return Counter(place for _, place in instances(netlists, top))


def instances(netlists: Mapping[str, SynthesizedModule],
              top: str = TOP) -> Iterator[tuple[tuple[str, ...], Place]]:
    """Every instance of the tree, from the top: its names from there on, none for the top itself,
    and its place."""
    def visit(path: tuple[str, ...], place: Place) -> Iterator[tuple[tuple[str, ...], Place]]:
        yield path, place
        for instance, module in netlists[place.module].instances:
            name = _NUMBERS.sub("", instance)
            component = name if place.module == top else f"{place.component}/{name}"
            child = Place(component, COMPONENT_GROUPS.get(name, place.group), module)
            yield from visit((*path, instance), child)

    yield from visit((), Place(top, COMPONENT_GROUPS[TOP], top))


def component_rows(places: Mapping[Place, int], netlists: Mapping[str, SynthesizedModule],
                   library: Library) -> list[dict[str, Any]]:
    """Rows of a table with the size of each component: all its instances together, without what is
    inside their submodules; by group, then by name."""
    rows: dict[str, dict[str, Any]] = {}
    for place, count in places.items():
        netlist = netlists[place.module]
        own = size_of(netlist.cells, library) | {
            "memory_bits": sum(memory.bits for memory in netlist.memories)}
        row = rows.setdefault(place.component, {
            "component": place.component, "group": place.group, "modules": [], "instances": 0,
            **dict.fromkeys(SIZES, 0), "area_um2": None})
        row["modules"].append(place.module)
        row["instances"] += count
        for key, value in own.items():
            if value is not None:
                row[key] = _rounded((row[key] or 0) + value * count)
    return sorted(rows.values(), key=lambda row: (GROUPS.index(row["group"]), row["component"]))


def size_of(cells: Mapping[str, int], library: Library) -> dict[str, Any]:
    """Cells, flip-flops (latches too), NAND2 equivalents and area of a set of library cells.

    The area is in µm² and is None for the generic library, whose unit is the NAND2 equivalent.

    Raises
    ------
    VqromError
        If the library gives no area for one of them.
    """
    unknown = sorted(set(cells) - set(library.cells))
    if unknown:
        raise VqromError(f"liberty library {library.name!r} must give cell {unknown[0]!r} an area")
    area = math.fsum(library.cells[name].area * count for name, count in cells.items())
    return {
        "cells": sum(cells.values()),
        "flip_flops": sum(count for name, count in cells.items()
                          if library.cells[name].sequential),
        "nand2": _rounded(area / library.nand2.area),
        "area_um2": None if library.name == GENERIC else _rounded(area),
    }


def add_up(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sizes of several components together."""
    total: dict[str, Any] = {key: _rounded(sum(row[key] for row in rows)) for key in SIZES}
    areas = [row["area_um2"] for row in rows]
    return total | {"area_um2": None if None in areas else _rounded(math.fsum(areas))}


def memory_rows(places: Mapping[Place, int],
                netlists: Mapping[str, SynthesizedModule]) -> list[dict[str, Any]]:
    """Each memory that synthesis kept whole, with its ports; equal ones of a component are one."""
    counts: Counter[tuple[str, str, Memory]] = Counter()
    for place, count in places.items():
        for memory in netlists[place.module].memories:
            counts[place.component, place.group, memory] += count
    return [{"component": component, "group": group, "instances": count, **asdict(memory),
             "bits": memory.bits}
            for (component, group, memory), count in counts.items()]


def describe_library(library: Library) -> dict[str, Any]:
    """Which cells the figures are of, and what one NAND2 equivalent is."""
    return {
        "name": library.name,
        "source": GENERIC_SOURCE if library.name == GENERIC else "Liberty files of the user",
        "sha256": library.sha256,
        "nand2_cell": library.nand2.name,
        "nand2_area_um2": None if library.name == GENERIC else library.nand2.area,
        "estimator": f"Yosys (pyosys {version('pyosys')}), logic synthesis without layout",
    }


def _rounded(value: float) -> float | int:
    return value if isinstance(value, int) else round(value, 3)
