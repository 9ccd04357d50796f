"""The constants of a technology: each with its range and its source, checked when they are read."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .shapes import MemoryKind, MemoryShape

Number = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
"""A value of a technology file: finite and not negative."""


MULTIPLEXING = (1, 2, 4, 8, 16, 32)
"""Physical columns for each bit of a word, of which a technology allows a range."""


class Frozen(BaseModel):
    """A record that refuses unknown fields and values of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(Frozen):
    """Where values come from.

    Members
    -------
    text:
        Author, title, place; or how the value was derived.
    year:
        Year of publication.
    url:
        Where to find it, if it is on the web.
    """

    text: str = Field(min_length=1, max_length=1000)
    year: int = Field(ge=1960, le=2100)
    url: str = Field(default="", max_length=300)


class Constant(Frozen):
    """One constant of the model.

    Members
    -------
    value, low, high:
        The value that the model uses, and the range in which the true one is expected.
    source:
        Name of the :class:`Source` in the same file.
    """

    value: Number
    low: Number
    high: Number
    source: str

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value must lie between low {self.low} and high {self.high}, "
                             f"not {self.value!r}")
        return self


class _Accuracy(Frozen):
    """How far a kind's figures may be off; see :class:`~.shapes.MacroEstimate`."""

    area_error: float = Field(gt=0, lt=10, allow_inf_nan=False)
    energy_factor: float = Field(ge=1, le=1000, allow_inf_nan=False)
    leakage_factor: float = Field(ge=1, le=1000, allow_inf_nan=False)


class ArrayConstants(_Accuracy):
    """Constants of one kind of array: SRAM or ROM.

    Members
    -------
    cell_width_um, cell_height_um:
        Pitch of a bit cell along the word line and along the bit line, with the share of straps.
    row_um:
        Width beside the array: row decoder, word-line drivers, half of the control.
    column_um:
        Height under the array: precharge, column multiplexer, sense amplifiers, write drivers.
    data_um:
        Further height for each bit of a word: registers and routing of the data.
    port_width, port_height:
        Growth of the cell for each further read port, relative to the cell of one port.
    write_part_nand2:
        Gates for each part of a word that is written alone, beyond the first.
    min_multiplexing, max_multiplexing:
        Physical columns for each bit of a word, at least and at most; powers of two up to 32.
    max_rows, max_columns:
        Cells on a bit line and on a word line at most; larger memories are several arrays.
    bank_overhead:
        Share of area that joins several arrays to one memory.
    access_ns, row_ns, column_ns, wire_ns_per_mm:
        Access time: fixed part, for each row, for each column, and for the way to an array among
        several.
    access_pj, bit_pj, column_pj, cell_pj, wire_pj_per_mm:
        Energy of a read: fixed part, for each bit of the word, for each column, for each cell of
        the array (each row of each column), and for each change of a bit on its way to an array
        among several.
    write_ratio:
        Energy of a write relative to a read.
    clock_pj, clock_bit_pj:
        Energy of a cycle without access: fixed part, and for each bit of a word.
    leakage_bit_nw:
        Leakage for each bit, periphery included.
    """

    cell_width_um: Constant
    cell_height_um: Constant
    row_um: Constant
    column_um: Constant
    data_um: Constant
    port_width: Constant
    port_height: Constant
    write_part_nand2: Constant
    min_multiplexing: Constant
    max_multiplexing: Constant
    max_rows: Constant
    max_columns: Constant
    bank_overhead: Constant
    access_ns: Constant
    row_ns: Constant
    column_ns: Constant
    wire_ns_per_mm: Constant
    access_pj: Constant
    bit_pj: Constant
    column_pj: Constant
    cell_pj: Constant
    wire_pj_per_mm: Constant
    write_ratio: Constant
    clock_pj: Constant
    clock_bit_pj: Constant
    leakage_bit_nw: Constant

    @model_validator(mode="after")
    def _check_cells(self) -> Self:
        """A cell has an area, and an array holds at least one."""
        for name in ("cell_width_um", "cell_height_um"):
            if getattr(self, name).value <= 0:
                raise ValueError(f"{name} must be greater than 0, not {getattr(self, name).value}")
        for name in ("max_rows", "max_columns"):
            value = getattr(self, name).value
            if value < 1 or value != int(value):
                raise ValueError(f"{name} must be a whole number of at least 1, not {value}")
        for name in ("min_multiplexing", "max_multiplexing"):
            value = getattr(self, name).value
            if value not in MULTIPLEXING:
                raise ValueError(f"{name} must be a power of two up to {MULTIPLEXING[-1]}, "
                                 f"not {value}")
        if self.min_multiplexing.value > self.max_multiplexing.value:
            raise ValueError(f"min_multiplexing must be at most max_multiplexing "
                             f"{self.max_multiplexing.value}, not {self.min_multiplexing.value}")
        return self


