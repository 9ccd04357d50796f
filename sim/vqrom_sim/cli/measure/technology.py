"""`vqrom technology`: constants of the memory model with their sources, and its errors."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vqrom_hw.errors import VqromError

from ..lazy import LazyModule
from ..options import JsonOption, command_app

if TYPE_CHECKING:
    from vqrom_sim import technology as room
else:
    room = LazyModule("vqrom_sim.technology")

app = command_app()

@app.command()
def technology(
    source: Annotated[str | None, typer.Argument(
        metavar="[NAME|FILE.toml]", help="a technology; without one, an overview of all")] = None,
    macro: Annotated[list[str] | None, typer.Option(
        metavar="KIND:WORDSxWIDTH", help="estimate this memory, such as rom:256x32; several may be "
                                         "given")] = None,
    constants: Annotated[bool, typer.Option(
        "--constants", help="list every constant with its range and source")] = False,
    json_output: JsonOption = False,
) -> None:
    """Memory macros of a technology: the model's errors on published ones, or its estimates."""
    if source is None:
        if macro or constants:
            raise VqromError("technology must be named for --macro and --constants")
        report: Any = [_overview(room.load_technology(name)) for name in room.technology_names()]
        tables = [_rows_table("technologies", report)]
    else:
        loaded = room.load_technology(source)
        shapes = [parse_macro(text) for text in macro or []]
        report = {"technology": loaded.name, "description": loaded.description}
        tables = []
        if shapes:
            report["macros"] = [_estimate(shape, loaded) for shape in shapes]
            tables.append(_columns_table(loaded.name, report["macros"]))
        if constants:
            report["constants"] = _constants(loaded)
            report["sources"] = _sources(loaded)
            tables += [_rows_table(f"{loaded.name}: constants", report["constants"]),
                       _rows_table("sources", report["sources"])]
        if not shapes and not constants:
            report["checked"] = _checked(loaded)
            tables.append(_rows_table(f"{loaded.name}: published macros", report["checked"]))
            report["summary"] = _overview(loaded)
            tables.append(_columns_table("areas that count", [report["summary"]]))
    if json_output:
        print(json.dumps(report, indent=2))
        return
    console = Console()
    if source is not None:
        console.print(report["description"])
    for table in tables:
        console.print(table)


def parse_macro(text: str) -> room.MemoryShape:
    """``sram_1r1w:1024x128/16``: kind, words, bits, and parts that are written alone.

    Raises
    ------
    VqromError
        If it is not that, or no memory has that shape.
    """
    match = re.fullmatch(r"(\w+):([0-9]{1,9})x([0-9]{1,9})(?:/([0-9]{1,9}))?", text)
    if match is None:
        raise VqromError("macro must be KIND:WORDSxWIDTH or KIND:WORDSxWIDTH/PARTS, such as "
                         f"rom:256x32, not {text!r}")
    kind, words, width, parts = match.groups()
    if kind not in room.KINDS:
        raise VqromError(f"memory kind must be one of {', '.join(room.KINDS)}, not {kind!r}")
    return room.MemoryShape(kind, int(words), int(width),  # pyright: ignore[reportArgumentType]
                            int(parts or 1))


def _overview(loaded: room.Technology) -> dict[str, Any]:
    """One technology in a row, with its errors on published macros."""
    figures = room.check_published(loaded)
    everything, kept = room.summarise(figures), room.summarise(figures, "validation")
    return {
        "technology": loaded.name, "supply_v": loaded.supply_v, "nand2_um2": loaded.nand2_um2,
        "macros": everything.macros if everything else 0,
        "mean_error": everything.mean if everything else None,
        "worst_error": everything.worst if everything else None,
        "validation_macros": kept.macros if kept else 0,
        "validation_mean_error": kept.mean if kept else None,
    }


def _estimate(shape: room.MemoryShape, loaded: room.Technology) -> dict[str, Any]:
    """A memory's figures, with CACTI's area and energy where a CACTI gives them."""
    row: dict[str, Any] = {"macro": shape.text, **loaded.estimate(shape).as_dict()}
    cacti = room.cacti_estimate(shape, loaded)
    if cacti is not None:
        row |= {f"cacti_{name}": getattr(cacti, name)
                for name in ("area_um2", "access_ns", "read_pj", "write_pj")}
    return row


def _constants(loaded: room.Technology) -> list[dict[str, Any]]:
    """Every constant in a row."""
    return [{"constant": name, "value": one.value, "low": one.low, "high": one.high,
             "source": one.source} for name, one in loaded.constants.items()]


def _sources(loaded: room.Technology) -> list[dict[str, Any]]:
    """Every source in a row."""
    return [{"source": name, "year": one.year, "text": one.text, "url": one.url}
            for name, one in loaded.sources.items()]


def _checked(loaded: room.Technology) -> list[dict[str, Any]]:
    """Every published figure in a row."""
    return [{"macro": one.macro, "figure": one.figure, "published": one.published,
             "estimated": one.estimated, "error": one.error, "basis": one.basis,
             "role": one.role} for one in room.check_published(loaded)]


def _rows_table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Rows that have the same columns, as a table for the terminal."""
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        number = any(isinstance(row[name], (int, float)) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if number else "left",
                         overflow="fold", no_wrap=name == next(iter(rows[0])))
    for row in rows:
        table.add_row(*(_text(name, value) for name, value in row.items()))
    return table


def _columns_table(title: str, columns: list[dict[str, Any]]) -> Table:
    """A few things side by side: the first member heads each column, the others follow below."""
    names = list(dict.fromkeys(name for column in columns for name in column))
    table = Table(title=title, title_justify="left")
    table.add_column(names[0])
    for column in columns:
        table.add_column(str(column[names[0]]), justify="right")
    for name in names[1:]:
        table.add_row(name.replace("_", " "), *(_text(name, column.get(name))
                                                for column in columns))
    return table


def _text(name: str, value: Any) -> str:
    """A value for people: errors in per cent, other numbers with four digits."""
    if value is None:
        return ""
    if name.endswith("error"):
        return f"{100 * value:.1f} %"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)
