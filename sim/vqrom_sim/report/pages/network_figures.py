"""Pictures of a simulation: each layer's cycles and traffic, traffic beside baselines, roofline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import plots
from .drawing import FAINT, PALETTE, SYMBOLS, axis, hatched, layout, text

STREAM_LABELS = {
    "index": "indices", "raw_weight": "int8 weights", "codebook": "codebook",
    "parameter": "scales and biases", "command": "commands", "activation": "activations read",
    "written": "activations written",
}
"""DRAM streams as pictures call them; all but the last are read."""

ROW = 20
"""Pixels of a layer's row."""


def layers_spec(network: Mapping[str, Any]) -> dict[str, Any]:
    """Cycles of each layer by what they are spent on, and the array's utilisation beside them."""
    layers, images = own_layers(network), network["images"]
    spent = [plots.activity_cycles(layer, images) for layer in layers]
    data = [_bars(number, label, [parts.get(name, 0) for parts in spent], layers, "cycles")
            for number, (name, (label, _)) in enumerate(plots.ACTIVITIES.items())
            if any(parts.get(name, 0) for parts in spent)]
    data.append({
        "type": "bar", "orientation": "h", "xaxis": "x2", "showlegend": False,
        "y": list(range(len(layers))), "marker": {"color": PALETTE[0]}, "width": 0.72,
        "x": [100 * layer["utilization"] if layer["macs"] else None for layer in layers],
        "text": [text(layer["name"]) for layer in layers],
        "textposition": "none", "hovertemplate": "<b>%{text}</b><br>%{x:.1f} % of the array"
                                                 "<extra></extra>"})
    rows = _rows(layers)
    highest = max([100.0, *(100 * layer["utilization"] for layer in layers)])
    return {"data": data, "layout": rows | {
        "xaxis": axis("cycles, one image", tickformat="~s", domain=[0, 0.74]),
        "xaxis2": axis("utilisation, %", domain=[0.79, 1], range=[0, highest], nticks=3)}}


def streams_spec(network: Mapping[str, Any]) -> dict[str, Any]:
    """DRAM bytes of each layer by stream."""
    layers, images = own_layers(network), network["images"]
    moved = [stream_bytes(layer) for layer in layers]
    data = [_bars(number, label, [parts[name] / images for parts in moved], layers, "bytes")
            for number, (name, label) in enumerate(STREAM_LABELS.items())
            if any(parts[name] for parts in moved)]
    return {"data": data, "layout": _rows(layers) | {
        "xaxis": axis("bytes over the DRAM bus, one image", tickformat="~s")}}


