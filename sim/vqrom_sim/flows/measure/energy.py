"""Energy of a network's run: counters of the cycle model, energies of netlists and memories."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sim import energy as room
from vqrom_sim.area import Library, choose_library
from vqrom_sim.engines import require_tools, run_model
from vqrom_sim.report import EnergyReport
from vqrom_sim.technology import Technology, load_technology
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import CompiledNetwork, compile_stages
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.progress import SilentSteps, Steps
from vqrom_sw.reference import quantize_input, run_reference

from ..arguments import (
    ArrayLike,
    CodebookLike,
    ConfigLike,
    NetworkLike,
    as_array,
    load_codebook,
    load_config,
    load_network,
)
from ..hardware import generate
from ..simulation import simulate
from ..staged import place_inputs

DEFAULT_WINDOWS, WINDOW_CYCLES = 16, 256
"""Windows of the run that netlists are simulated on, and clock cycles of each."""


def energy(network: NetworkLike, codebook: CodebookLike, config: ConfigLike, inputs: ArrayLike, *,
           frequency_mhz: float, liberty: str | Path | Sequence[str | Path] = (),
           technology: str | Path | None = None, windows: int = DEFAULT_WINDOWS,
           window_cycles: int = WINDOW_CYCLES,
           characterisation: str | Path | room.Characterisation | None = None,
           progress: Steps | None = None) -> EnergyReport:
    """Energy of running a network on every input.

    The cycle model counts the whole run. The first input's program also runs on the Verilog, and
    the netlists of all components are simulated on what was recorded there in some windows: that
    says what each event costs.

    Parameters
    ----------
    network, codebook, config, inputs:
        As for :func:`vqrom_sim.flows.simulate`.
    frequency_mhz:
        Clock, which says how long things leak.
    liberty:
        Files of the cell library, with internal power, or a name as for
        :func:`vqrom_sim.flows.area`; sky130 unless given.
    technology:
        Of the memories and of DRAM: a name or a TOML file; that of the cells unless given.
    windows, window_cycles:
        How many windows, spread evenly over the run, and clock cycles of each.
    characterisation:
        Energies that were measured before, of this configuration, their file, or the name of one
        that comes along, in the place of a cell library: then nothing is recorded or simulated
        but the cycle model.
    progress:
        Told about each step.

    Raises
    ------
    VqromError
        If an argument is wrong, parts do not fit each other, a tool is missing, or a netlist does
        not do what the Verilog does.
    """
    steps = progress or SilentSteps()
    given = [liberty] if isinstance(liberty, str | Path) else list(liberty)
    for name, value in (("windows", windows), ("window cycles", window_cycles)):
        if value < 2:
            raise VqromError(f"{name} must be at least 2, not {value!r}")
    found, library, loaded = _library(characterisation, given, technology)
    if library is not None:
        require_tools()
    report = simulate(network, codebook, config, inputs, "model",
                      progress=steps.callback("cycle model")).report
    if found is None and library is not None:
        words = load_codebook(codebook)
        found = _characterise(load_network(network), words, load_config(config, words),
                              as_array(inputs, "inputs"), library, windows, window_cycles, steps)
    assert found is not None
    accelerator = AcceleratorConfig(**report["config"])
    counters = room.counters_of(report, accelerator)
    return EnergyReport(room.account(report, counters, found, loaded, frequency_mhz),
                        found.as_dict())


def _library(characterisation: str | Path | room.Characterisation | None,
             liberty: Sequence[str | Path], technology: str | Path | None,
             ) -> tuple[room.Characterisation | None, Library | None, Technology]:
    """A characterisation or the library to make one with, and the technology of the memories."""
    if characterisation is None:
        cells = choose_library(liberty, technology)
        if cells.estimated:
            raise VqromError("energy must be given a cell library with internal power (--liberty), "
                             f"not {cells.library.name!r}")
        return None, cells.library, cells.technology
    if liberty or technology is None:
        raise VqromError("characterisation must come with the technology of the memories and "
                         f"without a cell library, not {technology!r} and "
                         f"{[str(path) for path in liberty]!r}")
    if isinstance(characterisation, str | Path):
        file = room.characterisation_file(str(characterisation)) or Path(characterisation)
        characterisation = room.Characterisation.load(file)
    return characterisation, None, load_technology(technology)


def _characterise(network: QuantizedNetwork, codebook: UniversalCodebook,
                  config: AcceleratorConfig, images: np.ndarray, library: Library, windows: int,
                  cycles: int, steps: Steps) -> room.Characterisation:
    """Energies of the accelerator's logic, on the longest program of the network."""
    compiled = compile_stages(network, codebook.codewords, config, contents=True)
    run = _longest_run(compiled, codebook, quantize_input(network, images[:1]), windows, cycles)
    with tempfile.TemporaryDirectory() as name:
        generate(config, codebook, progress=steps).write(Path(name))
        return room.characterise(config, Path(name), library, run, steps.callback("energy"))


def _longest_run(compiled: CompiledNetwork, codebook: UniversalCodebook, images: np.ndarray,
                 windows: int, cycles: int) -> room.Run:
    """The program that takes most cycles, on the maps that it reads."""
    lengths = [0 if program is None else run_model(program).total["cycles"]
               for program in compiled.programs]
    longest = int(np.argmax(lengths))
    program, stage = compiled.programs[longest], compiled.stages[longest]
    if program is None:
        raise VqromError(f"network {compiled.network.name!r} must have a layer that the "
                         "accelerator runs; all are host layers")
    maps = run_reference(compiled.network, codebook, images)
    return room.Run(compiled.network.name, program, codebook.codewords,
                    place_inputs(compiled.network, program, stage.inputs, maps),
                    room.windows_of(lengths[longest], windows, cycles))
