"""What has been computed, kept so that a study goes on after any interruption.

Results are lines of a journal, each with a checksum; a line that was cut off, or altered, counts as
absent. They are known by the key of their work, which covers everything that they depend on, so
that a result of other sources or another input is never taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from vqrom_hw.errors import VqromError
from vqrom_sim.report import check_output, json_text
from vqrom_sw.io import read_bytes, write_bytes

from .study import Study
from .work import Outcome

STUDY_FILE, JOURNAL, LOCK = "study.json", "journal.jsonl", ".study.lock"
SCHEMA = "vqrom.study/1"
"""Format of ``study.json``."""
MAX_STUDY_JSON_BYTES = 16 << 20
CHECKSUM_DIGITS = 16


class Store:
    """The outcomes of a study's work, in its directory.

    Members
    -------
    directory:
        Absolute path.
    outcomes:
        What is known, by the work's key.
    """

    def __init__(self, directory: Path, journal: BinaryIO, outcomes: dict[str, Outcome]) -> None:
        self.directory = directory
        self.outcomes = outcomes
        self._journal = journal

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; one that another try could change is not kept in the journal."""
        self.outcomes[outcome.key] = outcome
        if outcome.lasting:
            self._journal.write(_line(outcome))
            self._journal.flush()


@contextmanager
def open_store(directory: Path, study: Study, described: dict[str, Any]) -> Iterator[Store]:
    """The store of a study, for as long as the block runs; nobody else has it meanwhile.

    Parameters
    ----------
    directory:
        Made if absent; other files in it stay.
    study:
        The study; a directory that holds another one is refused.
    described:
        What ``study.json`` says of it.

    Raises
    ------
    VqromError
        If the directory cannot be written, is in use, or holds another study.
    """
    directory = check_output(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VqromError(f"output {str(directory)!r} must be a directory that can be made: "
                         f"{error.strerror}") from None
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise VqromError(f"output {str(directory)!r} must not be in use by another run") from None
    try:
        _check_same(directory, study)
        write_bytes(directory / STUDY_FILE, json_text(described).encode())
        outcomes = read_journal(directory / JOURNAL)
        with (directory / JOURNAL).open("ab") as journal:
            yield Store(directory, journal, outcomes)
    finally:
        lock.release()


def read_journal(path: Path) -> dict[str, Outcome]:
    """The outcomes in a journal; lines that were cut off are taken out of the file.

    Raises
    ------
    VqromError
        If it cannot be read.
    """
    if not path.exists():
        return {}
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise VqromError(f"journal {str(path)!r} cannot be read: {error.strerror}") from None
    kept = [(line, outcome) for line in lines if (outcome := _outcome(line)) is not None]
    if len(kept) < len(lines):
        write_bytes(path, b"".join(line for line, _ in kept))
    return {outcome.key: outcome for _, outcome in kept}


def _check_same(directory: Path, study: Study) -> None:
    """Refuse a directory that holds another study."""
    path = directory / STUDY_FILE
    if not path.exists():
        return
    try:
        content = json.loads(read_bytes(path, "study", MAX_STUDY_JSON_BYTES))
        schema, name = content["schema"], content["study"]["name"]
    except (ValueError, KeyError, TypeError):
        raise VqromError(f"output {str(directory)!r} must hold a {STUDY_FILE} as vqrom study "
                         "writes it, or none") from None
    if schema != SCHEMA:
        raise VqromError(f"output {str(directory)!r} must have the format {SCHEMA!r}, "
                         f"not {schema!r}")
    if name != study.file.name:
        raise VqromError(f"output {str(directory)!r} must not hold another study; it holds "
                         f"{name!r}, not {study.file.name!r}")


def _line(outcome: Outcome) -> bytes:
    text = json.dumps(asdict(outcome), separators=(",", ":"), allow_nan=False).encode()
    return _checksum(text) + b" " + text + b"\n"


def _outcome(line: bytes) -> Outcome | None:
    """What a line says; None if it is not whole."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != _checksum(text):
        return None
    return Outcome(**json.loads(text))


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:CHECKSUM_DIGITS].encode()
