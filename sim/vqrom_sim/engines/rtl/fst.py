"""Values out of an FST file that the simulator's recorder (``simulator/recorder.h``) wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pywellen

from vqrom_hw.errors import VqromError
from vqrom_hw.export import TOP

from .testbench import TOP as TESTBENCH

_ROOT = (TESTBENCH, "dut")
"""Where the accelerator is in the simulation's hierarchy."""


def simulated_path(instance: str) -> str:
    """Path of an instance in the simulation: ``vqrom.csr`` is ``testbench.dut.csr``."""
    return ".".join((*_ROOT, *instance.split(".")[1:]))


@dataclass(frozen=True)
class Signal:
    """A signal of a scope.

    Members
    -------
    name:
        In its scope.
    width:
        Its bits.
    variable:
        What pywellen knows of it.
    """

    name: str
    width: int
    variable: pywellen.Var

    def packed(self, first: int, cycles: int) -> np.ndarray:
        """Its values just before the edge that ends each cycle.

        Parameters
        ----------
        first:
            The first cycle that the file holds.
        cycles:
            How many it holds from there.

        Returns
        -------
        uint8 ``[cycles, ceil(width / 8)]``, the lowest byte first.

        Raises
        ------
        VqromError
            If it has no value in the first cycle, or changes outside of these cycles.
        """
        size = -(-self.width // 8)
        changes = self.variable.tv
        places = np.fromiter((time for time, _ in changes), np.int64, len(changes)) // 2 - first
        if not len(places) or places[0] != 0 or places[-1] >= cycles:
            raise VqromError(f"waves of signal {self.name!r} must begin in cycle {first} and end "
                             f"before cycle {first + cycles}")
        data = b"".join(value.to_bytes(size, "little") for _, value in changes)
        values = np.frombuffer(data, np.uint8).reshape(-1, size)
        # Of several changes in one cycle the last one holds at its end.
        last = np.append(places[1:] != places[:-1], True)
        return np.repeat(values[last], np.diff(places[last], append=cycles), axis=0)


def read_scopes(path: Path) -> dict[str, Mapping[str, Signal]]:
    """The signals of each instance in an FST file, by the instance's path and by name.

    Parameters
    ----------
    path:
        The file. Instances of which nothing was written have no signals.

    Raises
    ------
    VqromError
        If there is no accelerator in it.
    """
    scopes = {scope.name: scope for scope in pywellen.Waveform(str(path)).scopes()}
    for name in _ROOT:
        if name not in scopes:
            raise VqromError(f"waves {str(path)!r} must hold scope {'.'.join(_ROOT)!r}")
        root = scopes[name]
        scopes = {scope.name: scope for scope in root.scopes()}
    return dict(_walk(root, TOP))


def _walk(scope: pywellen._Scope, path: str) -> Iterator[tuple[str, dict[str, Signal]]]:
    yield path, {variable.name: Signal(variable.name, variable.bitwidth, variable)
                 for variable in scope.vars()}
    for child in scope.scopes():
        yield from _walk(child, f"{path}.{child.name}")
