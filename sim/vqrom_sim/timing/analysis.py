"""``timing.json``: how fast a design is, part by part, and what was assumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.export import TOP
from vqrom_sim.area import CellLibrary, Library, Memory, check_design, count_instances, macro_for
from vqrom_sim.technology import Technology
from vqrom_sw.io import cached_directory, content_key, source_digest
from vqrom_sw.progress import Progress

from . import opensta
from .cells import TimedLibrary, read_cells
from .composition import PORT_INVERTERS, Composition, compose
from .mapping import MappedDesign, kind_of, map_design, synthesize_for_speed
from .memories import INPUT_INVERTERS, SETUP_PART, header, memory_liberty, output_buffer
from .paths import describe, of_components
from .verilog import write_verilog
from .wires import FACTORS, FF_PER_UM, PITCHES_PER_SINK, Wires, wires_for

SCHEMA = "vqrom.timing/1"
"""Format of ``timing.json``."""
CLOCK = "clk"
"""Clock port of the generated design."""
PERIOD_PS = 1000.0
"""Period that OpenSTA is given. Paths start and end at the same edge, so that their delays do not
depend on it."""
SLOWEST = 10
"""Paths of the whole design that are listed."""


def timing_of(config: AcceleratorConfig, directory: Path, library: CellLibrary,
              period_ns: float | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """Static timing of a generated accelerator.

    Parameters
    ----------
    config:
        The accelerator that was generated.
    directory:
        Where :func:`vqrom_hw.export.generate` wrote it.
    library:
        Cells with delay tables, of one corner, and the technology of the memories.
    period_ns:
        A clock period to compare with; None for none.
    progress:
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    dict
        What ``timing.json`` holds (``docs/sim/timing.md``).

    Raises
    ------
    VqromError
        If OpenSTA is not installed or remarks on something, the directory holds no design of this
        configuration, the library has no delays, or a part of the design cannot be timed.
    """
    if period_ns is not None and not period_ns > 0:
        raise VqromError(f"period must be a positive number of nanoseconds, not {period_ns!r}")
    tool = opensta.version()
    sha256 = check_design(config, directory)
    if library.estimated:
        raise VqromError("timing needs a cell library with delay tables, which generic cells do "
                         "not have: name one by --liberty")
    cells = read_cells(library.library.texts)
    modules = synthesize_for_speed(config, directory, library.library, cells, progress)
    memories = {kind_of(memory): memory for module in modules.values()
                for memory in module.memories}
    access_ns = {kind: _access_ns(memory, library.technology)
                 for kind, memory in sorted(memories.items())}

    def build(folder: Path) -> None:
        result = _measure(map_design(modules, access_ns, cells), library.library, cells, folder,
                          progress)
        for file in folder.iterdir():
            file.unlink()
        (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    key = content_key(source_digest(__name__), tool, *library.library.texts, access_ns,
                      *(part for name in sorted(modules) for part in (name, modules[name].netlist)))
    cached = cached_directory("timing", key, build)
    result = json.loads((cached / "result.json").read_text(encoding="utf-8"))
    return _report(config, sha256, library, cells, tool, access_ns, memories, result, period_ns,
                   {place.component: place.group for place in count_instances(modules)})


def _access_ns(memory: Memory, technology: Technology) -> float:
    return macro_for(asdict(memory) | {"component": "the design"}, technology)[1].access_ns


def _measure(design: MappedDesign, library: Library, cells: TimedLibrary, folder: Path,
             progress: Progress | None) -> dict[str, Any]:
    """Buffer, size and time a design under every assumption about its wires."""
    parts = design.parts(cells)
    areas = [cells.cells[instance.kind].area_um2 for netlist in design.netlists.values()
             for instance in netlist.instances.values() if instance.kind in cells.cells]
    wires = wires_for(sum(areas) / len(areas))
    composition = compose(design.netlists, TOP, parts, cells, wires, progress)
    sections = _run(design, composition, library, cells, wires, folder, progress)
    timed = {name: opensta.read_paths(sections[name]) for name in FACTORS}
    netlists = {netlist.name: netlist for netlist in composition.netlists}
    nominal = timed["nominal"]
    return {
        "wires": {"um_per_sink": wires.um_per_sink, "ff_per_sink": wires.ff_per_sink},
        "mapping": _size(composition, design, cells),
        "periods_ps": {name: PERIOD_PS - paths[0].slack_ps for name, paths in timed.items()},
        "slowest": {name: describe(paths[0], netlists, PERIOD_PS)
                    for name, paths in timed.items()},
        "paths": [describe(path, netlists, PERIOD_PS)
                  for path in nominal if path.points][:SLOWEST],
        "components": of_components(nominal, netlists, PERIOD_PS),
        "ends": len(nominal),
    }


def _run(design: MappedDesign, composition: Composition, library: Library, cells: TimedLibrary,
         wires: Wires, folder: Path, progress: Progress | None) -> dict[str, list[str]]:
    (progress or (lambda what, done, total: None))("OpenSTA", 0, 0)
    files = {f"cells{number}.lib": text for number, text in enumerate(library.texts)}
    files["memories.lib"] = memory_liberty(design.macros.values(), cells)
    files["wires.lib"] = opensta.wires_liberty(
        header(opensta.WIRES_LIBRARY, cells.corner),
        {name: factor * wires.ff_per_sink for name, factor in FACTORS.items()})
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / opensta.DESIGN).write_text(
        write_verilog(composition.netlists, set(design.netlists)), encoding="utf-8")
    text = opensta.script(list(files), TOP, CLOCK, PERIOD_PS, output_buffer(cells).name,
                          PORT_INVERTERS * cells.inverter_ff, list(FACTORS), "nominal")
    sections = opensta.run(text, folder)
    opensta.check_setup(sections["check"])
    return sections


def _size(composition: Composition, design: MappedDesign, cells: TimedLibrary) -> dict[str, Any]:
    """Cells, buffers and area of the netlist that is timed."""
    netlists = {netlist.name: netlist for netlist in composition.netlists}
    totals: dict[str, Any] = {"cells": 0, "buffers": 0, "area_um2": 0.0}
    for place, count in count_instances(design.modules).items():
        kinds = [instance.kind for instance in netlists[place.module].instances.values()]
        own = [cells.cells[kind] for kind in kinds if kind in cells.cells]
        totals["cells"] += count * len(own)
        totals["buffers"] += count * composition.buffers[place.module]
        totals["area_um2"] += count * sum(cell.area_um2 for cell in own)
    return totals | {"area_um2": round(totals["area_um2"], 3)}


def _report(config: AcceleratorConfig, sha256: str, library: CellLibrary, cells: TimedLibrary,
            tool: str, access_ns: Mapping[str, float], memories: Mapping[str, Memory],
            result: Mapping[str, Any], period_ns: float | None,
            groups: Mapping[str, str]) -> dict[str, Any]:
    period = result["periods_ps"]["nominal"]
    return {
        "schema": SCHEMA, "config": config.model_dump(mode="json"), "codebook_sha256": sha256,
        "library": library.describe() | {
            "corner": asdict(cells.corner),
            "estimator": f"OpenSTA {tool}; {library.describe()['estimator']}"},
        "technology": {"name": library.technology.name,
                       "node_nm": library.technology.node_nm},
        "period_ns": _ns(period), "fmax_mhz": _mhz(period),
        "asked": None if period_ns is None else {
            "period_ns": period_ns, "slack_ns": round(period_ns - period / 1e3, 4)},
        "wires": [{"name": name, "ff_per_sink": round(
            factor * result["wires"]["ff_per_sink"], 4), "period_ns": _ns(
                result["periods_ps"][name]), "fmax_mhz": _mhz(result["periods_ps"][name]),
                   "slowest": result["slowest"][name]} for name, factor in FACTORS.items()],
        "components": [{"component": row["component"],
                        "group": groups.get(row["component"], "control")} | row
                       for row in result["components"]],
        "paths": result["paths"], "ends": result["ends"], "mapping": result["mapping"],
        "memories": [{"kind": kind, "words": memories[kind].words, "width": memories[kind].width,
                      "access_ns": access_ns[kind],
                      "setup_ns": round(SETUP_PART * access_ns[kind], 6)} for kind in access_ns],
        "assumptions": {
            "wire": f"{PITCHES_PER_SINK:g} pitches of cells for each sink, "
                    f"{result['wires']['um_per_sink']:.3g} um, {FF_PER_UM:g} fF/um; no resistance",
            "clock": "ideal: no skew, no jitter, no tree",
            "ports": "what is outside takes no time; inputs are driven by a buffer",
            "memories": f"access time of the technology; inputs {SETUP_PART:.0%} of it before "
                        f"the clock, each a load of {INPUT_INVERTERS:g} inverters",
        },
    }


def _ns(picoseconds: float) -> float:
    return round(picoseconds / 1e3, 4)


def _mhz(period_ps: float) -> float:
    return round(1e6 / period_ps, 2)
