"""Results of the accuracy benchmark, and their table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from vqrom_sim.report import plain_table
from vqrom_sw.codebook import Extraction
from vqrom_sw.io import write_bytes

TUPLES = ("sources", "agreement", "compared")


@dataclass(frozen=True)
class Row:
    """A result.

    Members
    -------
    sources:
        Networks that the codebook was extracted from.
    score, float_score:
        Share of the samples that have their label, or what the task measures.
    agreement, compared:
        Share of the inputs with the float network's class, and how many were compared: the
        samples, or each set of photographs that were kept back.
    indexed_ratio, ratio, int8_ratio:
        Float32 weights of the indexed layers against their indices; the whole network against
        itself in float32 and in int8. No ROM in any.
    seconds:
        Of compression, on this machine.
    extraction, stages:
        Of the codebook.
    """

    network: str
    method: str
    codewords: int
    subvector: int
    sources: tuple[str, ...]
    epochs: int
    samples: int
    score: float
    float_score: float
    agreement: tuple[float, ...]
    compared: tuple[int, ...]
    indexed_ratio: float
    ratio: float
    int8_ratio: float
    seconds: float
    extraction: str = Extraction.KDE
    stages: int = 1

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it another row, but for the epochs."""
        return (self.network, self.method, self.codewords, self.subvector, self.sources,
                self.extraction, self.stages)

    @property
    def shape(self) -> str:
        """Of the codebook: k and d, of each table if there are several."""
        rows = round(self.codewords ** (1 / self.stages))
        tables = f"{self.stages} x " if self.stages > 1 else ""
        return f"{tables}{rows}, {self.subvector}"


def read_rows(path: Path) -> list[Row]:
    """What :func:`write_rows` wrote; JSON knows no tuples."""
    found = json.loads(path.read_bytes())
    return [Row(**{**row, **{name: tuple(row[name]) for name in TUPLES}}) for row in found]


def write_rows(path: Path, rows: list[Row]) -> None:
    """As JSON, all or nothing."""
    write_bytes(path, json.dumps([vars(row) for row in rows], indent=1).encode())


def print_rows(rows: list[Row]) -> None:
    """One line for each result."""
    table = plain_table("network", "method", "k, d", "in codebook", "float %", "here %",
                        "drop", "agree %", "ratio indexed", "ratio all", "to int8", "s", left=4)
    for row in rows:
        seen = "yes" if row.network in row.sources else "no"
        table.add_row(
            row.network, f"{row.method} {row.epochs or ''}",
            f"{row.extraction} {row.shape}",
            f"{seen}, of {len(row.sources)}", f"{100 * row.float_score:.2f}",
            f"{100 * row.score:.2f}", f"{100 * (row.float_score - row.score):.2f}",
            ", ".join(f"{100 * share:.1f} of {count}" for share, count in
                      zip(row.agreement, row.compared, strict=True)), f"{row.indexed_ratio:.1f}",
            f"{row.ratio:.1f}", f"{row.int8_ratio:.1f}", f"{row.seconds:.0f}")
    Console(width=150).print(table)
