"""What plotly pictures of all pages share: palette, layout, and names that plotly shows as text.

Pictures are plain ``data`` and ``layout`` dictionaries. Ink and grid take the page's colours from
its style sheet; the colours here are those of a downloaded picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8f98", "#b8a800",
           "#5d3a9b")
"""Okabe and Ito's colours, told apart under every common colour blindness, yellow darkened for
white pages, and a grey and a violet."""

SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "triangle-down", "star")
"""Shapes of markers, which tell apart what colours alone would not."""

PATTERNS = ("", "/", "x", "-", "|", "+", ".", "\\")
"""Hatchings of bars, for the same reason."""

INK, FAINT = "#1d232b", "#8a8f98"

LOG_RANGE = 30
"""An axis whose largest value is so many times its smallest is logarithmic."""


def text(value: Any, longest: int = 80) -> str:
    """A name as plotly shows it letter by letter: its markup is escaped, long ones are cut."""
    name = str(value)
    return escape(name if len(name) <= longest else f"{name[:longest - 1]}…", quote=False)


def hatched(number: int) -> dict[str, Any]:
    """How the bars of one part are filled: a colour and a hatching that no other part has."""
    return {"color": PALETTE[number % len(PALETTE)],
            "pattern": {"shape": PATTERNS[number % len(PATTERNS)], "size": 5, "solidity": 0.25,
                        "fgcolor": "#ffffff", "fillmode": "overlay"},
            "line": {"width": 0}}


def layout(height: int, **changes: Any) -> dict[str, Any]:
    """A layout without a frame, with transparent paper, small margins and the legend on top."""
    return {
        "height": height, "autosize": True, "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)", "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "font": {"size": 12, "color": INK, "family": "system-ui, sans-serif"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
                   "traceorder": "normal"},
        "hoverlabel": {"bgcolor": INK, "bordercolor": INK, "align": "left",
                       "font": {"color": "#ffffff", "size": 12}},
        "hovermode": "closest", "dragmode": "zoom",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": FAINT, "activecolor": INK},
    } | changes


def axis(title: str, **changes: Any) -> dict[str, Any]:
    """An axis with a title, thin grid lines, and room for its labels."""
    return {"title": {"text": text(title), "standoff": 8}, "automargin": True,
            "gridcolor": "#dde2e8", "zeroline": False, "ticks": ""} | changes


def value_axis(title: str, values: Sequence[float], **changes: Any) -> dict[str, Any]:
    """An axis of numbers: logarithmic where :func:`scale` says so, thousands as k, M and G."""
    log = scale(values) == "log"
    ticks = "~s" if max(map(abs, values), default=0) >= 1000 else ".3~g"
    return axis(title, type="log" if log else "linear", tickformat=ticks,
                **({"dtick": "D2", "exponentformat": "SI"} if log else {}), **changes)


def scale(values: Sequence[float]) -> str:
    """``"log"`` where positive values span more than :data:`LOG_RANGE`, else ``"linear"``."""
    wide = bool(values) and min(values) > 0 and max(values) > LOG_RANGE * min(values)
    return "log" if wide else "linear"
