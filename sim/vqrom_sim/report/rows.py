"""Layers, stages and traffic of a simulation, with the names and units of ``report.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
class HostFigures:
    """What is to be known of a layer that runs on the host.

    Members
    -------
    reason:
        Why the accelerator does not do it.
    macs_share:
        Its share of all multiply-accumulates of the network, 0..1.
    read_bytes, written_bytes:
        Bytes in DRAM of the maps that it takes from the accelerator, and of its own map where the
        accelerator reads it, all inputs; None where no hardware was simulated.
    """

    reason: str
    macs_share: float
    read_bytes: int | None = None
    written_bytes: int | None = None


@dataclass(frozen=True)
class StageRow:
    """A part of a network that one side runs before the other side goes on.

    Members
    -------
    where:
        ``"accelerator"`` or ``"host"``.
    layers:
        Names of its layers, in execution order.
    inputs, outputs:
        Names of the maps that it reads, and of those that it gives.
    cycles:
        Clock cycles of all inputs; None on the host.
    read_bytes, written_bytes:
        Bytes of maps that cross into and out of it, all inputs; None where no hardware was
        simulated.
    """

    where: str
    layers: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    cycles: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None


@dataclass(frozen=True)
class LayerRow:
    """One layer of a simulation, with the names and units of ``docs/report-schema.md``.

    Members
    -------
    name, kind:
        The layer, and what it does; ``load`` and ``store`` move inputs and outputs of programs.
    macs, weights:
        Multiply-accumulates of all inputs, and weights.
    host:
        Of a layer that runs on the host; None for the accelerator's.
    cycles, utilization, traffic, stalls, busy:
        What was counted in the layer's cycles; None where no hardware was simulated, and on the
        host.
    """

    name: str
    kind: str
    macs: int
    weights: int
    host: HostFigures | None = None
    cycles: int | None = None
    utilization: float | None = None
    traffic: Traffic | None = None
    stalls: Mapping[str, int] | None = None
    busy: Mapping[str, int] | None = None
