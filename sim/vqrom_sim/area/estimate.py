"""Area of an accelerator: every distinct module synthesised once, multiplied by its instances."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.export import generate
from vqrom_sw.progress import Progress

from .codebook_forms import codebook_forms
from .design import check_design, design_modules
from .flat import flat_comparison
from .hierarchy import GROUPS, count_instances
from .libraries import CellLibrary, choose_library
from .memories import memory_rows, rounded
from .sizes import add_up, component_rows
from .synthesis import synthesize

SCHEMA = "vqrom.area/2"
"""Format of ``area.json``."""


def measure_area(config: AcceleratorConfig, codewords: np.ndarray,
                 library: CellLibrary | None = None,
                 progress: Progress | None = None) -> dict[str, Any]:
    """Area of an accelerator that has not been written yet.

    Parameters
    ----------
    config:
        The accelerator.
    codewords:
        int8 ``[k, d]``: the ROM's contents.
    library, progress:
        As for :func:`estimate_area`.

    Raises
    ------
    VqromError
        If the codebook does not fit, or the library does not serve.
    """
    with tempfile.TemporaryDirectory() as name:
        generate(config, codewords, Path(name))
        return estimate_area(config, Path(name), library, progress)


def estimate_area(config: AcceleratorConfig, directory: Path, library: CellLibrary | None = None,
                  progress: Progress | None = None, *, check_flat: bool = False) -> dict[str, Any]:
    """Area of a generated accelerator: logic from synthesis, memories from the macro model.

    Parameters
    ----------
    config:
        The accelerator that was generated.
    directory:
        Where :func:`vqrom_hw.export.design.generate` wrote it.
    library:
        The cells and the technology of the memories; without one, that which
        :func:`.libraries.choose_library` finds.
    progress:
        Called with what is being done, modules done and modules to do.
    check_flat:
        Also synthesise the whole in one piece and compare (:func:`.flat.flat_comparison`).

    Returns
    -------
    dict
        What ``area.json`` holds (``docs/sim/area.md``).

    Raises
    ------
    VqromError
        If the directory holds no design of this configuration, or the library does not serve.
    """
    cells = library or choose_library()
    sha256 = check_design(config, directory)
    modules = design_modules(config, directory)
    netlists = synthesize(modules, cells.library.texts, directory, progress)
    places = count_instances(netlists)
    memories = memory_rows(places, netlists, cells.technology)
    components = component_rows(places, netlists, cells, memories)
    groups = {group: add_up(row for row in components if row["group"] == group)
              for group in GROUPS}
    total = add_up(components)
    return {
        "schema": SCHEMA,
        "config": config.model_dump(mode="json"),
        "codebook_sha256": sha256,
        "library": cells.describe(),
        "technology": describe_technology(cells, memories),
        "components": components,
        "groups": groups,
        "memories": memories,
        "total": total,
        "codebook_storage": codebook_forms(config, directory, cells, groups["rom"], progress),
        "flat": flat_comparison(modules, directory, cells, total, progress) if check_flat else None,
    }


def describe_technology(cells: CellLibrary, memories: list[dict[str, Any]]) -> dict[str, Any]:
    """What memories were estimated with, and how far their area together may be off, relative: if
    all errors point the same way."""
    technology = cells.technology
    um2 = sum(row["area_um2"] * row["instances"] for row in memories)
    off = sum(row["area_um2"] * row["instances"] * row["error"] for row in memories)
    return {
        "name": technology.name,
        "description": technology.description,
        "node_nm": technology.node_nm,
        "memory_error": rounded(off / um2) if um2 else 0,
        "estimator": "macro model (docs/sim/technology.md)",
    }
