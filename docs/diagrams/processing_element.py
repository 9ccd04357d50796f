"""A processing element, and the adder that sums a column of them."""

from __future__ import annotations

from .drawing import Drawing

DESCRIPTION = (
    "A codeword enters the shadow register. At the start of a tile it moves into the weight "
    "registers. Four multipliers meet the weights with four activations, which all columns "
    "share; their sum is registered. An adder sums the products of the column's elements, one "
    "word of activations each cycle.")
"""What a screen reader says."""

LANES = 4


def picture() -> Drawing:
    """The drawing, for sub-vectors of four."""
    d = Drawing(780, 372, "A processing element", DESCRIPTION)
    d.region(136, 64, 424, 296, "Processing element (PE)")
    d.text(350, 24, "a word of activations, broadcast to all columns", size=13, bold=True)
    d.line(((20, 40), (760, 40)), width=3)
    d.text(64, 150, "codeword", size=13, bold=True)
    d.text(64, 167, "from a port of", size=11, soft=True)
    d.text(64, 182, "the codebook", size=11, soft=True)
    d.arrow((20, 206), (160, 206))
    d.box(160, 126, 56, 160, "", "weight")
    d.box(266, 126, 56, 160, "", "weight")
    for lane in range(LANES):
        y = 130 + 38 * lane
        d.cell(166, y + 3, 44, 30, "plain", f"w'{lane}", 12)
        d.cell(272, y + 3, 44, 30, "plain", f"w{lane}", 12)
        d.arrow((210, y + 18), (272, y + 18))
        _multiplier(d, lane, y + 18)
    d.text(188, 304, "shadow", size=12)
    d.text(188, 319, "register", size=12)
    d.text(294, 304, "weights", size=12)
    d.text(188, 345, "load", size=11, soft=True, mono=True)
    d.text(294, 345, "swap", size=11, soft=True, mono=True)
    d.arrow((188, 334), (188, 322))
    d.arrow((294, 334), (294, 310))
    d.circle(456, 206, 18, "+")
    d.arrow((474, 206), (500, 206))
    d.box(500, 176, 40, 60, "", "data")
    d.text(520, 211, "reg", size=11, mono=True)
    d.text(520, 254, "product", size=12)
    _column(d)
    return d


def _multiplier(d: Drawing, lane: int, y: float) -> None:
    x = 376
    d.arrow((316, y), (x - 15, y))
    d.circle(x, y, 14, "×")
    d.line(((x + 14, y), (420, y)))
    d.arrow((420, y), (440, 206 + (y - 206) * 0.12))
    bus = 338 - 5 * lane
    d.line(((bus, 40), (bus, y - 16)), width=1)
    d.line(((bus, y - 16), (x - 12, y - 8)), width=1)


def _column(d: Drawing) -> None:
    d.line(((540, 206), (600, 206)))
    d.arrow((600, 206), (628, 206))
    for y, name in ((116, "the first PE row"), (296, "the last PE row")):
        d.text(576, y - 8 if y < 206 else y + 18, name, size=11, soft=True, anchor="start")
        d.line(((576, y), (610, y)))
        d.arrow((610, y), (640, 206 + (y - 206) * 0.2))
    d.circle(646, 206, 18, "+")
    d.text(656, 168, "column adder", size=12, anchor="start")
    d.arrow((664, 206), (690, 206))
    d.box(690, 176, 40, 60, "", "data")
    d.text(710, 211, "reg", size=11, mono=True)
    d.text(710, 254, "total", size=12)
    d.arrow((730, 206), (770, 206))
    d.text(722, 278, "to the", size=11, soft=True)
    d.text(722, 293, "accumulators", size=11, soft=True)


def draw() -> str:
    """The drawing as SVG."""
    return picture().svg()
