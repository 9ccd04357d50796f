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
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.reference import dequantize

from . import plots
from .files import staged, write_json
from .frames import html_table, to_frame

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]

OUTPUTS_FILE, REPORT_FILE = "outputs.npy", "report.json"


@dataclass(frozen=True)
class Traffic:
    """What was moved and looked up, in a whole run or for one layer.

    Members
    -------
    dram_read_bytes, dram_write_bytes:
        Bytes over the DRAM bus by traffic stream: ``index``, ``raw_weight``, ``codebook``,
        ``parameter``, ``command``, ``activation``.
    rom_reads:
        Codewords looked up in the codebook.
    buffers:
        ``reads`` and ``writes`` of the ``activation`` buffer and of the ``accumulator`` banks.
    """

    dram_read_bytes: Mapping[str, int]
    dram_write_bytes: Mapping[str, int]
    rom_reads: int
    buffers: Mapping[str, Mapping[str, int]]

    @property
    def dram_bytes(self) -> int:
        """All bytes over the DRAM bus, in both directions."""
        return sum(self.dram_read_bytes.values()) + sum(self.dram_write_bytes.values())


@dataclass(frozen=True)
class LayerRow:
    """One layer of a simulation, with the names and units of ``docs/report-schema.md``.

    Members
    -------
    name, kind:
        The layer, and what it does; ``load`` and ``store`` move the input and the output.
    macs, weights:
        Multiply-accumulates of all inputs, and weights.
    cycles, utilization, traffic, stalls, busy:
        What was counted in the layer's cycles; None where no hardware was simulated.
    """

    name: str
    kind: str
    macs: int
    weights: int
    cycles: int | None = None
    utilization: float | None = None
    traffic: Traffic | None = None
    stalls: Mapping[str, int] | None = None
    busy: Mapping[str, int] | None = None


@dataclass(frozen=True, eq=False)
class SimulationReport:
    """A simulation's outputs and figures.

    Members
    -------
    report:
        What ``report.json`` holds (``docs/report-schema.md``): strings, numbers, lists and
        dictionaries only.
    outputs:
        int8 ``[N, *output_shape]``, the engine's own; None where an engine has no values (the
        cycle model) or no network was given (a topology).
    network:
        What was simulated; None for a topology.
    """

    report: dict[str, Any]
    outputs: np.ndarray | None = None
    network: QuantizedNetwork | None = None

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
        """Whether every output byte equals the integer reference's; None without values."""
        return self.report["bit_exact"]

    @property
    def traffic(self) -> Traffic | None:
        """What crossed the DRAM bus and what was read on chip, all inputs."""
        return _traffic(self.report["traffic"])

    @cached_property
    def layers(self) -> list[LayerRow]:
        """One row for each layer, in the order of execution."""
        return [LayerRow(**layer | {"traffic": _traffic(layer["traffic"])})
                for layer in self.report["layers"]]

    def dequantized(self) -> np.ndarray:
        """The outputs in the float network's units, float32 of the same shape.

        Raises
        ------
        VqromError
            If the engine computed no values.
        """
        if self.outputs is None or self.network is None:
            raise VqromError(f"outputs of {self.name!r} must have been computed, which engine "
                             f"{self.report['engine']!r} did not do")
        return dequantize(self.network, self.outputs)

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
        """Write ``report.json``, and ``outputs.npy`` if there are outputs, as the commands do.

        Parameters
        ----------
        directory:
            Made if absent; other files in it stay.
        dequantized:
            Write the outputs as :meth:`dequantized` gives them.

        Returns
        -------
        list
            Names of the files.

        Raises
        ------
        VqromError
            If the directory cannot be written, or values are asked for that are not there.
        """
        outputs = self.dequantized() if dequantized else self.outputs
        with staged(Path(directory)) as folder:
            if outputs is not None:
                np.save(folder / OUTPUTS_FILE, outputs, allow_pickle=False)
            write_json(folder / REPORT_FILE, self.report)
        return [REPORT_FILE] if outputs is None else [OUTPUTS_FILE, REPORT_FILE]

    def _measured(self) -> dict[str, Any]:
        if self.cycles is None:
            raise VqromError(f"simulation of {self.name!r} must have hardware figures, which "
                             f"engine {self.report['engine']!r} does not give")
        return self.report

    def _repr_html_(self) -> str:
        exact = {True: "bit-exact", False: "not bit-exact", None: "no values"}[self.bit_exact]
        title = (f"{self.name} on {self.report['config']['name']}, engine "
                 f"{self.report['engine']}, {self.report['images']} inputs: {exact}")
        rows = [(row.name, row.kind, row.weights, row.macs, row.cycles, row.utilization,
                 row.traffic.dram_bytes if row.traffic else None) for row in self.layers]
        traffic = self.traffic
        total = ("total", "", self.report["weights"]["count"], self.report["macs"], self.cycles,
                 self.utilization, traffic.dram_bytes if traffic else None)
        return html_table(title, ("layer", "kind", "weights", "MACs", "cycles", "utilisation",
                                  "DRAM bytes"), [*rows, total])


def _traffic(values: Mapping[str, Any] | None) -> Traffic | None:
    return None if values is None else Traffic(**values)
