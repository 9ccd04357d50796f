"""What a simulation gives back: outputs, and every figure of ``report.json`` by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from vqrom_hw.errors import VqromError
from vqrom_sim.engines import Timeline, Waves
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.reference import dequantize

from . import plots
from .files import save_arrays, staged, write_json
from .frames import html_table, to_frame
from .pages import simulation_page
from .rows import HostFigures, LayerRow, StageRow, Traffic

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]

OUTPUT_FILE, OUTPUTS_FILE, REPORT_FILE = "outputs.npy", "outputs.npz", "report.json"
PAGE_FILE = "report.html"
"""Files of a simulation: the only output, or several by their names, the figures, the page."""


@dataclass(frozen=True, eq=False)
class SimulationReport:
    """A simulation's outputs and figures.

    Members
    -------
    report:
        What ``report.json`` holds (``docs/report-schema.md``): strings, numbers, lists and
        dictionaries only.
    outputs_by_name:
        The engine's own outputs in the network's order, int8 ``[N, *sizes]`` each; None where an
        engine has no values (the cycle model) or no network was given (a topology).
    network:
        What was simulated; None for a topology.
    waves:
        Waves of a layer, where they were asked for.
    timeline:
        Which unit works on which layer when, of one image, for the page; None if nobody asked.
    notes:
        What a user should know of the inputs, a line each.
    """

    report: dict[str, Any]
    outputs_by_name: Mapping[str, np.ndarray] | None = None
    network: QuantizedNetwork | None = None
    waves: Waves | None = None
    timeline: Timeline | None = None
    notes: tuple[str, ...] = ()

    @property
    def outputs(self) -> np.ndarray | None:
        """The first output, which is all of most networks; None where there are no values."""
        return None if self.outputs_by_name is None else next(iter(self.outputs_by_name.values()))

    @property
    def name(self) -> str:
        """Name of the network or topology."""
        return self.report["network"]

    @property
    def cycles(self) -> int | None:
        """Clock cycles of all inputs; None where no hardware was simulated."""
        return self.report["cycles"]

    @property
    def utilization(self) -> float | None:
        """Share of the array's peak that was used; None where no hardware was simulated."""
        return self.report["utilization"]

    @property
    def bit_exact(self) -> bool | None:
        """Whether every output byte equals the integer reference's; None if none was compared."""
        return self.report["bit_exact"]

    @property
    def traffic(self) -> Traffic | None:
        """What crossed the DRAM bus and what was read on chip, all inputs."""
        return _traffic(self.report["traffic"])

    @cached_property
    def layers(self) -> list[LayerRow]:
        """One row for each layer, in the order of execution."""
        return [LayerRow(**layer | {"traffic": _traffic(layer["traffic"]),
                                    "host": layer["host"] and HostFigures(**layer["host"])})
                for layer in self.report["layers"]]

    @cached_property
    def stages(self) -> list[StageRow]:
        """One row for each stage, in the order in which they ran; none of a topology."""
        return [StageRow(**stage | {name: tuple(stage[name])
                                    for name in ("layers", "inputs", "outputs")})
                for stage in self.report["stages"]]

    def dequantized(self) -> np.ndarray:
        """The first output in the float network's units, float32 of the same shape.

        Raises
        ------
        VqromError
            If the engine computed no values.
        """
        return next(iter(self.dequantized_by_name().values()))

    def dequantized_by_name(self) -> dict[str, np.ndarray]:
        """All outputs in the float network's units, float32.

        Raises
        ------
        VqromError
            If the engine computed no values.
        """
        if self.outputs_by_name is None or self.network is None:
            raise VqromError(f"outputs of {self.name!r} must have been computed, which engine "
                             f"{self.report['engine']!r} did not do")
        return {name: dequantize(self.network, values, number)
                for number, (name, values) in enumerate(self.outputs_by_name.items())}

    def to_pandas(self) -> DataFrame:
        """The layers as a table, nested names joined by dots: ``traffic.dram_read_bytes.index``.

        Raises
        ------
        VqromError
            If pandas is not installed.
        """
        return to_frame(self.layers)

    def plot_layers(self) -> Figure:
        """Cycles of each layer by what they are spent on, and the array's utilisation.

        Raises
        ------
        VqromError
            If no hardware was simulated.
        """
        return plots.on_white(plots.layers_figure(self._measured()))

    def plot_traffic(self) -> Figure:
        """DRAM bytes of one input, beside those of dense int8 and float32 weights.

        Raises
        ------
        VqromError
            If no hardware was simulated.
        """
        return plots.on_white(plots.traffic_figure([self._measured()]))

    def save(self, directory: str | Path, *, dequantized: bool = False) -> list[str]:
        """Write ``report.json``, ``report.html`` and the outputs, if any, as the commands do.

        A single output is ``outputs.npy``; several are arrays of ``outputs.npz`` by their names.
        Waves are ``waves.fst``, with a list of signals for GTKWave, ``waves.gtkw``.

        Parameters
        ----------
        directory:
            Made if absent; other files in it stay.
        dequantized:
            Write the outputs as :meth:`dequantized_by_name` gives them.

        Returns
        -------
        list
            Names of the files.

        Raises
        ------
        VqromError
            If the directory cannot be written, or values are asked for that are not there.
        """
        outputs = self.dequantized_by_name() if dequantized else self.outputs_by_name or {}
        written = [REPORT_FILE, PAGE_FILE]
        with staged(Path(directory)) as folder:
            if len(outputs) == 1:
                written.insert(0, OUTPUT_FILE)
                np.save(folder / OUTPUT_FILE, *outputs.values(), allow_pickle=False)
            elif outputs:
                written.insert(0, OUTPUTS_FILE)
                save_arrays(folder / OUTPUTS_FILE, outputs)
            if self.waves is not None:
                written += self.waves.write(folder)
            write_json(folder / REPORT_FILE, self.report)
            simulation_page(folder / PAGE_FILE, self.report, timeline=self.timeline)
        return written

    def _measured(self) -> dict[str, Any]:
        if self.cycles is None:
            raise VqromError(f"simulation of {self.name!r} must have hardware figures, which "
                             f"engine {self.report['engine']!r} does not give")
        return self.report

    def _repr_html_(self) -> str:
        exact = {True: "bit-exact", False: "not bit-exact", None: "nothing compared"}[
            self.bit_exact]
        title = (f"{self.name} on {self.report['config']['name']}, engine "
                 f"{self.report['engine']}, {self.report['images']} inputs: {exact}")
        rows = [(row.name, f"{row.kind}, on the host" if row.host else row.kind, row.weights,
                 row.macs, row.cycles, row.utilization,
                 row.traffic.dram_bytes if row.traffic else None) for row in self.layers]
        traffic = self.traffic
        total = ("total", "", self.report["weights"]["count"], self.report["macs"], self.cycles,
                 self.utilization, traffic.dram_bytes if traffic else None)
        return html_table(title, ("layer", "kind", "weights", "MACs", "cycles", "utilisation",
                                  "DRAM bytes"), [*rows, total])


def _traffic(values: Mapping[str, Any] | None) -> Traffic | None:
    return None if values is None else Traffic(**values)
