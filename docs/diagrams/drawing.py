"""A pen for block diagrams: boxes, arrows and text, written as SVG.

Colours are variables of the page's style sheet, each with a value for where there is none, so one
drawing serves the light and the dark page. Positions and sizes are in units of the view box.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal

Kind = Literal["data", "weight", "control", "memory", "plain"]
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

INK, SOFT, LINE = ("var(--diagram-ink, #1f2933)", "var(--diagram-soft, #52606d)",
                   "var(--diagram-line, #7b8794)")
COLOURS: dict[str, tuple[str, str]] = {
    "data": ("#dbeafe", "#2563eb"), "weight": ("#fde8cf", "#c2570c"),
    "control": ("#e9e3fb", "#6d4bc4"), "memory": ("#d8f3e3", "#15803d"),
}
SANS = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
MONO = "ui-monospace, 'SFMono-Regular', Menlo, Consolas, monospace"
GLYPH = 0.56
"""Mean width of a letter as a share of the size of the type; monospaced letters have 0.61."""


def fill_of(kind: Kind) -> str:
    """The colour of a kind of part."""
    if kind == "plain":
        return "var(--diagram-page, #ffffff)"
    return f"var(--diagram-{kind}, {COLOURS[kind][0]})"


def edge_of(kind: Kind) -> str:
    """The colour of its outline."""
    return LINE if kind == "plain" else f"var(--diagram-{kind}-edge, {COLOURS[kind][1]})"


class Drawing:
    """A drawing of ``width`` by ``height``, which a page shows as wide as it has room.

    Parameters
    ----------
    width, height:
        Size of the view box.
    title, description:
        What a screen reader says.
    """

    def __init__(self, width: float, height: float, title: str, description: str):
        self.width, self.height = width, height
        self.extents: list[tuple[str, float, float, float, float]] = []
        self._title, self._description = title, description
        self._parts: list[str] = []

    def region(self, x: float, y: float, width: float, height: float, label: str = "") -> None:
        """A quiet area behind other parts, with its name in the upper left corner."""
        self._rectangle(x, y, width, height, "var(--diagram-region, #f3f5f8)", LINE, 10, "4 4")
        if label:
            self.text(x + 12, y + 20, label, size=13, soft=True, anchor="start")

    def box(self, x: float, y: float, width: float, height: float, text: str | Sequence[str] = (),
            kind: Kind = "plain", size: float = 13) -> None:
        """A part. The first line of its text is its name, the others explain."""
        self._rectangle(x, y, width, height, fill_of(kind), edge_of(kind), 5)
        lines = [text] if isinstance(text, str) else list(text)
        top = y + height / 2 - (len(lines) - 1) * (size + 3) / 2 + size * 0.35
        for number, line in enumerate(lines):
            self.text(x + width / 2, top + number * (size + 3), line, bold=number == 0,
                      size=size if number == 0 else size - 1.5, soft=number > 0, room=width - 6)

    def cell(self, x: float, y: float, width: float, height: float, kind: Kind,
             text: str = "", size: float = 11) -> None:
        """A small square-cornered part, as of a register or a bit."""
        self._rectangle(x, y, width, height, fill_of(kind), edge_of(kind), 1)
        if text:
            self.text(x + width / 2, y + height / 2 + size * 0.35, text, size=size, mono=True)

    def bar(self, x: float, y: float, width: float, height: float, kind: Kind) -> None:
        """A stretch of time in which something works."""
        self._parts.append(f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" '
                           f'height="{_n(height)}" style="fill:{edge_of(kind)}"/>')
        self.extents.append(("bar", x, y, x + width, y + height))

    def circle(self, x: float, y: float, radius: float, text: str, kind: Kind = "data") -> None:
        """Draw an arithmetic operation as a circle with its sign inside."""
        self._parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" '
                           f'style="fill:{fill_of(kind)};stroke:{edge_of(kind)};stroke-width:1.4"/>')
        self.text(x, y + 5, text, size=15)

    def line(self, points: Sequence[Point], dashed: bool = False, width: float = 1.5,
             colour: str = LINE) -> None:
        """A polyline."""
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        dash = ";stroke-dasharray:5 4" if dashed else ""
        self._parts.append(f'<polyline points="{path}" style="fill:none;stroke:{colour};'
                           f'stroke-width:{width}{dash}"/>')
        for x, y in points:
            self.extents.append(("line", x, y, x, y))

    def arrow(self, *points: Point, both: bool = False, dashed: bool = False,
              wide: bool = False) -> None:
        """A line with a head at its end, or at both."""
        width = 3.0 if wide else 1.5
        self.line(points, dashed, width)
        self._head(points[-2], points[-1], 5 if wide else 4)
        if both:
            self._head(points[1], points[0], 5 if wide else 4)

    def text(self, x: float, y: float, text: str, *, size: float = 12, anchor: Anchor = "middle",
             bold: bool = False, soft: bool = False, mono: bool = False,
             room: float | None = None) -> None:
        """A line of text whose baseline is at ``y``; set closer where ``room`` is too little."""
        length = len(text) * size * (0.61 if mono else GLYPH) * (1.05 if bold else 1)
        squeeze = ""
        if room is not None and length > room:
            squeeze = f' textLength="{_n(room)}" lengthAdjust="spacingAndGlyphs"'
            length = room
        left = x - {"start": 0.0, "middle": length / 2, "end": length}[anchor]
        self.extents.append((text, left, y - size, left + length, y + size * 0.3))
        weight = ";font-weight:600" if bold else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{squeeze} style="fill:'
            f'{SOFT if soft else INK};font-size:{_n(size)}px;font-family:{MONO if mono else SANS}'
            f'{weight}">{escape(text)}</text>')

    def svg(self) -> str:
        """The drawing as an SVG element to stand in a page."""
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} '
            f'{_n(self.height)}" role="img" style="max-width:{_n(self.width)}px">',
            f"<title>{escape(self._title)}</title>", f"<desc>{escape(self._description)}</desc>",
            *self._parts, "</svg>"])

    def _rectangle(self, x: float, y: float, width: float, height: float, fill: str, edge: str,
                   radius: float, dash: str = "") -> None:
        dashes = f";stroke-dasharray:{dash}" if dash else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            f'rx="{_n(radius)}" style="fill:{fill};stroke:{edge};stroke-width:1.4{dashes}"/>')
        self.extents.append(("box", x, y, x + width, y + height))

    def _head(self, before: Point, end: Point, size: float) -> None:
        dx, dy = end[0] - before[0], end[1] - before[1]
        length = (dx * dx + dy * dy) ** 0.5 or 1
        dx, dy = dx / length, dy / length
        back = (end[0] - dx * 2 * size, end[1] - dy * 2 * size)
        corners = [end, (back[0] - dy * size, back[1] + dx * size),
                   (back[0] + dy * size, back[1] - dx * size)]
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in corners)
        self._parts.append(f'<polygon points="{path}" style="fill:{LINE}"/>')


def _n(value: float) -> str:
    """A number, short."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
