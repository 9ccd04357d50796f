"""Memories as macros: which shape a row has, which is refused, which kind is smaller."""

from __future__ import annotations

from typing import Any

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.area import macro_for, memory_shape
from vqrom_sim.technology import MemoryShape, load_technology

ROW: dict[str, Any] = {
    "component": "buffer", "name": "memory", "kind": "ram", "words": 1024, "width": 128,
    "read_ports": 1, "write_ports": 1, "write_enables": 16, "synchronous": True}


def test_shapes() -> None:
    assert memory_shape(ROW) == MemoryShape("sram_1r1w", 1024, 128, 16)
    rom = ROW | {"kind": "rom", "write_ports": 0, "write_enables": 0}
    assert memory_shape(rom) == MemoryShape("rom", 1024, 128)


@pytest.mark.parametrize(("changes", "message"), [
    ({"synchronous": False}, "'memory' of 'buffer' must be read with a clock"),
    ({"read_ports": 2}, r"must have one read port and at most one write port .*, not \(2, 1\)"),
    ({"write_ports": 2}, r"not \(1, 2\)")])
def test_what_no_macro_does(changes: dict, message: str) -> None:
    with pytest.raises(VqromError, match=message):
        memory_shape(ROW | changes)


@pytest.mark.parametrize(("words", "kind"), [(16, "register_file"), (1024, "sram_1r1w")])
def test_the_smaller_of_sram_and_register_file(words: int, kind: str) -> None:
    technology = load_technology("130nm")
    shape, estimate = macro_for(ROW | {"words": words, "write_enables": 1}, technology)
    assert shape.kind == kind
    assert estimate.area_um2 == min(technology.estimate(
        MemoryShape(one, words, 128)).area_um2 for one in ("sram_1r1w", "register_file"))
