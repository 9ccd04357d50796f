"""Standard-cell libraries: a reader of Liberty files for cell areas, and a generic library."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_sw.io import require_file

from .liberty_function import evaluate
from .liberty_groups import SEQUENTIAL, Group, mapping_text, read_library

MAX_LIBERTY_BYTES = 256 << 20
"""Largest Liberty file that is read, unpacked."""
GENERIC = "generic"
"""Name of the library that is used where the user names none."""
GENERIC_SOURCE = ("cell widths of the Nangate 45 nm Open Cell Library (X1 cells, in placement "
                  "sites; a NAND2 has 3)")

# Name, width in placement sites, function. The X1 cells of NangateOpenCellLibrary.macro.lef, as in
# OpenROAD-flow-scripts/flow/platforms/nangate45/lef: SIZE over the site of 0.19 x 1.4 um.
GENERIC_GATES: tuple[tuple[str, int, str], ...] = (
    ("INV", 2, "!A"), ("BUF", 3, "A"),
    ("NAND2", 3, "!(A&B)"), ("NAND3", 4, "!(A&B&C)"), ("NAND4", 5, "!(A&B&C&D)"),
    ("NOR2", 3, "!(A|B)"), ("NOR3", 4, "!(A|B|C)"), ("NOR4", 5, "!(A|B|C|D)"),
    ("AND2", 4, "A&B"), ("AND3", 5, "A&B&C"), ("OR2", 4, "A|B"), ("OR3", 5, "A|B|C"),
    ("AOI21", 4, "!((A&B)|C)"), ("AOI22", 5, "!((A&B)|(C&D))"),
    ("OAI21", 4, "!((A|B)&C)"), ("OAI22", 5, "!((A|B)&(C|D))"),
    ("XOR2", 6, "A^B"), ("XNOR2", 6, "!(A^B)"), ("MUX2", 7, "(A&!S)|(B&S)"),
)
GENERIC_FLIP_FLOP = ("DFF", 17)
SITES_OF_NAND2 = 3


@dataclass(frozen=True)
class Cell:
    """A cell of a library.

    Members
    -------
    name:
        Its name.
    area:
        Its area in the library's unit, by convention µm².
    sequential:
        Whether it is a flip-flop or a latch.
    inputs:
        Names of the input pins.
    functions:
        The function of each output that has one, in Liberty's notation.
    """

    name: str
    area: float
    sequential: bool
    inputs: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Library:
    """The cells that synthesis may use.

    Members
    -------
    name:
        As the Liberty file says, or ``"generic"``; names of several files are joined by ``+``.
    cells:
        All cells by name.
    texts:
        The Liberty texts, one for each file.
    """

    name: str
    cells: dict[str, Cell]
    texts: tuple[str, ...]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the Liberty texts one after the other, as hexadecimal digits."""
        return hashlib.sha256("".join(self.texts).encode()).hexdigest()

    @cached_property
    def nand2(self) -> Cell:
        """The smallest two-input NAND gate.

        Raises
        ------
        VqromError
            If there is none.
        """
        gates = [cell for cell in self.cells.values() if is_nand2(cell)]
        if not gates:
            raise VqromError(f"liberty library {self.name!r} must have a two-input NAND gate with "
                             f"an area, which none of its {len(self.cells)} cells is")
        return min(gates, key=lambda cell: (cell.area, cell.name))


def generic_liberty() -> str:
    """Liberty text of the generic library; the area of a cell is its NAND2 equivalents.

    Source: :data:`GENERIC_SOURCE`.
    """
    lines = [f"library({GENERIC}) {{"]
    for name, sites, function in GENERIC_GATES:
        inputs = sorted(set(re.findall(r"[A-Z]", function)))
        lines += [f"  cell({name}) {{", f"    area : {sites / SITES_OF_NAND2:.6f};",
                  *(f"    pin({pin}) {{ direction : input; }}" for pin in inputs),
                  f'    pin(Y) {{ direction : output; function : "{function}"; }}', "  }"]
    name, sites = GENERIC_FLIP_FLOP
    lines += [f"  cell({name}) {{", f"    area : {sites / SITES_OF_NAND2:.6f};",
              '    ff(IQ, IQN) { clocked_on : "CK"; next_state : "D"; }',
              "    pin(CK) { direction : input; clock : true; }",
              "    pin(D) { direction : input; }",
              '    pin(Q) { direction : output; function : "IQ"; }', "  }", "}", ""]
    return "\n".join(lines)