def traffic_spec(networks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """DRAM bytes of one image, of each network and of its baselines."""
    rows = [(text(network["network"], 24), text(name, 24), parts) for network in networks
            for name, parts in plots.traffic_bytes(network).items()]
    data = []
    for number, (name, (label, _)) in enumerate(plots.TRAFFIC.items()):
        data.append({
            "type": "bar", "orientation": "h", "name": label, "width": 0.72,
            "y": [[one for one, _, _ in rows], [two for _, two, _ in rows]],
            "x": [parts[name] for _, _, parts in rows], "marker": hatched(number),
            "hovertemplate": f"{label}: %{{x:.4s}}B<extra></extra>"})
    return {"data": data, "layout": layout(
        130 + 26 * len(rows), barmode="stack",
        xaxis=axis("bytes over the DRAM bus, one image", tickformat="~s"),
        yaxis={"automargin": True, "autorange": "reversed", "dividercolor": FAINT})}


def roofline_spec(network: Mapping[str, Any]) -> dict[str, Any]:
    """Each layer's MACs per cycle over its MACs per DRAM byte, under the two ceilings.

    A byte counts in the direction in which the layer moves more: the bus moves a beat each way in
    a cycle.
    """
    beat, peak = network["config"]["bus_width"] // 8, network["peak_macs_per_cycle"]
    points = roofline_points(network)
    kinds = list(dict.fromkeys(layer["kind"] for layer, _, _ in points))
    data = []
    for number, kind in enumerate(kinds):
        chosen = [point for point in points if point[0]["kind"] == kind]
        data.append({
            "type": "scatter", "mode": "markers", "name": text(kind),
            "x": [one for _, one, _ in chosen], "y": [two for _, _, two in chosen],
            "text": [f"<b>{text(layer['name'])}</b><br>{layer['cycles']:,} cycles"
                     for layer, _, _ in chosen],
            "marker": {"color": PALETTE[number % len(PALETTE)], "size": 10, "opacity": 0.85,
                       "symbol": SYMBOLS[number % len(SYMBOLS)]},
            "hovertemplate": "%{text}<br>%{x:.4~g} MACs per byte<br>%{y:.4~g} MACs per cycle"
                             "<extra></extra>"})
    ridge = peak / beat
    low = min([ridge / 4, *(one / 2 for _, one, _ in points)])
    high = max([ridge * 4, *(one * 2 for _, one, _ in points)])
    data.append({
        "type": "scatter", "mode": "lines", "name": "ceilings of bus and array",
        "x": [low, ridge, high], "y": [low * beat, peak, peak], "hoverinfo": "skip",
        "line": {"color": FAINT, "width": 2, "dash": "dash"}})
    lowest = min([low * beat, *(two for _, _, two in points)])
    notes = [(high, peak, "right", f"array, {peak} MACs a cycle", 14),
             ((low * ridge) ** 0.5, (low * ridge) ** 0.5 * beat, "left",
              f"bus, {beat} bytes a cycle", -14)]
    return {"data": data, "layout": layout(
        440, annotations=[{
            "x": math.log10(x), "y": math.log10(y), "xanchor": side, "text": said, "yshift": shift,
            "xshift": 8 if side == "left" else 0, "showarrow": False, "font": {"size": 11}}
            for x, y, side, said, shift in notes],
        xaxis=axis("MACs per DRAM byte", type="log", dtick="D2", tickformat="~s"),
        yaxis=axis("MACs per cycle", type="log", dtick="D2", tickformat="~s",
                   range=[math.log10(lowest / 1.3), math.log10(peak * 1.6)]))}


def roofline_points(network: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], float, float]]:
    """Layers that multiply and take cycles and bytes: MACs per byte and per cycle of each."""
    points = []
    for layer in own_layers(network):
        if layer["macs"] and layer["cycles"]:
            reads, writes = (sum(layer["traffic"][f"dram_{way}_bytes"].values())
                             for way in ("read", "write"))
            if reads or writes:
                points.append((layer, layer["macs"] / max(reads, writes),
                               layer["macs"] / layer["cycles"]))
    return points


def own_layers(network: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The layers that are not the host's."""
    return [layer for layer in network["layers"] if not layer["host"]]


def stream_bytes(layer: Mapping[str, Any]) -> dict[str, int]:
    """Bytes of all images by :data:`STREAM_LABELS`."""
    traffic = layer["traffic"]
    return {**traffic["dram_read_bytes"], "written": sum(traffic["dram_write_bytes"].values())}


def _bars(number: int, label: str, values: Sequence[float], layers: Sequence[Mapping[str, Any]],
          unit: str) -> dict[str, Any]:
    """One colour of stacked bars, a row for each layer."""
    return {"type": "bar", "orientation": "h", "name": label, "y": list(range(len(layers))),
            "x": list(values), "marker": hatched(number), "width": 0.72, "textposition": "none",
            "text": [text(layer["name"]) for layer in layers],
            "hovertemplate": f"<b>%{{text}}</b><br>{label}: %{{x:,.0f}} {unit}<extra></extra>"}


def _rows(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A layout with a row for each layer, the first on top."""
    return layout(110 + ROW * len(layers), barmode="stack", yaxis={
        "automargin": True, "tickvals": list(range(len(layers))), "fixedrange": True,
        "ticktext": [text(layer["name"], 24) for layer in layers], "ticks": "",
        "range": [len(layers) - 0.4, -0.6], "showgrid": False, "zeroline": False})