class RegisterConstants(_Accuracy):
    """Constants of a register file of standard cells, in NAND2 equivalents.

    Members
    -------
    flop_nand2:
        A flip-flop.
    enable_nand2:
        What each write port beyond the first adds to a flip-flop: a multiplexer before it. The
        first needs none, since the clock of a word that is not written rests.
    mux_nand2:
        A two-input multiplexer; a read port has one less for each bit than there are words.
    word_nand2:
        Write decoder and clock gate of each word and write port.
    utilisation:
        Share of the area that cells cover.
    access_ns, mux_ns:
        Access time: fixed part, and for each level of multiplexers.
    gate_pj:
        Energy of a gate that switches, with its wire.
    leakage_nand2_nw:
        Leakage of a NAND2 gate; that of other cells goes with their area.
    """

    flop_nand2: Constant
    enable_nand2: Constant
    mux_nand2: Constant
    word_nand2: Constant
    utilisation: Constant
    access_ns: Constant
    mux_ns: Constant
    gate_pj: Constant
    leakage_nand2_nw: Constant

    @model_validator(mode="after")
    def _check_utilisation(self) -> Self:
        if not 0 < self.utilisation.value <= 1:
            raise ValueError(f"utilisation must lie above 0 and at most at 1, "
                             f"not {self.utilisation.value}")
        return self


class PublishedMacro(Frozen):
    """A macro that someone else made, with what is known of it.

    Members
    -------
    name, kind, words, width, write_parts, read_ports, write_ports:
        The macro, as in :class:`~.shapes.MemoryShape`.
    basis:
        ``silicon`` (a fabricated macro or its datasheet), ``layout`` (a layout's outline, or what
        was extracted from it), ``table`` (rough costs that someone published), or ``model``
        (another estimator's figure, which counts for nothing but is worth seeing).
    role:
        ``calibration`` if constants of this file were fitted to the macro, ``other`` if it is of
        another generator or another model, which is shown and not counted, else ``validation``.
    cell_um2:
        Bit cell of the macro where it is another than the technology's; the estimate is then of the
        technology's array with that cell.
    area_um2, access_ns, read_pj, write_pj, leakage_uw:
        What is published; at least one of them.
    source, note:
        Name of the :class:`Source`, and what one should know.
    """

    name: str = Field(min_length=1, max_length=80)
    kind: MemoryKind
    words: int
    width: int
    write_parts: int = 1
    read_ports: int = 1
    write_ports: int = 1
    basis: Literal["silicon", "layout", "table", "model"]
    role: Literal["calibration", "validation", "other"]
    cell_um2: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    area_um2: Number | None = None
    access_ns: Number | None = None
    read_pj: Number | None = None
    write_pj: Number | None = None
    leakage_uw: Number | None = None
    source: str
    note: str = ""

    @property
    def shape(self) -> MemoryShape:
        """The macro as a shape to estimate."""
        return MemoryShape(self.kind, self.words, self.width, self.write_parts, self.read_ports,
                           self.write_ports)

    @property
    def figures(self) -> dict[str, float]:
        """What is published, by the name of the estimate's member."""
        names = ("area_um2", "access_ns", "read_pj", "write_pj", "leakage_uw")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @model_validator(mode="after")
    def _check_macro(self) -> Self:
        """There is such a memory, it has a figure, and a bit cell if another is given."""
        if self.shape.kind == "register_file" and self.cell_um2 is not None:
            raise ValueError(f"macro {self.name!r} of registers must have no cell_um2, "
                             f"not {self.cell_um2}")
        if not self.figures or 0 in self.figures.values():
            raise ValueError(f"macro {self.name!r} must have a figure, and none of 0")
        return self


class LiteratureValue(Frozen):
    """A published energy, to stand beside ours.

    Members
    -------
    name, node_nm:
        What is done, and in which technology.
    low_pj, high_pj:
        The published energy, a range where it is one.
    source:
        Name of the :class:`Source`.
    """

    name: str = Field(min_length=1, max_length=80)
    node_nm: float = Field(gt=0, le=10_000)
    low_pj: Number
    high_pj: Number
    source: str


class DramEnergy(Frozen):
    """A kind of DRAM: one point of the sweep over energies per bit.

    Members
    -------
    name:
        The DRAM.
    pj_per_bit:
        Energy of a bit that is read or written, interface included.
    source:
        Name of the :class:`Source`.
    """

    name: str = Field(min_length=1, max_length=80)
    pj_per_bit: float = Field(gt=0, le=1000, allow_inf_nan=False)
    source: str
