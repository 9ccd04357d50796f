"""Recordings: the values at the ports of chosen instances, cycle by cycle, while a program runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_hw.export import VERILOG
from vqrom_sw.compiler import Program
from vqrom_sw.progress import Progress

from .engine import prepare_job, prepare_model
from .fst import Signal, read_scopes, simulated_path
from .instances import DesignModule, Port, instance_modules, read_modules
from .process import check_end, run_process

RECORDING_BYTES = 1 << 31
"""Most bytes of a recording's values, and of the file that they are read from."""
WORD_BITS = 64
"""Widest signal whose values are integers; those of wider ones are bits."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Values at the boundaries of instances.

    An instance's signals are its ports, by name, and the outputs of the instances in it, as
    ``child.port``. Each has one value for each cycle, that which is there just before the clock
    edge that ends the cycle: what registers take over, and, at their outputs, what they took over
    with the edge before. The clock itself is 0 throughout.

    Members
    -------
    first:
        Number of the first cycle: cycles are counted from 0, over all images, in which a program
        runs, as the counter ``cycles`` does.
    cycles:
        How many there are from there.
    modules:
        Name of the module of each recorded instance, by its path.
    ports:
        The ports of each of these modules, by the module's name and the port's.
    """

    first: int
    cycles: int
    modules: Mapping[str, str]
    ports: Mapping[str, Mapping[str, Port]]
    _packed: Mapping[str, Mapping[str, tuple[int, np.ndarray]]]

    @property
    def instances(self) -> tuple[str, ...]:
        """Paths of the recorded instances."""
        return tuple(self.modules)

    def widths(self, instance: str) -> dict[str, int]:
        """Bits of each signal of an instance.

        Raises
        ------
        VqromError
            If the instance was not recorded.
        """
        return {name: width for name, (width, _) in self._signals(instance).items()}

    def values(self, instance: str) -> dict[str, np.ndarray]:
        """Each signal of an instance: uint64 ``[cycles]``, or, where it has more than 64 bits,
        its bits as in :meth:`bits`.

        Raises
        ------
        VqromError
            If the instance was not recorded.
        """
        return {name: _integers(packed) if width <= WORD_BITS else _bits(packed, width)
                for name, (width, packed) in self._signals(instance).items()}

    def bits(self, instance: str) -> dict[str, np.ndarray]:
        """Each signal of an instance as bits, uint8 ``[cycles, width]``, the lowest one first.

        Raises
        ------
        VqromError
            If the instance was not recorded.
        """
        return {name: _bits(packed, width)
                for name, (width, packed) in self._signals(instance).items()}

    def _signals(self, instance: str) -> Mapping[str, tuple[int, np.ndarray]]:
        if instance not in self._packed:
            raise VqromError(f"instance must be one of {', '.join(self.instances)}, which were "
                             f"recorded, not {instance!r}")
        return self._packed[instance]


def design_instances(program: Program, codewords: np.ndarray,
                     progress: Progress | None = None) -> dict[str, str]:
    """Name of the module of each instance that :func:`record` can record, by its path.

    Parameters
    ----------
    program, codewords, progress:
        As for :func:`record`.

    Raises
    ------
    VqromError
        If tools are missing, or one of them fails.
    """
    model = prepare_model(program.config, codewords, progress, traced=True)
    return instance_modules(modules_of(model))


def record(program: Program, codewords: np.ndarray, images: np.ndarray, scopes: Sequence[str],
           window: tuple[int, int] | None = None, progress: Progress | None = None, *,
           inside: Mapping[str, Sequence[str]] | None = None) -> Recording:
    """Run a program on the Verilog and record instances of it.

    Parameters
    ----------
    program:
        Compiled network, with contents.
    codewords:
        int8 ``[k, d]`` for the ROM.
    images:
        uint8 ``[N, input_bytes]``: DRAM region ``INPUT`` of each image.
    scopes:
        Paths of the instances in the generated Verilog, such as
        ``vqrom.compute_unit.processing_array.processing_element_0_0``; the top is ``vqrom``.
    window:
        The first cycle, and the one after the last, counted from 0 over all images; by default
        all. The simulation ends with the window.
    progress:
        Called with what is being done, how much of it is done, and how much there is (0: unknown).
    inside:
        Signals inside modules, such as registers, that are recorded beside the boundary: names by
        module.

    Raises
    ------
    VqromError
        If tools or headers are missing, there is no such instance or signal, the window is not
        within the program's cycles, the recording grows too large, or the simulation fails.
    """
    tell = progress or (lambda what, done, total: None)
    model = prepare_model(program.config, codewords, progress, traced=True)
    modules = modules_of(model)
    paths = instance_modules(modules)
    _check(scopes, paths, window)
    with tempfile.TemporaryDirectory(prefix="vqrom-") as name:
        folder = Path(name)
        job, arguments = prepare_job(program, images, folder)
        options = fst_arguments(folder, {simulated_path(scope): 2 for scope in scopes}, window)
        status = run_process(model, job, [*arguments, *options, "+fst_stop=1"], lambda: tell(
            "recording the Verilog", written_cycles(folder), _cycles_of(window)))
        cycles = written_cycles(folder)
        if not window or cycles != _cycles_of(window):
            _check_cycles(folder, job, status, window)
        first = window[0] if window else 0
        chosen = {scope: modules[paths[scope]] for scope in dict.fromkeys(scopes)}
        return _read(folder / "waves.fst", chosen, modules, first, cycles, inside or {})


