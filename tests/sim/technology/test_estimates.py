"""Estimates of single memories: folding, outline, energies, ports."""

from __future__ import annotations

import dataclasses
import math

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.technology import KINDS, MemoryShape, Technology, load_technology, technology_names

NAMES = technology_names()


def value(technology: Technology, kind: str, name: str) -> float:
    return technology.constants[f"{kind}.{name}"].value


def test_a_macro_by_hand() -> None:
    """512 words of 32 bits in sky130: four columns for each bit, 128 rows, 128 columns."""
    technology = load_technology("130nm")
    estimate = technology.estimate(MemoryShape("sram_1rw", 512, 32))
    width = 128 * value(technology, "sram_1rw", "cell_width_um") + value(
        technology, "sram_1rw", "row_um")
    height = 128 * value(technology, "sram_1rw", "cell_height_um") + value(
        technology, "sram_1rw", "column_um")
    assert (estimate.rows, estimate.columns_per_bit, estimate.banks) == (128, 4, 1)
    assert estimate.width_um == pytest.approx(width)
    assert estimate.height_um == pytest.approx(height)
    assert estimate.area_um2 == pytest.approx(width * height)
    assert estimate.read_pj == pytest.approx(sum(
        factor * value(technology, "sram_1rw", name) for factor, name in (
            (1, "access_pj"), (32, "bit_pj"), (128, "column_pj"), (128 * 128, "cell_pj"))))
    assert estimate.access_ns == pytest.approx(sum(
        factor * value(technology, "sram_1rw", name) for factor, name in (
            (1, "access_ns"), (128, "row_ns"), (128, "column_ns"))))
    assert estimate.leakage_uw == pytest.approx(
        512 * 32 * value(technology, "sram_1rw", "leakage_bit_nw") / 1000)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("words", "width"), [(1, 1), (3, 5), (256, 32), (1024, 128), (49, 4096),
                                              (100_000, 8)])
def test_figures_are_whole(name: str, kind: str, words: int, width: int) -> None:
    """Every shape has an estimate: finite, positive, outline and area agree."""
    technology = load_technology(name)
    estimate = technology.estimate(MemoryShape(kind, words, width))  # pyright: ignore
    for member, figure in estimate.as_dict().items():
        assert math.isfinite(figure), member
        assert figure > 0 or (member == "write_pj" and kind == "rom"), member
    assert estimate.area_um2 == pytest.approx(estimate.width_um * estimate.height_um)
    if kind != "register_file":
        assert estimate.rows <= value(technology, kind, "max_rows")
        cell = value(technology, kind, "cell_width_um") * value(technology, kind, "cell_height_um")
        assert estimate.area_um2 > words * width * cell


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_more_words_and_bits_take_more(name: str, kind: str) -> None:
    technology = load_technology(name)
    for longer in (False, True):
        shapes = [MemoryShape(kind, 256 << step if longer else 256,  # pyright: ignore
                              32 if longer else 32 << step) for step in range(6)]
        estimates = [technology.estimate(shape) for shape in shapes]
        for member in ("area_um2", "leakage_uw"):
            values = [getattr(estimate, member) for estimate in estimates]
            assert values == sorted(set(values)), member
        # Large arrays are used better.
        density = [shape.bits / one.area_um2 for shape, one in zip(shapes, estimates, strict=True)]
        assert density[-1] > 0.9 * density[0]


def test_order_of_kinds() -> None:
    """A ROM is smaller than an SRAM of one port, that than one of two ports, all than registers."""
    for name in NAMES:
        technology = load_technology(name)
        areas = [technology.estimate(MemoryShape(kind, 1024, 32)).area_um2
                 for kind in ("rom", "sram_1rw", "sram_1r1w", "register_file")]
        assert areas == sorted(areas), name


def test_nodes_shrink() -> None:
    """Area, energy of a read and access time fall from 130 nm to 7 nm."""
    for kind in ("sram_1rw", "sram_1r1w", "rom"):
        estimates = [load_technology(name).estimate(MemoryShape(kind, 1024, 64))
                     for name in ("130nm", "45nm", "28nm", "7nm")]
        # The model makes the word lines of a ROM longer at 28 nm, since its cells are small.
        for member in ("area_um2", "read_pj", *(["access_ns"] if kind != "rom" else [])):
            values = [getattr(estimate, member) for estimate in estimates]
            assert values == sorted(values, reverse=True), (kind, member)


