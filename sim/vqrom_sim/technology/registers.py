"""Estimate of a register file: flip-flops, and a tree of multiplexers for each read port."""

from __future__ import annotations

import math

from .constants import RegisterConstants
from .shapes import MacroEstimate, MemoryShape

SWITCHING = 0.25
"""Share of the multiplexers' inputs that switch in a read: an address bit changes in half of the
reads, and where it does, half of the bits that it chooses among differ."""
CLOCK_GATES = 2
"""Gates' worth of energy that the clock takes for each word that is not written: its clock gate
and the wire to it; flip-flops behind it rest."""


def estimate_registers(shape: MemoryShape, constants: RegisterConstants,
                       nand2_um2: float) -> MacroEstimate:
    """Figures of a register file, square, with a clock gate for each word.

    Parameters
    ----------
    shape:
        The register file. Parts of a word that are written alone have clock gates of their own.
    constants:
        Those of register files.
    nand2_um2:
        Area of a NAND2 gate.
    """
    gates = _nand2(shape, constants)
    area = gates * nand2_um2 / constants.utilisation.value
    side = math.sqrt(area)
    levels = math.ceil(math.log2(shape.words)) if shape.words > 1 else 0
    gate_pj = constants.gate_pj.value
    clock = CLOCK_GATES * shape.words * shape.write_parts * gate_pj
    spread = SWITCHING * shape.bits * gate_pj
    return MacroEstimate(
        area_um2=area, width_um=side, height_um=side,
        access_ns=constants.access_ns.value + levels * constants.mux_ns.value,
        read_pj=clock + spread * constants.mux_nand2.value,
        write_pj=clock + spread + shape.width * constants.flop_nand2.value * gate_pj,
        clock_pj=clock,
        leakage_uw=gates * constants.leakage_nand2_nw.value / 1000,
        banks=1, columns_per_bit=1, rows=shape.words,
        error=constants.area_error, energy_factor=constants.energy_factor,
        leakage_factor=constants.leakage_factor)


def _nand2(shape: MemoryShape, constants: RegisterConstants) -> float:
    """NAND2 equivalents of all cells."""
    return (shape.bits * (constants.flop_nand2.value
                          + (shape.write_ports - 1) * constants.enable_nand2.value)
            + shape.read_ports * (shape.words - 1) * shape.width * constants.mux_nand2.value
            + shape.write_ports * shape.write_parts * shape.words * constants.word_nand2.value)
