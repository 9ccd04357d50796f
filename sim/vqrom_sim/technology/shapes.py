"""What is asked of a memory macro, and what the model answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from vqrom_hw.errors import VqromError

MemoryKind = Literal["sram_1rw", "sram_1r1w", "register_file", "rom"]
"""Kinds of macro: single-port SRAM, SRAM with a read and a write port of their own, registers with
multiplexers, and mask ROM."""
KINDS: tuple[str, ...] = get_args(MemoryKind)
"""The kinds, in the order in which they are listed."""
PORTS: dict[str, tuple[int, int]] = {
    "sram_1rw": (1, 1), "sram_1r1w": (1, 1), "register_file": (16, 4), "rom": (16, 0)}
"""Most read and write ports of each kind. The single port of ``sram_1rw`` counts as one of each; a
ROM has no write port; an SRAM with more read ports is several macros."""
MAX_WORDS = 1 << 24
"""Most words of a macro."""
MAX_WIDTH = 1 << 16
"""Most bits of a word."""


@dataclass(frozen=True)
class MemoryShape:
    """A memory macro to be estimated.

    Members
    -------
    kind:
        One of :data:`KINDS`.
    words, width:
        Words, and bits of each.
    write_parts:
        Parts of a word that can be written alone, each ``width / write_parts`` bits: 1 without
        write enables, ``width / 8`` with byte enables.
    read_ports, write_ports:
        Ports, at most those of :data:`PORTS`. A ROM has none to write; it takes 0 or the default.

    Raises
    ------
    VqromError
        If the kind is unknown, or a number is out of range.
    """

    kind: MemoryKind
    words: int
    width: int
    write_parts: int = 1
    read_ports: int = 1
    write_ports: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise VqromError(f"memory kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        reads, writes = PORTS[self.kind]
        for name, value, low, high in (
                ("words", self.words, 1, MAX_WORDS), ("width", self.width, 1, MAX_WIDTH),
                ("write_parts", self.write_parts, 1, self.width),
                ("read_ports", self.read_ports, 1, reads),
                ("write_ports", self.write_ports, min(writes, 1), max(writes, 1))):
            if not isinstance(value, int) or not low <= value <= high:
                raise VqromError(f"{self.kind} memory: {name} must be an integer of {low} to "
                                 f"{high}, not {value!r}")
        if self.width % self.write_parts:
            raise VqromError(f"{self.kind} memory: write_parts must divide width {self.width}, "
                             f"not {self.write_parts!r}")

    @property
    def bits(self) -> int:
        """Bits of the whole memory."""
        return self.words * self.width

    @property
    def text(self) -> str:
        """The shape in a few characters: ``sram_1rw 512x32``."""
        return f"{self.kind} {self.words}x{self.width}"


@dataclass(frozen=True)
class MacroEstimate:
    """What the model says of a macro.

    Members
    -------
    area_um2, width_um, height_um:
        Area and outline.
    access_ns:
        From the clock's edge to the word read.
    read_pj, write_pj:
        Energy of reading or writing one whole word, clock included; 0 for writing a ROM.
    clock_pj:
        Energy of a cycle without an access: what the clock still moves.
    leakage_uw:
        Leakage of the whole macro.
    banks:
        Arrays that the model splits the memory into.
    columns_per_bit:
        Column multiplexing: physical columns for each bit of a word.
    rows:
        Rows of each array.
    error:
        Relative error of the area, plus or minus, as the technology's file states it for the kind.
    energy_factor:
        Energies and access time are known up to this factor, either way; at least 1.
    leakage_factor:
        The same of the leakage.
    """

    area_um2: float
    width_um: float
    height_um: float
    access_ns: float
    read_pj: float
    write_pj: float
    clock_pj: float
    leakage_uw: float
    banks: int
    columns_per_bit: int
    rows: int
    error: float
    energy_factor: float
    leakage_factor: float

    def as_dict(self) -> dict[str, Any]:
        """All members by name."""
        return dict(vars(self))
