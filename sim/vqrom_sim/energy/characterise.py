"""Characterising an accelerator: its netlists run on what the Verilog did with a real network."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.export import TOP, VERILOG
from vqrom_sim.area import (
    Library,
    Place,
    SynthesizedModule,
    check_design,
    count_instances,
    design_modules,
    instances,
    synthesize,
)
from vqrom_sim.engines import Recording, record
from vqrom_sw.compiler import Program
from vqrom_sw.io import cached_directory, content_key, source_digest
from vqrom_sw.progress import Progress

from .attribution import Attribution, attribute
from .cells import PowerLibrary, read_power, smallest_inverter
from .characterisation import Characterisation, ComponentEnergy
from .component import Module, Simulated, sample, simulate_component
from .events import INCREMENT_BANK, INCREMENTS, event_of, split_increments
from .gates import Window, WireModel

Paths = Mapping[str, Sequence[tuple[str, ...]]]
"""Paths of a component's instances from the top, by module."""
Recorded = tuple[list[Window], list[dict[str, np.ndarray]]]
"""Windows of a run, and what each cycle of them adds to each counter."""
Recorder = Callable[["Run", Mapping[tuple[str, ...], str], Mapping[str, Sequence[str]],
                     Progress | None], Recorded]
_FILE = "characterisation.json"


@dataclass(frozen=True)
class Run:
    """A program and what it runs on, from whose run values are recorded.

    Members
    -------
    network:
        Name of the network that the program is of.
    program, codewords, images:
        As for :func:`vqrom_sim.engines.rtl.record`.
    windows:
        For each the first cycle and the one after the last.
    """

    network: str
    program: Program
    codewords: np.ndarray
    images: np.ndarray
    windows: tuple[tuple[int, int], ...]

    def describe(self) -> dict[str, object]:
        """What a report says of it."""
        program = sha256(self.program.commands + self.program.constants).hexdigest()
        return {"network": self.network, "program_sha256": program,
                "windows": [list(window) for window in self.windows]}


