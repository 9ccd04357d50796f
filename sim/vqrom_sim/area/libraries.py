"""Which cell library is used: files or names that the user gives, else an open library that is
found, else the generic one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sim.technology import Technology, load_technology, technology_names
from vqrom_sw.zoo import data_folder

from .liberty import (
    GENERIC,
    GENERIC_SOURCE,
    Library,
    generic_liberty,
    parse_liberty,
    read_liberties,
)

FOLDER_VARIABLE = "VQROM_LIBERTY"
"""Environment variable that names the folder of open libraries."""
OPEN_LIBRARIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "sky130": ("google/skywater-pdk, high density, typical", ("sky130hd_tt",)),
    "asap7": ("ASAP7 (The-OpenROAD-Project/asap7), 7.5 tracks, RVT, typical",
              ("asap7_simple", "asap7_seq", "asap7_invbuf")),
}
"""Open libraries by name: where they are from, and the names of their files before ``.lib`` or
``.lib.gz``."""
DEFAULT = "sky130"
"""The library that is used where none is named and it is found."""
NODES = (("sky130", "130nm"), ("asap7", "7nm"), ("sg13g2", "130nm-ihp"), ("nangate", "45nm"),
         (GENERIC, "45nm"))
"""Technology of a library whose name contains a word, in any case."""
NODE_RATIO = 1.5
"""Nodes of the cells and of the memories may differ by this factor at most."""


@dataclass(frozen=True)
class CellLibrary:
    """A cell library with the technology of its memories.

    Members
    -------
    library:
        The cells.
    technology:
        What memories are estimated with.
    source:
        Where the cells are from.
    note:
        Why it is not a real library, or None.
    """

    library: Library
    technology: Technology
    source: str
    note: str | None = None

    @property
    def estimated(self) -> bool:
        """Whether um2 of logic are NAND2 equivalents times an area of the technology, since the
        library has none of its own."""
        return self.library.name == GENERIC

    @property
    def nand2_um2(self) -> float:
        """Area of one NAND2 equivalent."""
        return self.technology.nand2_um2 if self.estimated else self.library.nand2.area

    def describe(self) -> dict[str, Any]:
        """What a report says of the cells."""
        return {
            "name": self.library.name,
            "source": self.source,
            "sha256": self.library.sha256,
            "nand2_cell": self.library.nand2.name,
            "nand2_area_um2": self.nand2_um2,
            "um2": "estimated" if self.estimated else "measured",
            "note": self.note,
            "estimator": f"Yosys (pyosys {version('pyosys')}), logic synthesis without layout",
        }


def choose_library(liberty: Sequence[str | Path] = (),
                   technology: str | Path | None = None) -> CellLibrary:
    """The cell library that is used, and the technology of its memories.

    Parameters
    ----------
    liberty:
        Liberty files that make up one library, or one name: ``sky130``, ``asap7`` or ``generic``.
        Without any, sky130 where its file is found (:func:`library_folder`), else the generic
        library.
    technology:
        Name or TOML file of a technology; without one, that of the cells.

    Raises
    ------
    VqromError
        If a named library is not there or does not serve, or if the technology is unknown, cannot
        be told from the library, or is of another node.
    """
    library, source, note = _find(liberty)
    node = next((node for word, node in NODES if word in library.name.lower()), None)
    if technology is None and node is None:
        raise VqromError(f"technology must be named for liberty library {library.name!r}, whose "
                         f"node is not known: a file or one of {', '.join(technology_names())}")
    chosen = load_technology(technology or str(node))
    if node is not None and library.name != GENERIC:
        ratio = chosen.node_nm / load_technology(node).node_nm
        if not 1 / NODE_RATIO <= ratio <= NODE_RATIO:
            raise VqromError(f"technology must be of the node of liberty library {library.name!r}, "
                             f"{node}, not {chosen.name!r}")
    return CellLibrary(library, chosen, source, note)


def open_library_files(name: str) -> list[Path] | None:
    """The files of an open library, or None if one of them is not found."""
    folder = library_folder()
    if folder is None:
        return None
    found = [next((path for ending in (".lib.gz", ".lib")
                   if (path := folder / f"{file}{ending}").is_file()), None)
             for file in OPEN_LIBRARIES[name][1]]
    return None if None in found else [path for path in found if path is not None]


def library_folder() -> Path | None:
    """The folder of open libraries: that which ``VQROM_LIBERTY`` names, or else ``liberty`` in the
    data folder; None if there is none.

    Raises
    ------
    VqromError
        If ``VQROM_LIBERTY`` names no folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise VqromError(f"{FOLDER_VARIABLE} must name a folder of Liberty files, not "
                             f"{named!r}")
        return Path(named)
    try:
        folder = data_folder() / "liberty"
    except VqromError:
        return None
    return folder if folder.is_dir() else None


def _find(liberty: Sequence[str | Path]) -> tuple[Library, str, str | None]:
    """A library, where it is from, and why it is no real one."""
    names = [str(one) for one in liberty]
    if names == [GENERIC]:
        return parse_liberty(generic_liberty()), GENERIC_SOURCE, None
    named = names[0] if len(names) == 1 and names[0] in OPEN_LIBRARIES else None
    if names and named is None:
        for name in names:
            if not Path(name).is_file():
                raise VqromError(f"liberty must be an existing file, or {', '.join(OPEN_LIBRARIES)}"
                                 f" or {GENERIC}, not {name!r}")
        return _read([Path(name) for name in names]), "Liberty files of the user", None
    files = open_library_files(named or DEFAULT)
    if files is not None:
        return _read(files), OPEN_LIBRARIES[named or DEFAULT][0], None
    if named is not None:
        raise VqromError(f"cell library {named!r} must lie as {_where(named)}")
    return parse_liberty(generic_liberty()), GENERIC_SOURCE, (
        "no open cell library is found, so cells are generic and um2 are estimates; from "
        f"{OPEN_LIBRARIES[DEFAULT][0]}, put {_where(DEFAULT)}")


def _read(files: Sequence[Path]) -> Library:
    """A library, read again only if a file has changed: studies ask for it at each point."""
    return _read_once(tuple((path, found.st_mtime_ns, found.st_size) for path in files
                            for found in [path.stat()]))


@lru_cache(maxsize=8)
def _read_once(files: tuple[tuple[Path, int, int], ...]) -> Library:
    return read_liberties([path for path, _, _ in files])


def _where(name: str) -> str:
    files = OPEN_LIBRARIES[name][1]
    return (f"{', '.join(f'{file}.lib.gz' for file in files)} in the folder that "
            f"{FOLDER_VARIABLE} names, or in liberty/ of that of VQROM_DATA")
