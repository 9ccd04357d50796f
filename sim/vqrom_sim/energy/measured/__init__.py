"""Characterisations that come along, as ``vqrom energy`` wrote them: ``docs/sim/energy.md`` has the
commands. A study takes one by its name and scales it to other accelerators.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["characterisation_file", "characterisation_names"]

FOLDER = Path(__file__).parent


def characterisation_names() -> tuple[str, ...]:
    """Names of the characterisations that come along: configuration and cell library."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.json")))


def characterisation_file(name: str) -> Path | None:
    """The file of a characterisation that comes along; None if there is none of this name."""
    return FOLDER / f"{name}.json" if name in characterisation_names() else None
