"""Results of the accuracy benchmark: rows in a JSON file, and their table on the terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from vqrom_sim.report import plain_table
from vqrom_sw.codebook import Extraction
from vqrom_sw.io import write_bytes

TUPLES = ("sources", "agreement", "compared", "interval")
"""Fields of a row that JSON turns into lists, and reading turns back."""


@dataclass(frozen=True)
class Row:
    """The result of one network on one codebook by one method.

    Members
    -------
    network, method:
        Network of the zoo, and one of the benchmark's methods.
    codewords, subvector:
        ``k`` and ``d`` of the codebook.
    sources:
        Networks that the codebook was extracted from.
    epochs:
        Passes over the calibration inputs; 0 if nothing was trained.
    samples:
        Number of samples that the scores are of.
    score, float_score:
        Share of the samples that get their label, or what the task measures: of the compressed
        network, and of the float one.
    agreement, compared:
        Share of the inputs with the float network's class, and how many were compared: the
        samples, or each set of photographs that were kept back.
    indexed_ratio, ratio, int8_ratio:
        Float32 weights of the indexed layers against their indices; the whole network against
        itself in float32 and in int8. The ROM is in none of them.
    seconds:
        Wall time of the compression.
    extraction, stages:
        How the codebook was extracted, and its number of tables; 1 without tables.
    seed:
        Seed of the order and the variations of the inputs in training.
    held_back:
        Agreement with the float network on calibration inputs that nothing was fitted to; None if
        there were too few to keep any back.
    interval, p:
        Of the drop, as :mod:`tests.bench.accuracy.paired` has them; None where samples have no
        labels.
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
    seed: int = 0
    held_back: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells a row from others of the same number of epochs."""
        return (self.network, self.method, self.codewords, self.subvector, self.sources,
                self.extraction, self.stages, self.seed)

    @property
    def shape(self) -> str:
        """The codebook's ``k`` and ``d`` as text, those of each table if there are several."""
        vectors = round(self.codewords ** (1 / self.stages))
        tables = f"{self.stages} x " if self.stages > 1 else ""
        return f"{tables}{vectors}, {self.subvector}"


def read_rows(path: Path) -> list[Row]:
    """Read the rows that :func:`write_rows` wrote."""
    found = json.loads(path.read_bytes())
    return [Row(**{**row, **{name: tuple(row[name]) for name in TUPLES if row.get(name)}})
            for row in found]


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as JSON, all or nothing."""
    write_bytes(path, json.dumps([vars(row) for row in rows], indent=1).encode())


def print_rows(rows: list[Row]) -> None:
    """Print a table with a line for each row."""
    table = plain_table("network", "method", "k, d", "in codebook", "float %", "here %",
                        "drop", "interval", "held back %", "agree %", "ratio indexed",
                        "ratio all", "to int8", "s", left=4)
    for row in rows:
        seen = "yes" if row.network in row.sources else "no"
        table.add_row(
            row.network,
            f"{row.method} {row.epochs}, seed {row.seed}" if row.epochs else row.method,
            f"{row.extraction} {row.shape}",
            f"{seen}, of {len(row.sources)}", f"{100 * row.float_score:.2f}",
            f"{100 * row.score:.2f}", f"{100 * (row.float_score - row.score):.2f}",
            "" if row.interval is None else
            f"{100 * row.interval[0]:.2f} to {100 * row.interval[1]:.2f}",
            "" if row.held_back is None else f"{100 * row.held_back:.1f}",
            ", ".join(f"{100 * share:.1f} of {count}" for share, count in
                      zip(row.agreement, row.compared, strict=True)), f"{row.indexed_ratio:.1f}",
            f"{row.ratio:.1f}", f"{row.int8_ratio:.1f}", f"{row.seconds:.0f}")
    Console(width=180).print(table)
