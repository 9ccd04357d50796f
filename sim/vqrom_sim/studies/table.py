"""The table of a study: one row for each point, columns with units and provenance."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv, parquet

from vqrom_hw.errors import VqromError
from vqrom_sim.report import json_text
from vqrom_sw.io import require_file, write_bytes

from .definition import Column
from .study import PARETO

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]

TABLE, TABLE_CSV, FRONT_CSV, COLUMNS_FILE = ("points.parquet", "points.csv", "pareto.csv",
                                             "columns.json")
"""Files of a table: as Parquet and as CSV, the first Pareto front, and what the columns are."""
KEPT = (b"unit", b"meaning", b"provenance", b"role")
"""What the Parquet file keeps of a column; readers of it may see other things there, too."""


@dataclass(frozen=True, eq=False)
class StudyTable:
    """The points of a study.

    Members
    -------
    data:
        One row for each point, in an order that is the same whenever the study runs.
    columns:
        Unit, meaning and provenance of each column, in the table's order.
    name:
        The study.
    """

    data: pa.Table
    columns: tuple[Column, ...]
    name: str

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], columns: tuple[Column, ...],
           name: str) -> StudyTable:
        """A table of rows that have all columns."""
        arrays = [_array([row[column.name] for row in rows], column) for column in columns]
        fields = [pa.field(column.name, array.type, metadata=_described(column))
                  for column, array in zip(columns, arrays, strict=True)]
        schema = pa.schema(fields, metadata={"vqrom.study": name})
        return cls(pa.Table.from_arrays(arrays, schema=schema), columns, name)

    @classmethod
    def load(cls, directory: str | Path) -> StudyTable:
        """Read the table from the directory of a study.

        Raises
        ------
        VqromError
            If there is none, or it is none of ours.
        """
        path = require_file(Path(directory) / TABLE, "table")
        try:
            data = parquet.read_table(path)
            name = (data.schema.metadata or {})[b"vqrom.study"].decode()
            columns = tuple(Column(field.name, **{
                key.decode(): value.decode() for key, value in (field.metadata or {}).items()
                if key in KEPT}) for field in data.schema)
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise VqromError(f"table {str(path)!r} must be one that vqrom study wrote: "
                             f"{' '.join(str(error).split())}") from None
        return cls(data, columns, name)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Each point as values by column."""
        return self.data.to_pylist()

    def __len__(self) -> int:
        """Number of points."""
        return self.data.num_rows

    def column(self, name: str) -> Column:
        """What a column is.

        Raises
        ------
        VqromError
            If there is none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise VqromError(f"table of {self.name!r} must have the column {name!r}; it has "
                         f"{', '.join(column.name for column in self.columns)}")

    def pareto(self, rank: int = 1) -> StudyTable:
        """The points of one Pareto front, by default the first: those that no other point beats.

        Raises
        ------
        VqromError
            If the study has no objectives.
        """
        self.column(PARETO)
        chosen = [value == rank for value in self.data[PARETO].to_pylist()]
        return StudyTable(self.data.filter(pa.array(chosen, pa.bool_())), self.columns, self.name)

    def to_pandas(self) -> DataFrame:
        """The table for pandas.

        Raises
        ------
        VqromError
            If pandas is not installed.
        """
        try:
            return self.data.to_pandas()
        except ImportError:
            raise VqromError("package 'pandas' must be installed to make a table: "
                             "pip install pandas") from None

    def save(self, directory: str | Path) -> list[str]:
        """Write the table into a directory that is there; each file appears when it is complete.

        Returns
        -------
        list
            Names of the files: ``points.parquet``, ``points.csv``, ``columns.json``, and
            ``pareto.csv`` where the study has objectives.
        """
        files = {TABLE: _parquet(self.data), TABLE_CSV: _csv(self.data),
                 COLUMNS_FILE: json_text([column.as_dict() for column in self.columns]).encode()}
        if any(column.name == PARETO for column in self.columns):
            files[FRONT_CSV] = _csv(self.pareto().data)
        for name, content in files.items():
            write_bytes(Path(directory) / name, content)
        return list(files)


def _described(column: Column) -> dict[str, str]:
    """What Parquet keeps of a column: all but its name."""
    return {key: value for key, value in column.as_dict().items() if key != "name"}


def _array(values: list[Any], column: Column) -> pa.Array:
    """Values with the narrowest of the types bool, int64, float64 and string that holds them."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        kind: pa.DataType = pa.bool_()
    elif kinds == {int}:
        kind = pa.int64()
    elif kinds and kinds <= {int, float}:
        kind = pa.float64()
        values = [None if value is None else float(value) for value in values]
    elif kinds == {str}:
        kind = pa.string()
    elif not kinds:
        kind = pa.float64() if column.role in ("measure", "derived") else pa.string()
    else:
        raise VqromError(f"column {column.name!r} must hold values of one kind, not "
                         f"{', '.join(sorted(kind.__name__ for kind in kinds))}")
    return pa.array(values, kind)


def _parquet(data: pa.Table) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(data, buffer, compression="zstd")
    return buffer.getvalue()


def _csv(data: pa.Table) -> bytes:
    buffer = io.BytesIO()
    csv.write_csv(data, buffer, csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()
