"""Reports as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .plots import ACTIVITIES


def _accesses(buffer: str, way: str) -> Callable[[Mapping[str, Any]], float]:
    return lambda report: report["traffic"]["buffers"][buffer][way]


_COUNTED: tuple[tuple[str, Callable[[Mapping[str, Any]], float]], ...] = (
    ("MACs", lambda report: report["macs"]),
    ("cycles", lambda report: report["cycles"]),
    ("codebook ROM reads", lambda report: report["traffic"]["rom_reads"]),
    *((f"{buffer} {'buffer ' if buffer == 'activation' else ''}{way}", _accesses(buffer, way))
      for buffer in ("activation", "accumulator") for way in ("reads", "writes")),
)


def plain_table(*columns: str, left: int = 1, title: str | None = None,
                caption: str | None = None) -> Table:
    """A table without a frame; the first ``left`` columns are text, the others numbers."""
    table = Table(box=box.SIMPLE_HEAD, title=title, caption=caption, title_justify="left",
                  caption_justify="left", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right")
    return table


def simulate_table(report: Mapping[str, Any]) -> RenderableType:
    """A simulation: its layers, and below them DRAM bytes per stream and stalls.

    Without hardware figures (engine ``reference``) only the layers' names and MACs are shown.
    """
    parts: list[RenderableType] = [_verdict(report), _layers(report)]
    if any(layer["host"] for layer in report["layers"]):
        parts += [_stages(report), _hosts(report)]
    if report["cycles"]:
        parts += [_streams(report), _spent(report)]
    if report.get("time"):
        parts.append(_time(report["time"]))
    return Group(*parts)


def counters_table(reports: Sequence[Mapping[str, Any]]) -> RenderableType:
    """What the hardware counted for one image, a column for each simulation of the RTL engine."""
    table = plain_table("per image", *(escape(report["network"]) for report in reports),
                        title="Counted by the hardware")
    for name, pick in _COUNTED:
        table.add_row(name, *(_count(pick(report) / report["images"]) for report in reports))
    table.add_section()
    for way, verb in (("read", "from"), ("write", "to")):
        streams = reports[0]["traffic"][f"dram_{way}_bytes"] if reports else ()
        for stream in streams:
            moved = [report["traffic"][f"dram_{way}_bytes"][stream] / report["images"]
                     for report in reports]
            if any(moved):
                table.add_row(f"bytes {verb} DRAM: {stream}", *map(_count, moved))
    return table


def _verdict(report: Mapping[str, Any]) -> Text:
    text = Text.assemble((report["network"], "bold"),
                         f" on {report['config']['name']}, engine {report['engine']}, "
                         f"{report['images']:,} image{'' if report['images'] == 1 else 's'}: ")
    if report["engine"] == "reference":
        return text.append("values of the integer reference, compared with nothing")
    if report["bit_exact"] is None:
        return text.append("cycles and counters of the hardware, no values")
    if report["bit_exact"]:
        return text.append("bit-exact", "green")
    first = report["first_mismatch"]
    return text.append(f"{report['mismatches']:,} bytes differ from the reference"
                       + (f", first in layer {first}" if first else ""), "red")


def _layers(report: Mapping[str, Any]) -> Table:
    measured = report["cycles"] is not None
    table = plain_table("layer", "kind", "weights", "MACs",
                   *(("cycles", "utilisation", "DRAM bytes") if measured else ()), left=2,
                   caption="all images" if report["images"] > 1 else None)
    for layer in report["layers"]:
        table.add_row(escape(layer["name"]), layer["kind"], _count(layer["weights"]),
                      _count(layer["macs"]), *(_hardware(layer) if measured else ()),
                      style="dim" if layer["host"] else None)
    table.add_section()
    table.add_row("total", "", _count(report["weights"]["count"]), _count(report["macs"]),
                  *(_hardware(report) if measured else ()), style="bold")
    return table


def _hardware(part: Mapping[str, Any]) -> tuple[str, str, str]:
    if part.get("host"):
        return "on the host", "", ""
    traffic = part["traffic"]
    moved = sum(traffic["dram_read_bytes"].values()) + sum(traffic["dram_write_bytes"].values())
    return (_count(part["cycles"]), f"{part['utilization']:.1%}" if part["macs"] else "",
            _count(moved))


def _stages(report: Mapping[str, Any]) -> Table:
    """The stages in order, and the bytes of maps that cross."""
    measured = report["cycles"] is not None
    table = plain_table("stage", "where", "layers",
                        *(("cycles", "bytes in", "bytes out") if measured else ()), left=3,
                        title="Accelerator and host take turns")
    for number, stage in enumerate(report["stages"], start=1):
        first, last = (escape(stage["layers"][place]) for place in (0, -1))
        count = len(stage["layers"])
        names = first if count == 1 else f"{first} to {last}, {count} layers"
        cycles = "" if stage["cycles"] is None else _count(stage["cycles"])
        table.add_row(str(number), stage["where"], names, *(
            (cycles, _count(stage["read_bytes"]), _count(stage["written_bytes"]))
            if measured else ()))
    return table


def _hosts(report: Mapping[str, Any]) -> Table:
    """Why layers run on the host, and their share of the work."""
    table = plain_table("on the host", "why", "% of MACs", left=2,
                        caption=f"{report['host_macs'] / max(report['macs'], 1):.1%} of all MACs "
                                "are on the host; its time is not estimated")
    for layer in report["layers"]:
        if layer["host"]:
            table.add_row(escape(layer["name"]), layer["host"]["reason"],
                          f"{100 * layer['host']['macs_share']:.1f}")
    return table


def _streams(report: Mapping[str, Any]) -> Table:
    reads, writes = (report["traffic"][f"dram_{way}_bytes"] for way in ("read", "write"))
    table = plain_table("DRAM stream", "bytes read", "bytes written")
    for stream in reads:
        if reads[stream] or writes[stream]:
            table.add_row(stream, _count(reads[stream]), _count(writes[stream]))
    return table


def _spent(report: Mapping[str, Any]) -> Table:
    stalls = report["stalls"]
    spent = {"compute": report["cycles"] - sum(stalls.values()), **stalls}
    table = plain_table("cycles spent on", "cycles", "%")
    for cause, cycles in spent.items():
        if cycles:
            label = ACTIVITIES[cause][0] if cause in ACTIVITIES else cause
            table.add_row(label, _count(cycles), f"{100 * cycles / max(report['cycles'], 1):.1f}")
    return table


def _time(time: Mapping[str, Any]) -> Text:
    return Text(f"at {time['frequency_mhz']:,.4g} MHz ({time['source']}): "
                f"{1e3 * time['seconds_per_inference']:,.4g} ms for an inference, "
                f"{time['inferences_per_second']:,.4g} inferences/s")


def _count(value: float) -> str:
    return f"{value:,.0f}"
