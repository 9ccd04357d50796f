"""Reading technologies: those that come along, and files of the user."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_toml

from .technology import Technology

NODES = Path(__file__).parent / "nodes"
"""The technologies that come along, a file each."""
COMMON = Path(__file__).parent / "common.toml"
"""Energies of DRAM and published energies, which hold for every node."""
_ORDER = ("130nm", "130nm-ihp", "45nm", "28nm", "7nm")


def technology_names() -> tuple[str, ...]:
    """Names of the technologies that come along, from large to small."""
    return _ORDER


def load_technology(source: str | Path) -> Technology:
    """The technology of a name or a TOML file.

    Parameters
    ----------
    source:
        One of :func:`technology_names`, or the path of a ``.toml`` file with the members of
        :class:`Technology`. ``base = "45nm"`` in the file starts from a technology that comes
        along: tables of the file are laid over those of the base, key by key, lists replace.
        Without ``dram`` or ``energies`` it has those that come along.

    Returns
    -------
    Technology
        The technology, all rules checked.

    Raises
    ------
    VqromError
        If the source is unknown, unreadable, or not a technology.
    """
    return _load(str(source))


@cache
def _shipped(name: str) -> Technology:
    return _checked(name, _with_common(read_toml(NODES / f"{name}.toml", "technology")))


def _load(source: str) -> Technology:
    if source in _ORDER:
        return _shipped(source)
    path = Path(source)
    if path.suffix != ".toml":
        raise VqromError(f"technology must be one of {', '.join(_ORDER)} or a .toml file, "
                         f"not {source!r}")
    raw = read_toml(path, "technology")
    if "base" in raw:
        base = raw.pop("base")
        if base not in _ORDER:
            raise VqromError(f"technology {source!r}: base must be one of {', '.join(_ORDER)}, "
                             f"not {base!r}")
        # Macros of the base say nothing about changed constants of another technology.
        shipped = read_toml(NODES / f"{base}.toml", "technology")
        below = {key: value for key, value in shipped.items() if key != "published"}
        raw = _laid_over(below, raw)
    raw.setdefault("name", path.stem)
    return _checked(source, _with_common(raw))


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two files in one: where both have a table, its keys are taken one by one."""
    both = dict(below)
    for key, value in above.items():
        old = both.get(key)
        both[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(
            value, dict) else value
    return both


def _with_common(raw: dict[str, Any]) -> dict[str, Any]:
    """The file with the DRAM and the published energies that it does not bring itself."""
    common = read_toml(COMMON, "technology")
    missing = {key: common[key] for key in ("dram", "energies") if key not in raw}
    sources = raw.get("sources", {})
    if missing and isinstance(sources, dict):
        missing["sources"] = common["sources"] | sources
    return raw | missing


def _checked(source: str, raw: dict[str, Any]) -> Technology:
    try:
        return Technology(**raw)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise VqromError(f"technology {source!r}: {message}") from None
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            message = "a technology has no such field"
        shown = repr(first["input"])
        value = "" if first["type"] == "missing" or len(shown) > 80 else f", not {shown}"
        raise VqromError(f"technology {source!r}: {place}: {message}{value}") from None