def test_byte_enables_take_area() -> None:
    technology = load_technology("130nm")
    plain, enabled = (technology.estimate(MemoryShape("sram_1r1w", 1024, 128, parts))
                      for parts in (1, 16))
    gates = value(technology, "sram_1r1w", "write_part_nand2")
    assert enabled.area_um2 - plain.area_um2 == pytest.approx(15 * gates * technology.nand2_um2)
    assert dataclasses.replace(enabled, area_um2=plain.area_um2, width_um=plain.width_um,
                               height_um=plain.height_um) == plain


def test_large_memories_are_several_arrays() -> None:
    technology = load_technology("28nm")
    one, many = (technology.estimate(MemoryShape("sram_1rw", words, 64)) for words in (4096, 65536))
    assert one.banks == 1 and many.banks == 16
    assert many.area_um2 == pytest.approx(
        16 * one.area_um2 * (1 + value(technology, "sram_1rw", "bank_overhead")))
    # One array works; the way to it costs energy and time.
    assert one.read_pj < many.read_pj < 4 * one.read_pj and one.access_ns < many.access_ns


def test_slices_of_a_word_work_side_by_side() -> None:
    """Twice the bits in two arrays cost twice the energy, but for the way of the address; bits of a
    word cross the outline only where several sets of arrays share the outputs."""
    technology = load_technology("130nm")
    half, whole, deep = (technology.estimate(MemoryShape("sram_1r1w", words, width))
                         for words, width in ((1024, 128), (1024, 256), (2048, 256)))
    assert (half.banks, whole.banks, deep.banks) == (1, 2, 4)
    assert 1.8 * half.read_pj < whole.read_pj < 2.2 * half.read_pj
    assert deep.read_pj - whole.read_pj > 64 * value(technology, "sram_1r1w", "wire_pj_per_mm")


def test_ports_of_a_rom() -> None:
    """More ports take area, but less than as many ROMs where the array is small."""
    technology = load_technology("28nm")
    areas = [technology.estimate(MemoryShape("rom", 256, 32, read_ports=ports)).area_um2
             for ports in (1, 2, 4)]
    assert areas[0] < areas[1] < areas[2]


def test_registers_by_hand() -> None:
    technology = load_technology("45nm")
    shape = MemoryShape("register_file", 16, 8, write_parts=2, read_ports=3, write_ports=2)
    flop, enable, mux, word, share = (value(technology, "register_file", name) for name in (
        "flop_nand2", "enable_nand2", "mux_nand2", "word_nand2", "utilisation"))
    gates = 128 * (flop + enable) + 3 * 15 * 8 * mux + 2 * 2 * 16 * word
    assert technology.estimate(shape).area_um2 == pytest.approx(
        gates * technology.nand2_um2 / share)


@pytest.mark.parametrize(("arguments", "message"), [
    (("dram", 8, 8), "memory kind must be one of sram_1rw, sram_1r1w, register_file, rom, not "
                     "'dram'"),
    (("rom", 0, 8), "rom memory: words must be an integer of 1 to 16777216, not 0"),
    (("rom", 8, 1.5), "rom memory: width must be an integer of 1 to 65536, not 1.5"),
    (("sram_1rw", 8, 8, 3), "sram_1rw memory: write_parts must divide width 8, not 3"),
    (("sram_1rw", 8, 8, 16), "sram_1rw memory: write_parts must be an integer of 1 to 8, not 16"),
    (("sram_1r1w", 8, 8, 1, 2), "sram_1r1w memory: read_ports must be an integer of 1 to 1, not 2"),
    (("rom", 8, 8, 1, 1, 2), "rom memory: write_ports must be an integer of 0 to 1, not 2")])
def test_shapes_that_are_none(arguments: tuple, message: str) -> None:
    with pytest.raises(VqromError) as error:
        MemoryShape(*arguments)
    assert str(error.value) == message