def fst_arguments(folder: Path, scopes: Mapping[str, int], window: tuple[int, int] | None,
                  limit: int = RECORDING_BYTES) -> list[str]:
    """Arguments of a model that make it write ``waves.fst`` into a folder.

    Parameters
    ----------
    scopes:
        Levels that are written of each scope of the simulation.
    window:
        As for :func:`record`.
    limit:
        Bytes of the file after which no more cycles are written.
    """
    (folder / "scopes").write_text(
        "".join(f"{levels} {scope}\n" for scope, levels in scopes.items()), encoding="ascii")
    first, end = window or (0, 0)
    return [f"+fst={folder / 'waves.fst'}", f"+fst_scopes={folder / 'scopes'}",
            f"+fst_first={first}", f"+fst_end={end}", f"+fst_bytes={limit}",
            f"+fst_done={folder / 'written'}"]


def written_cycles(folder: Path) -> int:
    """Cycles that a model with :func:`fst_arguments` has written so far."""
    done = folder / "written"
    text = done.read_text(encoding="ascii") if done.exists() else ""
    return int(text) if text.endswith("\n") else 0


def modules_of(model: Path) -> dict[str, DesignModule]:
    """The modules of a built model's Verilog."""
    return read_modules((model / VERILOG).read_text(encoding="utf-8"))


def _cycles_of(window: tuple[int, int] | None) -> int:
    return window[1] - window[0] if window else 0


def _check(scopes: Sequence[str], paths: Mapping[str, str],
           window: tuple[int, int] | None) -> None:
    """Refuse instances that are not there, and windows without a cycle."""
    if not scopes:
        raise VqromError("recording must be given at least one instance, such as 'vqrom'")
    for scope in scopes:
        if scope not in paths:
            parent = scope.rpartition(".")[0]
            near = [path for path in paths if path.rpartition(".")[0] == parent] or ["vqrom"]
            raise VqromError(f"instance must be one of {', '.join(near)}, not {scope!r}")
    if window and not 0 <= window[0] < window[1]:
        raise VqromError("window of a recording must be a first cycle of at least 0 and a later "
                         f"one, not {window!r}")


def _check_cycles(folder: Path, job: Path, status: int, window: tuple[int, int] | None) -> None:
    """Say why not all cycles were written, if that is so."""
    if (folder / "waves.fst").stat().st_size > RECORDING_BYTES:
        raise VqromError(f"recording must take at most {RECORDING_BYTES} bytes, not more after "
                         f"{written_cycles(folder)} cycles; choose a shorter window")
    check_end(job, status)
    if window:
        raise VqromError(f"window of a recording must be within the program's cycles, not "
                         f"{window!r}, of which it has {written_cycles(folder)}")


def _read(path: Path, chosen: Mapping[str, DesignModule], modules: Mapping[str, DesignModule],
          first: int, cycles: int, inside: Mapping[str, Sequence[str]]) -> Recording:
    """A recording of chosen instances out of the file that the simulation wrote."""
    scopes = read_scopes(path)
    signals = {instance: {**dict(_boundary(instance, module, modules, scopes)),
                          **dict(_inside(instance, inside.get(module.name, ()), scopes))}
               for instance, module in chosen.items()}
    size = cycles * sum(-(-signal.width // 8) for found in signals.values()
                        for signal in found.values())
    if size > RECORDING_BYTES:
        raise VqromError(f"recording must take at most {RECORDING_BYTES} bytes, not {size}; choose "
                         "fewer instances or a shorter window")
    packed = {instance: {name: (signal.width, signal.packed(first, cycles))
                         for name, signal in found.items()}
              for instance, found in signals.items()}
    return Recording(first, cycles, {instance: module.name for instance, module in chosen.items()},
                     {module.name: module.ports for module in chosen.values()}, packed)


def _boundary(instance: str, module: DesignModule, modules: Mapping[str, DesignModule],
              scopes: Mapping[str, Mapping[str, Signal]]) -> Iterator[tuple[str, Signal]]:
    """The ports of an instance and the outputs of what is in it, each compared with the Verilog."""
    for port in module.ports.values():
        yield port.name, _found(instance, port, scopes)
    for child, kind in module.children.items():
        for port in modules[kind].ports.values() if kind in modules else ():
            if port.output:
                yield f"{child}.{port.name}", _found(f"{instance}.{child}", port, scopes)


def _inside(instance: str, names: Sequence[str],
            scopes: Mapping[str, Mapping[str, Signal]]) -> Iterator[tuple[str, Signal]]:
    """Signals inside an instance; a word of a memory, ``memory[3]``, is ``[3]`` in a scope."""
    for name in names:
        memory, bracket, place = name.partition("[")
        found = scopes.get(instance, {}).get(name) or scopes.get(f"{instance}.{memory}", {}).get(
            bracket + place)
        if found is None:
            raise VqromError(f"waves of {instance!r} must hold signal {name!r}")
        yield name, found


def _found(instance: str, port: Port, scopes: Mapping[str, Mapping[str, Signal]]) -> Signal:
    signal = scopes.get(instance, {}).get(port.name)
    if signal is None or signal.width != port.width:
        width = None if signal is None else signal.width
        raise VqromError(f"waves of {instance!r} must hold port {port.name!r} of {port.width} "
                         f"bits, not {width!r}")
    return signal


def _integers(packed: np.ndarray) -> np.ndarray:
    whole = np.zeros((len(packed), WORD_BITS // 8), np.uint8)
    whole[:, :packed.shape[1]] = packed
    return whole.view("<u8")[:, 0]


def _bits(packed: np.ndarray, width: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=width, bitorder="little")
