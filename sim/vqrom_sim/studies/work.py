"""Work: what takes long, known by everything that its result depends on, and done once.

A measure says what work a point needs. Points that need the same work have it with the same key,
and share its result; so do studies on one machine, through the cache folder.
"""

from __future__ import annotations

import json
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sw.io import cached_directory

Result = Mapping[str, Any]
"""What work gives: names, numbers, lists and dictionaries that JSON can hold."""

RESULT_FILE = "result.json"


class Work(ABC):
    """Something to be computed, small enough to be sent to another process.

    Subclasses are frozen dataclasses at the top level of a module.
    """

    @property
    @abstractmethod
    def key(self) -> str:
        """Identity of the result: :func:`vqrom_sw.io.content_key` of the sources of the code that
        computes it (:func:`vqrom_sw.io.source_digest`) and of all that it reads, by content."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What it does, in a few words for people."""

    @abstractmethod
    def run(self) -> Result:
        """Compute the result.

        Raises
        ------
        VqromError
            If it cannot be computed, which is the same whenever it is tried.
        """


@dataclass(frozen=True)
class Outcome:
    """What became of some work.

    Members
    -------
    key, label:
        Of the work.
    result:
        The result; None if there is none.
    error:
        Why there is none; empty otherwise.
    lasting:
        Whether another try would end the same way: a result, or an error of the input. Anything
        else is tried again when the study is resumed.
    seconds:
        How long it took.
    """

    key: str
    label: str
    result: Result | None
    error: str
    lasting: bool
    seconds: float


def perform(work: Work) -> Outcome:
    """Do some work, or find its result in the cache folder; any error becomes an outcome."""
    start, key, result = time.perf_counter(), work.key, None
    error, lasting = "", True
    try:
        folder = cached_directory("study", key, lambda made: _write(made, work.run()))
        result = json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
    except VqromError as reason:
        error = str(reason)
    except Exception as reason:
        # A fault of the program in one point must not end the others; the table says what it was.
        error, lasting = f"{type(reason).__name__} {_place(reason)}: {reason}", False
    return Outcome(key, work.label, result, " ".join(error.split()), lasting,
                   time.perf_counter() - start)


def _write(folder: Path, result: Result) -> None:
    (folder / RESULT_FILE).write_text(json.dumps(result, allow_nan=False), encoding="utf-8")


def _place(error: Exception) -> str:
    """File and line in which an error arose, without the folder."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"({Path(last.filename).name}, line {last.lineno})"
