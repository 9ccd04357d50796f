"""Typed rows as flat records and as a pandas table, and as HTML for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from vqrom_hw.errors import VqromError

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A record without nesting: ``{"stalls": {"load": 3}}`` becomes ``{"stalls.load": 3}``."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def to_frame(rows: Sequence[Any]) -> DataFrame:
    """A table of dataclass rows, one column for each value; nested names are joined by dots.

    Raises
    ------
    VqromError
        If pandas is not installed; nothing else in vqrom needs it.
    """
    try:
        # Optional: only this conversion needs it.
        from pandas import DataFrame  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
    except ImportError:
        raise VqromError("package 'pandas' must be installed to make a table: "
                         "pip install pandas") from None
    return DataFrame.from_records([flatten(asdict(row)) for row in rows])


def html_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """An HTML table below a title, every text escaped; numbers with thousands separators."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>"
                   for row in rows)
    return (f"<p><strong>{escape(title)}</strong></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))
