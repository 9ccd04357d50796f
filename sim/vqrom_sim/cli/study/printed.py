"""What `vqrom study` prints: the studies that come with vqrom, and the best points of one."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from vqrom_sim.report import plain_table
from vqrom_sim.studies import Study, StudyTable, shipped_studies

SHOWN_ROWS = 15
"""Most points that are printed; the files have all of them."""


def shipped_table() -> Table:
    """The studies that come with vqrom."""
    shown = plain_table("study", "what it asks", left=2)
    for name in shipped_studies():
        shown.add_row(name, Study.load(name).file.description.strip())
    return shown


def print_result(study: Study, table: StudyTable) -> None:
    """Print the first Pareto front, or the first points of a study without objectives."""
    failed = [row for row in table.rows if row["error"]]
    best = bool(study.file.objectives)
    chosen = table.pareto() if best else table
    columns = [axis.name for axis in study.axes] + (
        list(study.file.objectives) or list(study.file.derived)
        or [measure.columns[0].name for measure in study.measures])
    shown = plain_table(*columns, left=len(study.axes), title=(
        f"{study.file.name}: {len(table)} points, {len(failed)} of them with an error"
        + (f"; {len(chosen)} that no other beats" if best else "")))
    for row in chosen.rows[:SHOWN_ROWS]:
        shown.add_row(*(_text(row[name]) for name in columns))
    console = Console()
    console.print(shown)
    if len(chosen) > SHOWN_ROWS:
        console.print(f"... and {len(chosen) - SHOWN_ROWS} more")
    if failed:
        console.print(f"first error: {failed[0]['error']}", markup=False)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
