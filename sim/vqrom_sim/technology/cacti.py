"""The figure of CACTI beside ours, where a Python package that carries CACTI is installed.

CACTI (version 7: R. Balasubramonian et al., ACM TACO 14, 2017) is a program of its own, which
``hwcomponents-cacti`` and ``zigzag-dse`` bring along. Nothing here depends on them, and neither is
imported: their tool is found, started and read.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from .shapes import MemoryShape
from .technology import Technology

PACKAGES = {"hwcomponents_cacti": "cacti", "zigzag": "cacti/cacti_master"}
"""Packages that carry CACTI, and the folder of each that holds the program."""
TEMPLATE = "lpddr.cfg"
"""A configuration that every CACTI 7 brings, whose lines give the values that we do not."""
NODES_NM = (22.0, 90.0)
"""Nodes that CACTI has parameters for."""
SECONDS = 120
"""How long a run may take."""
Transistors = Literal["itrs-hp", "itrs-lop", "itrs-lstp"]
"""CACTI's transistors: high performance, low operating power, low standby power."""


@dataclass(frozen=True)
class CactiEstimate:
    """What CACTI says of a macro, at 300 K.

    Members
    -------
    area_um2, width_um, height_um, access_ns, read_pj, write_pj, leakage_uw:
        As in :class:`~.shapes.MacroEstimate`.
    package:
        Python package whose CACTI it was.
    """

    area_um2: float
    width_um: float
    height_um: float
    access_ns: float
    read_pj: float
    write_pj: float
    leakage_uw: float
    package: str


def cacti_tools() -> list[tuple[str, Path]]:
    """Packages that carry a CACTI, with its path; an empty list if there is none."""
    tools = []
    for package, folder in PACKAGES.items():
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec else []:
            tool = Path(place).resolve() / folder / "cacti"
            if os.access(tool, os.X_OK) and (tool.parent / TEMPLATE).is_file():
                tools.append((package, tool))
    return tools


def cacti_estimate(shape: MemoryShape, technology: Technology,
                   transistors: Transistors = "itrs-hp") -> CactiEstimate | None:
    """CACTI's figures of an SRAM at a technology's node.

    Parameters
    ----------
    shape:
        The memory, ``sram_1rw`` or ``sram_1r1w``.
    technology:
        Gives the node; CACTI has constants of its own.
    transistors:
        Those of cells and periphery.

    Returns
    -------
    CactiEstimate or None
        None if no CACTI that runs on this machine is installed, if it has no such memory (register
        files, ROMs, words that are not whole bytes, nodes outside of :data:`NODES_NM`), or if it
        finds no solution, as for the smallest memories.
    """
    low, high = NODES_NM
    if (shape.kind not in ("sram_1rw", "sram_1r1w") or shape.width % 8
            or not low <= technology.node_nm <= high):
        return None
    settings = _settings(shape, technology.node_nm, transistors)
    estimates = (_run(package, tool, settings) for package, tool in cacti_tools())
    return next((estimate for estimate in estimates if estimate is not None), None)


def _run(package: str, tool: Path, settings: dict[str, str]) -> CactiEstimate | None:
    """Figures of one CACTI, or None if it does not run or finds no solution."""
    with tempfile.TemporaryDirectory() as name:
        configuration = Path(name).resolve() / "macro.cfg"
        configuration.write_text(_configuration(
            (tool.parent / TEMPLATE).read_text(encoding="utf-8", errors="replace"), settings),
            encoding="utf-8")
        # CACTI finds its parameters beside itself and does not take an absolute path.
        try:
            run = subprocess.run(
                [str(tool), "-infile", os.path.relpath(configuration, tool.parent)],
                cwd=tool.parent, capture_output=True, text=True, errors="replace",
                timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        table = configuration.with_name("macro.cfg.out")
        if not table.is_file():
            return None
        return _result(table.read_text(encoding="utf-8", errors="replace"), run.stdout, package)


def _settings(shape: MemoryShape, node_nm: float, transistors: str) -> dict[str, str]:
    """Our lines of a configuration."""
    own = (0, 1, 1) if shape.kind == "sram_1r1w" else (1, 0, 0)
    return {
        "-size (bytes)": str(shape.bits // 8),
        "-block size (bytes)": str(shape.width // 8),
        "-associativity": "1",
        "-read-write port": str(own[0]),
        "-exclusive read port": str(own[1]),
        "-exclusive write port": str(own[2]),
        "-single ended read ports": "0",
        "-UCA bank count": "1",
        "-technology (u)": str(node_nm / 1000),
        "-output/input bus width": str(shape.width),
        "-operating temperature (K)": "300",
        "-cache type": '"ram"',
        "-Data array cell type -": f'"{transistors}"',
        "-Data array peripheral type -": f'"{transistors}"',
        "-Add ECC -": '"false"',
    }


def _configuration(template: str, settings: dict[str, str]) -> str:
    """The template with our lines in the place of its own."""
    kept = [line for line in template.splitlines()
            if not any(line.startswith(key) for key in settings)]
    return "\n".join(kept + [f"{key} {value}" for key, value in settings.items()]) + "\n"


def _result(table: str, report: str, package: str) -> CactiEstimate | None:
    """Figures of CACTI's table, and the outline from its report."""
    lines = [[cell.strip() for cell in line.split(",")] for line in table.splitlines()]
    outline = re.search(r"height x width \(mm\): *([0-9.e+-]+) x ([0-9.e+-]+)", report)
    if len(lines) < 2 or outline is None:
        return None
    cells = dict(zip(lines[0], lines[-1], strict=False))
    try:
        return CactiEstimate(
            area_um2=float(cells["Area (mm2)"]) * 1e6,
            width_um=float(outline[2]) * 1e3, height_um=float(outline[1]) * 1e3,
            access_ns=float(cells["Access time (ns)"]),
            read_pj=float(cells["Dynamic read energy (nJ)"]) * 1e3,
            write_pj=float(cells["Dynamic write energy (nJ)"]) * 1e3,
            leakage_uw=float(cells["Standby leakage per bank(mW)"]) * 1e3, package=package)
    except (KeyError, ValueError):
        return None
