"""Still pictures for notebooks (matplotlib), and names, colours and numbers of all pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

# Okabe and Ito's palette, distinct under every common colour blindness; grey is for the rest.
BLUE, SKY, GREEN, YELLOW = "#0072b2", "#56b4e9", "#009e73", "#f0e442"
ORANGE, RED, PURPLE, GREY = "#e69f00", "#d55e00", "#cc79a7", "#8a8f98"

ACTIVITIES: dict[str, tuple[str, str]] = {
    "compute": ("array works", BLUE),
    "weights": ("waits for weights", ORANGE),
    "accumulators": ("waits for accumulators", PURPLE),
    "drain": ("waits for post-processing", SKY),
    "vector": ("pooling, addition, depthwise", GREEN),
    "load": ("loads feature map", RED),
    "store": ("stores feature map", "#9c4a1a"),
    "command": ("fetches command", GREY),
}
"""What a cycle is spent on: label and colour, in stacking order."""

TRAFFIC: dict[str, tuple[str, str]] = {
    "weights": ("indices, weights, codebook", BLUE),
    "parameters": ("scales, biases, commands", ORANGE),
    "activations": ("activations", SKY),
}
"""What crosses the DRAM bus: label and colour."""

GROUP_TITLES: dict[str, str] = {
    "array": "PE array", "rom": "codebook ROM", "decode": "weight decode",
    "accumulators": "accumulators", "post": "post-processing", "vector": "vector unit",
    "activation_buffer": "activation buffer", "dma": "DMA and bus", "control": "control",
}
"""Groups of :mod:`vqrom_sim.area.estimate`."""

_INK = "#1d232b"
_STYLE: Any = {
    "font.family": "sans-serif", "font.size": 10,
    "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _INK,
    "xtick.color": _INK, "ytick.color": _INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "axes.linewidth": 0.6,
    "ytick.left": False, "axes.titlelocation": "left", "axes.titlesize": 11,
    "axes.titleweight": "bold", "figure.facecolor": "none", "axes.facecolor": "none",
    "savefig.facecolor": "none", "legend.frameon": False,
}
_ROW = 0.32
"""Inches of one bar and its gap."""


def area_figure(area: Mapping[str, Any]) -> Figure:
    """um2 of each group, logic and beside it memories, largest first."""
    total = area["total"]["area_um2"]
    kinds = {"logic_um2": ("logic", BLUE), "memory_um2": ("memories", SKY)}
    groups = sorted(area["groups"].items(), key=lambda group: -group[1]["area_um2"])
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(8.2, len(groups), legend=True)
        _stack(axes, list(enumerate(sizes for _, sizes in groups)), kinds)
        for row, (_, sizes) in enumerate(groups):
            value = sizes["area_um2"]
            _label(axes, value, row, f"{quantity(value).strip()} · {value / max(total, 1e-9):.1%}")
        axes.set_yticks(range(len(groups)), [GROUP_TITLES.get(name, name) for name, _ in groups])
        _finish(axes, groups[0][1]["area_um2"], "µm²")
        _legend(axes, kinds)
    return figure


def traffic_bytes(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """DRAM bytes of one image, of a report and of each of its baselines, by :data:`TRAFFIC`.

    All of them were counted while an engine ran: a baseline is a run of its own.
    """
    images = report["images"]
    return {name: _traffic_parts(one["traffic"], images)
            for name, one in (("this design", report), *(
                (baseline["name"], baseline) for baseline in report["baselines"]))}


def _traffic_parts(traffic: Mapping[str, Any], images: int) -> dict[str, float]:
    reads, writes = traffic["dram_read_bytes"], traffic["dram_write_bytes"]
    return {"weights": (reads["index"] + reads["raw_weight"] + reads["codebook"]) / images,
            "parameters": (reads["parameter"] + reads["command"]) / images,
            "activations": (reads["activation"] + writes["activation"]) / images}


def traffic_figure(reports: Sequence[Mapping[str, Any]]) -> Figure:
    """DRAM bytes of one image: a bar for each network, and one for each of its baselines."""
    rows: list[tuple[float, str, dict[str, float]]] = []
    heads: list[tuple[float, str]] = []
    for report in reports:
        heads.append((len(rows) + len(heads), report["network"]))
        for name, parts in traffic_bytes(report).items():
            rows.append((len(rows) + len(heads), name, parts))
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(8.2, len(rows) + len(heads), legend=True)
        for row, name in heads:
            axes.text(0, row + 0.3, name, fontweight="bold", va="center")
        _stack(axes, [(row, parts) for row, _, parts in rows], TRAFFIC)
        for row, _, parts in rows:
            _label(axes, sum(parts.values()), row, f"{quantity(sum(parts.values()))}B")
        axes.set_yticks([row for row, _, _ in rows], [name for _, name, _ in rows])
        axes.set_ylim(len(rows) + len(heads) - 0.4, -0.4)
        _finish(axes, max(sum(parts.values()) for _, _, parts in rows),
                "bytes over the DRAM bus, one image")
        _legend(axes, TRAFFIC)
    return figure


def layers_figure(report: Mapping[str, Any]) -> Figure:
    """Cycles of each layer by what they are spent on, and utilisation of the array beside it.

    Host layers take none of the accelerator's cycles: they have no bar.
    """
    layers = [layer for layer in report["layers"] if not layer["host"]]
    images = report["images"]
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(8.2, len(layers), legend=True, panels=2)
        cycles, share = axes
        spent = [(row, activity_cycles(layer, images)) for row, layer in enumerate(layers)]
        used = {name: value for name, value in ACTIVITIES.items()
                if any(parts.get(name, 0) for _, parts in spent)}
        _stack(cycles, spent, used)
        cycles.set_yticks(range(len(layers)), [layer["name"] for layer in layers])
        for row, parts in spent:
            _label(cycles, sum(parts.values()), row, quantity(sum(parts.values())))
        _finish(cycles, max(sum(parts.values()) for _, parts in spent), "cycles, one image")
        cycles.set_ylim(len(layers) - 0.5, -0.5)
        _utilization(share, layers)
        _legend(cycles, used)
    return figure


def on_white(figure: Figure) -> Figure:
    """The figure with a white background, readable in a notebook of any colour."""
    figure.set_facecolor("white")
    return figure


def activity_cycles(layer: Mapping[str, Any], images: int) -> dict[str, float]:
    """Cycles of one image by :data:`ACTIVITIES`; what is no stall is computing."""
    stalls = layer["stalls"]
    return {"compute": (layer["cycles"] - sum(stalls.values())) / images,
            **{cause: value / images for cause, value in stalls.items()}}


def quantity(value: float, *, short: bool = False) -> str:
    """A number of three digits with k, M, G and a blank for the unit's name: ``418 k``.

    Parameters
    ----------
    value:
        Any number.
    short:
        Without zeros at the end, as axes have it.
    """
    scales = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
    limit, unit = next((scale for scale in scales if abs(value) >= scale[0] * 0.9995), (1, ""))
    value /= limit
    whole = abs(value) >= 99.95 or (unit == "" and float(value).is_integer())
    text = f"{value:.{0 if whole else 1 if abs(value) >= 9.995 else 2}f}"
    if short and "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}"


def _figure(width: float, rows: int, *, legend: bool = False, panels: int = 1) -> Any:
    figure = Figure(figsize=(width, rows * _ROW + (1.05 if legend else 0.65)),
                    layout="constrained")
    axes = figure.subplots(1, panels, sharey=panels > 1,
                           width_ratios=(3, 1) if panels == 2 else None)
    if panels == 1:
        axes.invert_yaxis()
    return figure, axes


def _stack(axes: Axes, rows: Sequence[tuple[float, Mapping[str, float]]],
           kinds: Mapping[str, tuple[str, str]]) -> None:
    """Stacked bars, one colour for each kind."""
    ends = [0.0] * len(rows)
    for name, (_, colour) in kinds.items():
        values = [parts.get(name, 0) for _, parts in rows]
        axes.barh([row for row, _ in rows], values, left=ends, height=0.66, color=colour)
        ends = [end + value for end, value in zip(ends, values, strict=True)]


def _utilization(axes: Axes, layers: Sequence[Mapping[str, Any]]) -> None:
    rows = [(row, layer["utilization"]) for row, layer in enumerate(layers) if layer["macs"]]
    axes.barh([row for row, _ in rows], [100 * value for _, value in rows], height=0.66,
              color=BLUE)
    for row, value in rows:
        _label(axes, 100 * value, row, f"{value:.0%}")
    _finish(axes, 100, "utilisation of the array, %", margin=1.28)
    axes.set_xticks((0, 50, 100))
    axes.tick_params(labelleft=False)


def _label(axes: Axes, end: float, row: float, text: str) -> None:
    axes.annotate(text.strip(), (end, row), xytext=(5, 0), textcoords="offset points", va="center",
                  fontsize=9)


def _finish(axes: Axes, longest: float, unit: str, margin: float = 1.2) -> None:
    axes.set_xlim(0, max(longest, 1) * margin)
    axes.set_xlabel(unit, fontsize=9)
    axes.xaxis.set_major_formatter(lambda value, _: quantity(value, short=True).strip())
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="x", labelsize=8.5, width=0.6)


def _legend(axes: Axes, kinds: Mapping[str, tuple[str, str]]) -> None:
    handles = [Patch(color=colour, label=label) for label, colour in kinds.values()]
    axes.figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=9,
                       handlelength=1, handleheight=1, columnspacing=1.4)
