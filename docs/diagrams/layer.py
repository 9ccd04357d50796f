"""A timing chart of one layer and the pooling after it, from a run of the cycle model."""

from __future__ import annotations

import json
from pathlib import Path

from .drawing import Drawing, Kind

DESCRIPTION = (
    "A timing chart of a 3x3 convolution and a max pooling. Commands, indices, parameters and "
    "the input arrive one after the other. The array then works without a gap, while the "
    "codebook fills the shadow registers with the next tile, and post-processing of the first "
    "column tile runs beside the second one.")
"""What a screen reader says."""

TRACE = Path(__file__).with_name("layer_trace.json")
"""What ``record_layer`` recorded."""
PIXELS, TILES, COLUMN_TILES = 36, 18, 2
LEFT, RIGHT, PITCH = 148, 760, 27
GROUPS: tuple[tuple[str, Kind, tuple[tuple[str, str], ...]], ...] = (
    ("Bus", "control", (
        ("commands", "commands"), ("weights", "indices"), ("parameters", "parameters"),
        ("inputs", "input map"), ("outputs", "output map"))),
    ("Units", "data", (
        ("load", "LOAD"), ("rom", "codebook ROM"), ("array", "array"), ("post", "post-processing"),
        ("vector", "vector unit"), ("store", "STORE"))),
)


def picture() -> Drawing:
    """Draw how the units work on one layer side by side, from the recorded run."""
    trace = json.loads(TRACE.read_text(encoding="utf-8"))
    cycles: int = trace["cycles"]
    d = Drawing(780, 430, "One layer through time", DESCRIPTION)
    bottom = _grid(d, cycles)
    y = 40.0
    for group, kind, rows in GROUPS:
        d.text(12, y, group, size=13, bold=True, anchor="start")
        y += 8
        for key, label in rows:
            d.text(LEFT - 10, y + 14, label, size=12, anchor="end")
            for first, end in trace["rows"][key]:
                d.bar(_x(first, cycles), y, max(1.5, _x(end, cycles) - _x(first, cycles)), 18,
                      "weight" if key in ("rom", "weights") else kind)
            if key == "array":
                _tiles(d, trace["rows"][key][0][0], y, cycles)
            y += PITCH
        y += 26
    assert y < bottom + 40
    return d


def _x(cycle: float, cycles: int) -> float:
    return LEFT + (RIGHT - LEFT) * cycle / cycles


def _grid(d: Drawing, cycles: int) -> float:
    bottom = 392.0
    for cycle in range(0, cycles + 1, 100):
        x = _x(cycle, cycles)
        d.line(((x, 24), (x, bottom)), width=0.5)
        d.text(x, bottom + 16, str(cycle), size=11, soft=True)
    d.text((LEFT + RIGHT) / 2, bottom + 33, "clock cycles since the start", size=12, soft=True)
    return bottom


def _tiles(d: Drawing, start: int, y: float, cycles: int) -> None:
    for tile in range(1, TILES):
        x = _x(start + tile * PIXELS, cycles)
        d.line(((x, y), (x, y + 18)), width=1, colour="var(--diagram-page, #ffffff)")
    half = TILES // COLUMN_TILES * PIXELS
    for number in range(COLUMN_TILES):
        left = _x(start + number * half, cycles)
        right = _x(start + (number + 1) * half, cycles)
        d.line(((left + 1, y - 4), (left + 1, y + 22)), width=2)
        d.text((left + right) / 2, y - 64, f"column tile {number}", size=11, soft=True)
        d.line(((left + 3, y - 54), (left + 3, y - 59), (right - 3, y - 59), (right - 3, y - 54)),
               width=1)
    d.line(((right, y - 4), (right, y + 22)), width=2)


def draw() -> str:
    """The drawing as SVG."""
    return picture().svg()
