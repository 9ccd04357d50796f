"""Estimate of an SRAM or a ROM: folding into arrays, outline, time, energy.

An array of ``rows`` by ``columns`` cells has the row circuits beside it and the column circuits
under it, so its outline is

    (columns * cell_width + row) * (rows * cell_height + column + data * bits)

which is what makes small and lopsided memories inefficient: nothing else is assumed of array
efficiency. Column multiplexing trades rows for columns; the model takes the smallest outline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .constants import MULTIPLEXING, ArrayConstants
from .shapes import MacroEstimate, MemoryShape

CHANGING = 0.5
"""Share of a word's bits that differ from those of the word before, if data are random."""


@dataclass(frozen=True)
class Fold:
    """How a memory lies in its arrays.

    Members
    -------
    columns_per_bit:
        Column multiplexing.
    rows, columns:
        Cells of one array.
    bits:
        Bits of a word that one array holds.
    slices:
        Arrays side by side that hold one word together; all of them work in an access.
    stacks:
        Sets of slices, of which one works in an access.
    width_um, height_um:
        Outline of one array with its circuits.
    """

    columns_per_bit: int
    rows: int
    columns: int
    bits: int
    slices: int
    stacks: int
    width_um: float
    height_um: float

    @property
    def arrays(self) -> int:
        """Arrays of the memory."""
        return self.slices * self.stacks

    @property
    def area_um2(self) -> float:
        """Area of all arrays, without what joins them."""
        return self.arrays * self.width_um * self.height_um


def fold_memory(shape: MemoryShape, constants: ArrayConstants) -> Fold:
    """The smallest way to fold a memory into as few stacks as the longest bit line allows."""
    stacks = 1
    while True:
        folds = [fold for mux in MULTIPLEXING
                 if constants.min_multiplexing.value <= mux <= constants.max_multiplexing.value
                 for fold in [_fold(shape, constants, mux, stacks)]
                 if fold.rows <= constants.max_rows.value]
        if folds:
            return min(folds, key=lambda fold: (fold.area_um2, fold.columns_per_bit))
        stacks *= 2


def estimate_array(shape: MemoryShape, constants: ArrayConstants,
                   nand2_um2: float) -> MacroEstimate:
    """Figures of an SRAM or a ROM.

    Parameters
    ----------
    shape:
        The memory.
    constants:
        Those of its kind.
    nand2_um2:
        Area of a NAND2 gate, the unit of write enables.
    """
    fold = fold_memory(shape, constants)
    enables = (shape.write_parts - 1) * constants.write_part_nand2.value * nand2_um2
    joined = 1 + (constants.bank_overhead.value if fold.arrays > 1 else 0)
    area = fold.area_um2 * joined + enables
    across = _arrays_across(fold)
    # What joins the arrays and the write enables stretch the outline evenly.
    stretch = math.sqrt(area / fold.area_um2)
    width, height = (fold.width_um * across * stretch,
                     fold.height_um * (fold.arrays / across) * stretch)
    way_mm = (width + height) / 2000 if fold.arrays > 1 else 0.0
    read = _read_pj(shape, fold, constants, way_mm)
    return MacroEstimate(
        area_um2=area, width_um=width, height_um=height,
        access_ns=(constants.access_ns.value + fold.rows * constants.row_ns.value
                   + fold.columns * constants.column_ns.value
                   + way_mm * constants.wire_ns_per_mm.value),
        read_pj=read,
        write_pj=0.0 if shape.kind == "rom" else read * constants.write_ratio.value,
        clock_pj=constants.clock_pj.value + shape.width * constants.clock_bit_pj.value,
        leakage_uw=shape.bits * constants.leakage_bit_nw.value / 1000,
        banks=fold.arrays, columns_per_bit=fold.columns_per_bit, rows=fold.rows,
        error=constants.area_error, energy_factor=constants.energy_factor,
        leakage_factor=constants.leakage_factor)


def _fold(shape: MemoryShape, constants: ArrayConstants, mux: int, stacks: int) -> Fold:
    """The memory with ``mux`` columns for each bit, in ``stacks`` sets of arrays."""
    slices = math.ceil(shape.width * mux / max(constants.max_columns.value, mux))
    bits = math.ceil(shape.width / slices)
    rows, columns = math.ceil(shape.words / (mux * stacks)), bits * mux
    ports = shape.read_ports
    cell_width = constants.cell_width_um.value * (1 + (ports - 1) * constants.port_width.value)
    cell_height = constants.cell_height_um.value * (1 + (ports - 1) * constants.port_height.value)
    return Fold(
        mux, rows, columns, bits, slices, stacks,
        width_um=columns * cell_width + ports * constants.row_um.value,
        height_um=(rows * cell_height
                   + ports * (constants.column_um.value + bits * constants.data_um.value)))


def _read_pj(shape: MemoryShape, fold: Fold, constants: ArrayConstants, way_mm: float) -> float:
    """Energy of reading a word: all slices of one stack, and the way to them.

    The address goes to every array. Slices hold different bits, which leave each at its own edge;
    only where stacks share the outputs do the bits cross the outline.
    """
    cells = fold.columns * fold.rows
    array = (fold.columns * constants.column_pj.value + cells * constants.cell_pj.value)
    moved = math.log2(shape.words) + (shape.width if fold.stacks > 1 else 0)
    return (constants.access_pj.value + shape.width * constants.bit_pj.value
            + fold.slices * array
            + way_mm * constants.wire_pj_per_mm.value * CHANGING * moved)


def _arrays_across(fold: Fold) -> int:
    """Arrays side by side that make the outline as square as it can be."""
    small = [count for count in range(1, math.isqrt(fold.arrays) + 1) if fold.arrays % count == 0]
    return min(small + [fold.arrays // count for count in small], key=lambda count: abs(math.log(
        fold.width_um * count / (fold.height_um * (fold.arrays / count)))))