class RecordedWindow:
    """Values of a recording by path and signal (:class:`.gates.Window`)."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._instances: dict[tuple[str, ...], dict[str, np.ndarray]] = {}

    def bits(self, path: tuple[str, ...], name: str) -> np.ndarray:
        """uint8 ``[cycles, width]`` of a signal."""
        if path not in self._instances:
            self._instances = {path: self._recording.bits(".".join((TOP, *path)))}
        return self._instances[path][name]


def windows_of(cycles: int, count: int, length: int) -> tuple[tuple[int, int], ...]:
    """Windows of a run, all equally long, each in the middle of an equal part of it; the whole run
    where it is shorter than they are together."""
    if cycles <= count * length:
        return ((0, cycles),)
    return tuple((first, first + length) for first in (
        (2 * number + 1) * cycles // (2 * count) - length // 2 for number in range(count)))


def characterise(config: AcceleratorConfig, directory: Path, library: Library, run: Run,
                 progress: Progress | None = None) -> Characterisation:
    """Energies of a generated accelerator's logic; cached by content.

    Parameters
    ----------
    config, directory:
        The accelerator, and where :func:`vqrom_hw.export.generate` wrote it.
    library:
        Cell library.
    run:
        What is recorded.
    progress:
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    VqromError
        If the directory holds no design of this configuration, the library does not serve, the run
        cannot be recorded, or a netlist does not do what the Verilog does.
    """
    check_design(config, directory)
    wires = WireModel()
    key = content_key(source_digest(__name__), config.model_dump_json(), directory / VERILOG,
                      *library.texts, repr(wires), run.program.commands, run.program.constants,
                      run.codewords.tobytes(), run.images.tobytes(), repr(run.windows))

    def build(folder: Path) -> None:
        found = _characterise(config, directory, library, run, wires, progress)
        (folder / _FILE).write_text(json.dumps(found.as_dict()), encoding="utf-8")

    return Characterisation.load(cached_directory("energy", key, build) / _FILE)


def _characterise(config: AcceleratorConfig, directory: Path, library: Library, run: Run,
                  wires: WireModel, progress: Progress | None) -> Characterisation:
    texts = design_modules(config, directory)
    netlists = synthesize(texts, library.texts, directory, progress)
    cells = {kind for netlist in netlists.values() for kind in netlist.cells}
    power = read_power(library.texts, cells, smallest_inverter(library).name)
    return characterise_netlists(config, netlists, power, library.sha256, run, wires, progress)


def characterise_netlists(config: AcceleratorConfig, netlists: Mapping[str, SynthesizedModule],
                          power: PowerLibrary, sha256: str, run: Run, wires: WireModel,
                          progress: Progress | None = None,
                          recorder: Recorder | None = None) -> Characterisation:
    """As :func:`characterise`, of modules that are synthesised already, and not cached.

    Parameters
    ----------
    netlists:
        Every module by name.
    power, sha256:
        The library's cells and the SHA-256 of its texts.
    wires:
        How much wire a net has.
    recorder:
        What records the run; by default :func:`record_run`.
    """
    modules = {name: Module(name, netlist, set(netlists), power, wires)
               for name, netlist in netlists.items()}
    parts = components(netlists)
    scopes = {path: name for paths in parts.values() for name, found in paths.items()
              for path in sample(found)}
    windows, events = (recorder or record_run)(
        run, scopes, {name: module.sources.inside for name, module in modules.items()}, progress)
    cycles = [last - first - 1 for first, last in run.windows]
    tell = progress or (lambda what, done, total: None)
    rows: list[ComponentEnergy] = []
    shares: list[tuple[Attribution, Simulated, list[np.ndarray]]] = []
    for number, (place, paths) in enumerate(parts.items()):
        tell("simulating netlists", number, len(parts))
        found = simulate_component(paths, modules, windows, cycles)
        counters = event_of(place[0]).counters
        counts = [sum((window[name] for name in counters), np.zeros(count, np.int64))
                  for window, count in zip(events, cycles, strict=True)]
        share = attribute(found.energies, counts)
        rows.append(_row(place, found, share, counts))
        shares.append((share, found, counts))
    tell("simulating netlists", len(parts), len(parts))
    return Characterisation(
        config.model_dump(mode="json"),
        {"name": power.name, "sha256": sha256, "supply_v": power.supply_v,
         "slew_ns": power.slew_ns, "stage_ns": power.stage_ns},
        {"wire_pitches_per_sink": wires.pitches, "wire_ff_per_um": wires.ff_per_um},
        run.describe(), _window_error(shares, len(windows)), tuple(rows),
        tuple(_memories(netlists)))


def _memories(netlists: Mapping[str, SynthesizedModule]) -> Iterator[dict[str, Any]]:
    """Each memory that synthesis kept whole; equal ones of a component are one row."""
    counts = Counter((place.component, place.group, memory)
                     for place, count in count_instances(netlists).items()
                     for memory in netlists[place.module].memories for _ in range(count))
    for (component, group, memory), count in counts.items():
        yield {"component": component, "group": group, "instances": count, **asdict(memory),
               "bits": memory.bits}


def components(netlists: Mapping[str, SynthesizedModule]) -> dict[tuple[str, str], Paths]:
    """Paths of all instances of each component, which is its path and its group."""
    found: dict[tuple[str, str], dict[str, list[tuple[str, ...]]]] = {}
    for path, place in instances(netlists):
        of_component = found.setdefault(_key(place), {})
        of_component.setdefault(place.module, []).append(path)
    return {key: value for key, value in found.items()}


def _key(place: Place) -> tuple[str, str]:
    return place.component, place.group


def record_run(run: Run, scopes: Mapping[tuple[str, ...], str],
               inside: Mapping[str, Sequence[str]], progress: Progress | None) -> Recorded:
    """Record the windows of a run.

    Parameters
    ----------
    run:
        The run.
    scopes:
        Module of each instance to record, by its path from the top.
    inside:
        Signals inside each module that are needed, too.
    progress:
        As for :func:`characterise`.

    Returns
    -------
    tuple
        The windows, and what each cycle but the last of each adds to each counter: int64
        ``[cycles]`` by counter.
    """
    bank = ".".join((TOP, *INCREMENT_BANK))
    paths = [".".join((TOP, *path)) for path in scopes]
    windows, events = list[Window](), []
    for window in run.windows:
        recording = record(run.program, run.codewords, run.images, [*paths, bank], window,
                           progress, inside=inside)
        windows.append(RecordedWindow(recording))
        increments = split_increments(recording.bits(bank)[INCREMENTS],
                                      run.program.config)
        events.append({name: values[:-1] for name, values in increments.items()})
    return windows, events


def _row(place: tuple[str, str], found: Simulated, share: Attribution,
         counts: Sequence[np.ndarray]) -> ComponentEnergy:
    event = event_of(place[0])
    total = math.fsum(float(energy.sum()) for energy in found.energies)
    return ComponentEnergy(
        place[0], place[1], tuple(found.modules), found.instances, found.simulated,
        found.flip_flops, found.area_um2, event.name, event.counters, share.event_fj / 1e3,
        share.cycle_fj / 1e3, found.clock_fj / 1e3, found.leakage_nw / 1e3,
        found.settled_fj / total if total else 1.0, found.wire_fj / total if total else 0.0,
        sum(int(count.sum()) for count in counts), sum(map(len, counts)), share.idle_cycles)


def _window_error(shares: Sequence[tuple[Attribution, Simulated, list[np.ndarray]]],
                  windows: int) -> float:
    """How far energies by event and cycle miss the simulated energy of one window, all components
    together: root mean square, relative to the mean of windows."""
    errors, energies = [], []
    for number in range(windows):
        simulated = math.fsum(float(found.energies[number].sum()) for _, found, _ in shares)
        counted = math.fsum(share.total_fj(int(counts[number].sum()), len(counts[number]))
                            for share, _, counts in shares)
        errors.append(counted - simulated)
        energies.append(simulated)
    mean = float(np.mean(energies))
    return float(np.sqrt(np.mean(np.square(errors)))) / mean if mean else 0.0
