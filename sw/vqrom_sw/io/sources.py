"""Digests of source code, so that a kept result is thrown away when what made it changes.

A result in the cache is right only as long as every line of ours that had a part in it is the same.
Lists of such files kept by hand are forgotten; here the list is derived: from a module's imports,
the imports of what it imports, and so on.

A name imported from a room's door is followed to the module that defines it, and the other modules
of that room are left out: otherwise every result would depend on everything.
"""

from __future__ import annotations

import ast
import hashlib
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from vqrom_hw.errors import VqromError

PACKAGES = ("vqrom_hw", "vqrom_sw", "vqrom_sim")
"""Packages whose sources are followed; everything else is known by its version."""
DISTRIBUTION = "vqrom"
"""The distribution that the packages come in, and whose requirements count."""

_PARSING = Lock()
"""Held while a module is parsed: CPython 3.11 counts the depth of a syntax tree for all threads
together, and fails when two of them make trees at once."""

_NAME = re.compile(r"[\w.-]+")


class _Import(NamedTuple):
    """One imported name: ``from {dots}{module} import {name} as {bound}``.

    ``name`` is None for ``import {module}``, which gives the module as a whole.
    """

    dots: int
    module: str
    name: str | None
    bound: str


@dataclass(frozen=True, eq=False)
class Sources:
    """The text of Python modules, by which their imports are followed without running them.

    Members
    -------
    modules:
        Source text by dotted name. A package stands for its ``__init__``.
    packages:
        Those of the names that are packages, whose files are an ``__init__``.
    """

    modules: Mapping[str, bytes]
    packages: frozenset[str]

    @classmethod
    def read(cls, folders: Mapping[str, Path]) -> Sources:
        """Read every module of some packages.

        Parameters
        ----------
        folders:
            Folder of each top-level package, by its name.
        """
        modules, packages = {}, set()
        for package, folder in folders.items():
            for path in sorted(folder.rglob("*.py")):
                parts = [package, *path.relative_to(folder).with_suffix("").parts]
                if parts[-1] == "__init__":
                    parts.pop()
                    packages.add(".".join(parts))
                modules[".".join(parts)] = path.read_bytes()
        return cls(modules, frozenset(packages))

    def closure(self, *names: str) -> frozenset[str]:
        """Modules that some modules depend on by their imports, themselves among them.

        Imports inside functions and under ``TYPE_CHECKING`` are followed too; names that are only
        computed when the program runs (``importlib.import_module``) cannot be.

        Raises
        ------
        VqromError
            If one of the modules, or one that is imported, is none of these sources.
        """
        found: set[str] = set()
        waiting = [self._known(name, name) for name in names]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            waiting += self._working_doors(name)
            for imported in _imports(self.modules[name]):
                waiting += self._targets(name, imported)
        return frozenset(found)

    def _working_doors(self, name: str) -> Iterator[str]:
        """Packages around a module whose ``__init__`` does more than import: it runs first."""
        while "." in name:
            name = name.rpartition(".")[0]
            if name in self.packages and not _only_imports(self.modules[name]):
                yield name

    def _targets(self, importer: str, imported: _Import) -> list[str]:
        """The modules that one import leads to; none if they are not ours."""
        base = self._absolute(importer, imported)
        if not any(base == name or base.startswith(f"{name}.") for name in self._roots()):
            return []
        if imported.name is None:
            return [self._known(base, importer)]
        return [self._definition(base, imported.name, importer)]

    def _roots(self) -> set[str]:
        return {name.partition(".")[0] for name in self.modules}

    def _absolute(self, importer: str, imported: _Import) -> str:
        if not imported.dots:
            return imported.module
        parts = importer.split(".")
        up = imported.dots - (1 if importer in self.packages else 0)
        return ".".join([*parts[:len(parts) - up], *filter(None, [imported.module])])

    def _definition(self, base: str, name: str, importer: str) -> str:
        """The module that defines a name, through the doors of as many packages as it takes."""
        seen = set()
        while base in self.packages and (base, name) not in seen:
            seen.add((base, name))
            through = next((found for found in _imports(self.modules[base])
                            if found.bound == name and found.name is not None), None)
            if through is None or through.name is None:
                inner = f"{base}.{name}"
                return inner if inner in self.modules else base
            base, name = self._absolute(base, through), through.name
            if base.partition(".")[0] not in self._roots():
                return importer
        # `from . import name` in a door binds a module of the package itself.
        inner = f"{base}.{name}"
        return inner if inner in self.modules else self._known(base, importer)

    def _known(self, name: str, importer: str) -> str:
        if name not in self.modules:
            raise VqromError(f"module {importer!r} must import modules that exist, not {name!r}")
        return name