def read_liberties(paths: Sequence[Path]) -> Library:
    """Read the cells of one or several Liberty files, plain or gzipped, that make up one library.

    Raises
    ------
    VqromError
        If a file cannot be read, is too large or is no Liberty library; if two files give the same
        cell; or if together they lack what mapping needs: a flip-flop and a two-input NAND gate.
    """
    texts = [_read_text(path) for path in paths]
    libraries = []
    for path, text in zip(paths, texts, strict=True):
        try:
            libraries.append(parse_liberty(text))
        except VqromError as error:
            raise VqromError(f"liberty {str(path)!r}: {error}") from None
    files = " ".join(repr(str(path)) for path in paths)
    library = _join(libraries, files)
    try:
        if not any(cell.sequential for cell in library.cells.values()):
            raise VqromError(f"liberty library {library.name!r} must have a flip-flop, which none "
                             f"of its {len(library.cells)} cells is")
        _ = library.nand2
    except VqromError as error:
        raise VqromError(f"liberty {files}: {error}") from None
    return library


def _read_text(path: Path) -> str:
    """Text of a Liberty file, unpacked where it is gzipped."""
    try:
        require_file(path, "liberty")
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            content = file.read(MAX_LIBERTY_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise VqromError(f"liberty {str(path)!r} cannot be unpacked: {error}") from None
    except OSError as error:
        raise VqromError(f"liberty {str(path)!r} cannot be read: {error.strerror}") from None
    if len(content) > MAX_LIBERTY_BYTES:
        raise VqromError(f"liberty {str(path)!r} must be at most {MAX_LIBERTY_BYTES} bytes")
    return content.decode("utf-8", "replace")


def _join(libraries: Sequence[Library], files: str) -> Library:
    """One library of the cells of several.

    Raises
    ------
    VqromError
        If there is none, or two have a cell in common.
    """
    if not libraries:
        raise VqromError("liberty must name at least one file")
    cells: dict[str, Cell] = {}
    for library in libraries:
        twice = sorted(set(cells) & set(library.cells))
        if twice:
            raise VqromError(f"liberty {files} must give cell {twice[0]!r} once")
        cells |= library.cells
    return Library("+".join(library.name for library in libraries), cells,
                   tuple(text for library in libraries for text in library.texts))


def parse_liberty(text: str) -> Library:
    """The cells of a Liberty text that are for logic.

    Raises
    ------
    VqromError
        If its braces do not match, it is not one library, or it has no cell with an area.
    """
    library = read_library(mapping_text(text))
    cells = [_cell(group) for group in library.children if group.kind == "cell"]
    known = {cell.name: cell for cell in cells if cell is not None}
    if not known:
        raise VqromError(f"library {library.name!r} must have cells with an area; it has none")
    return Library(library.name, known, (text,))


def is_nand2(cell: Cell) -> bool:
    """Whether a cell is a NAND gate of two inputs and has an area."""
    if cell.sequential or len(cell.inputs) != 2 or len(cell.functions) != 1 or cell.area <= 0:
        return False
    try:
        table = [evaluate(cell.functions[0], dict(zip(cell.inputs, values, strict=True)))
                 for values in itertools.product((False, True), repeat=2)]
    except ValueError:
        return False
    return table == [True, True, True, False]


def _cell(group: Group) -> Cell | None:
    try:
        area = float(group.attributes["area"])
    except (KeyError, ValueError):
        return None
    pins = [child for child in group.children if child.kind == "pin"]
    return Cell(
        group.name, area, any(child.kind in SEQUENTIAL for child in group.children),
        tuple(pin.name for pin in pins if pin.attributes.get("direction") == "input"),
        tuple(pin.attributes["function"] for pin in pins if "function" in pin.attributes))
