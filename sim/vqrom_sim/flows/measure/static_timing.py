"""Static timing of an accelerator, and the clock that a simulation is taken to run at."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vqrom_hw.errors import VqromError
from vqrom_sim import timing as room
from vqrom_sim.area import CellLibrary, choose_library
from vqrom_sim.report import Clock, SimulationReport, TimingReport, read_clock
from vqrom_sw.progress import SilentSteps, Steps

from ..arguments import CodebookLike, ConfigLike
from ..hardware import Design, generate


def timing(config: ConfigLike, codebook: CodebookLike, *,
           liberty: str | Path | Sequence[str | Path] = (),
           technology: str | Path | None = None, period_ns: float | None = None,
           progress: Steps | None = None) -> TimingReport:
    """Map the accelerator for speed and time it with OpenSTA.

    Parameters
    ----------
    config, codebook:
        As for :func:`vqrom_sim.flows.generate`.
    liberty:
        As for :func:`vqrom_sim.flows.area`, but cells must have delay tables, of one corner.
    technology:
        Name or TOML file of the technology that the memories' access times are of; without one,
        that of the cells.
    period_ns:
        A clock period to compare with.
    progress:
        Told about each step.

    Raises
    ------
    VqromError
        If an argument cannot be read, OpenSTA is not installed, or a part of the design cannot be
        timed.
    """
    room.require_opensta()
    names = [liberty] if isinstance(liberty, str | Path) else list(liberty)
    library = choose_library(names, technology)
    return timing_of(generate(config, codebook, progress=progress), library=library,
                     period_ns=period_ns, progress=progress)


def timing_of(design: Design, *, library: CellLibrary | None = None,
              period_ns: float | None = None, progress: Steps | None = None) -> TimingReport:
    """The timing of a design that is generated already; see :func:`timing`."""
    with tempfile.TemporaryDirectory() as name:
        design.write(Path(name))
        return TimingReport(room.timing_of(
            design.config, Path(name), library or choose_library(), period_ns,
            (progress or SilentSteps()).callback("timing")))


def load_clock(frequency_mhz: float | None = None,
               timing_file: str | Path | None = None) -> Clock | None:
    """The clock of a simulation: a frequency, or the fastest of a ``timing.json``; or none.

    Raises
    ------
    VqromError
        If both are given, or one is not usable.
    """
    if frequency_mhz is not None and timing_file is not None:
        raise VqromError("a simulation must be given a frequency or a timing file, not both")
    if timing_file is not None:
        return read_clock(Path(timing_file))
    return None if frequency_mhz is None else Clock(frequency_mhz)


def at_clock(result: SimulationReport, clock: Clock) -> SimulationReport:
    """A simulation's report with its time.

    Raises
    ------
    VqromError
        If it has no cycles, or the clock is that of another configuration.
    """
    return replace(result, report=clock.time(result.report))