def _parsed(text: bytes) -> ast.Module:
    """The syntax tree of a module."""
    with _PARSING:
        return ast.parse(text)


@cache
def _imports(text: bytes) -> tuple[_Import, ...]:
    """Every import of a module, wherever it stands."""
    found = []
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.Import):
            found += [_Import(0, alias.name, None, alias.asname or alias.name)
                      for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # A star brings everything that the module has: the module as a whole.
            found += [_Import(node.level, node.module or "",
                              None if alias.name == "*" else alias.name,
                              alias.asname or alias.name) for alias in node.names]
    return tuple(found)


@cache
def _only_imports(text: bytes) -> bool:
    """A door: nothing but text, imports and ``__all__``."""
    return all(isinstance(node, (ast.Import, ast.ImportFrom))
               or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
               or (isinstance(node, ast.Assign)
                   and [ast.unparse(target) for target in node.targets] == ["__all__"])
               for node in _parsed(text).body)


@cache
def installed_sources() -> Sources:
    """The sources of this process, read once: a file that changes later changes nothing here.

    They are read when this module is imported, since a digest has to be that of the code that runs
    and not of what an editor has written in the meantime.
    """
    folders = {}
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            folders[package] = Path(spec.submodule_search_locations[0])
    return Sources.read(folders)


installed_sources()


def tool_versions(requirements: Iterable[str] | None) -> Iterator[str]:
    """Name and version of each distribution that others' results may depend on.

    Parameters
    ----------
    requirements:
        Requirements as a distribution states them (``"numba>=0.62"``); those of extras are left
        out. None, where they are not known: every distribution that is installed.
    """
    if requirements is None:
        yield from sorted({f"{found.name} {found.version}" for found in distributions()})
        return
    for requirement in sorted(requirements):
        name = _NAME.match(requirement)
        if name is not None and "extra ==" not in requirement:
            try:
                yield f"{name.group()} {version(name.group())}"
            except PackageNotFoundError:
                yield f"{name.group()} absent"


@cache
def environment() -> tuple[str, ...]:
    """Python's version, and those of the distributions that this one requires."""
    try:
        requirements = requires(DISTRIBUTION)
    except PackageNotFoundError:
        requirements = None
    return (f"Python {platform.python_version()}", *tool_versions(requirements))


def source_digest(*modules: str, files: Sequence[Path] = ()) -> str:
    """Hexadecimal SHA-256 of everything of ours that some modules depend on.

    It covers the text of the modules and of all that they import from our packages, Python's
    version and the versions of what we require, so that an upgrade of a library counts as a change.

    Parameters
    ----------
    modules:
        Dotted names; a module names itself with ``__name__``.
    files:
        Other files that the modules read, by name and content: templates, Verilog, C++.

    Raises
    ------
    VqromError
        If a module is not ours.
    """
    digest = hashlib.sha256(_closure_digest(installed_sources(), modules, environment()))
    for path in files:
        _add(digest, path.name.encode(), path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _closure_digest(sources: Sources, modules: tuple[str, ...], tools: tuple[str, ...]) -> bytes:
    digest = hashlib.sha256()
    _add(digest, *(tool.encode() for tool in tools))
    for name in sorted(sources.closure(*modules)):
        _add(digest, name.encode(), sources.modules[name])
    return digest.digest()


def _add(digest: hashlib._Hash, *parts: bytes) -> None:
    """Add parts with their lengths, so that no two lists of parts look alike."""
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
