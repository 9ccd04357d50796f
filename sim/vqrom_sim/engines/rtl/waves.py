"""Waves for people: all signals of some cycles as an FST file, and what to look at in it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqrom_hw.isa import QUEUES
from vqrom_sw.compiler import Program
from vqrom_sw.progress import Progress

from .engine import prepare_job, prepare_model
from .fst import simulated_path
from .instances import DesignModule, instance_modules
from .process import run_to_end
from .recording import fst_arguments, modules_of, written_cycles
from .testbench import TOP

WAVES_FILE, SIGNALS_FILE = "waves.fst", "waves.gtkw"
"""Names of the waves and of GTKWave's list of signals."""
WAVES_BYTES = 1 << 28
"""Size of the file after which no more cycles are written."""
_LEVELS = 99
"""More levels than a design has."""

_BUS = ("arvalid", "arready", "rvalid", "rready", "rlast", "awvalid", "awready", "wvalid", "wready",
        "bvalid")
_COMPUTE = "vqrom.compute_unit"
_SHOWN: dict[str, tuple[tuple[str, str], ...]] = {
    "array": tuple((_COMPUTE, port) for port in ("issue", "wait_weights", "wait_accumulators"))
    + tuple((f"{_COMPUTE}.processing_array", port) for port in (
        "swap", "step", "activations", "codewords", "totals")),
    "weights": ((f"{_COMPUTE}.weight_loader", "i_index__valid"),
                (f"{_COMPUTE}.weight_loader", "i_index__ready"),
                (f"{_COMPUTE}.weight_loader", "i_raw__valid"),
                (f"{_COMPUTE}.weight_loader", "i_raw__ready"),
                (f"{_COMPUTE}.weight_loader", "full")),
    "post": ((_COMPUTE, "post_busy"),) + tuple((f"{_COMPUTE}.post_processor", port) for port in (
        "half_full", "write", "write_address", "result")),
    "queues": tuple((f"vqrom.{queue}_queue", "o__valid") for queue in QUEUES),
    "bus": tuple(("vqrom", f"m_axi_{name}") for name in _BUS),
}
"""What is worth a look: ports of instances, in groups."""


@dataclass(frozen=True, eq=False)
class Waves:
    """Waves of some cycles of a program.

    Members
    -------
    window:
        The first cycle that was wanted, and the one after the last, counted from 0 in which the
        program begins. Cycle n stands at 2 n ns (after the clock edge that begins it) and at
        2 n + 1 ns (before the one that ends it).
    cycles:
        How many of them are in the file; fewer where they take more than :data:`WAVES_BYTES`.
    counters:
        What the accelerator counted, of the whole program.
    content:
        The FST file.
    signals:
        A save file of GTKWave, which shows the signals that are worth a look.
    """

    window: tuple[int, int]
    cycles: int
    counters: dict[str, int]
    content: bytes
    signals: str

    @property
    def complete(self) -> bool:
        """Whether all wanted cycles are in the file."""
        return self.cycles == self.window[1] - self.window[0]

    def write(self, folder: Path) -> list[str]:
        """Write both files into a folder that is there; their names."""
        (folder / WAVES_FILE).write_bytes(self.content)
        (folder / SIGNALS_FILE).write_text(self.signals, encoding="utf-8")
        return [WAVES_FILE, SIGNALS_FILE]


def record_waves(program: Program, codewords: np.ndarray, image: np.ndarray,
                 window: tuple[int, int], progress: Progress | None = None,
                 limit: int = WAVES_BYTES) -> Waves:
    """Run a program once, and write all signals of some of its cycles.

    Parameters
    ----------
    program, codewords:
        As for :func:`vqrom_sim.engines.record`.
    image:
        uint8 ``[1, input_bytes]``: DRAM region ``INPUT``.
    window:
        The first cycle, and the one after the last.
    progress:
        Called with what is being done, how much of it is done, and how much there is.
    limit:
        Size of the file in bytes after which no more cycles are written.

    Raises
    ------
    VqromError
        If tools or headers are missing, or the simulation fails.
    """
    tell = progress or (lambda what, done, total: None)
    model = prepare_model(program.config, codewords, progress, traced=True)
    with tempfile.TemporaryDirectory(prefix="vqrom-") as name:
        folder = Path(name)
        job, arguments = prepare_job(program, image, folder)
        options = fst_arguments(folder, {TOP: _LEVELS}, window, limit)
        run_to_end(model, job, [*arguments, *options, "+fst_clock=1"], lambda: tell(
            "recording waves", written_cycles(folder), window[1] - window[0]))
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return Waves(window, written_cycles(folder), result["counters"][0],
                     (folder / WAVES_FILE).read_bytes(), signal_list(modules_of(model)))


def signal_list(modules: Mapping[str, DesignModule]) -> str:
    """GTKWave's save file of the signals that are worth a look, of those that a design has."""
    return "\n".join(_signal_lines(modules)) + "\n"


def _signal_lines(modules: Mapping[str, DesignModule]) -> Iterator[str]:
    paths = instance_modules(modules)
    # 28 shows a signal as bits, 22 as hexadecimal digits, 200 is a comment.
    yield from (f'[dumpfile] "{WAVES_FILE}"', "@28", f"{TOP}.clk", f"{TOP}.active",
                "@24", f"{TOP}.active_layer[11:0]")
    for group, ports in _SHOWN.items():
        yield from ("@200", f"-{group}")
        for instance, name in ports:
            port = modules[paths[instance]].ports.get(name) if instance in paths else None
            if port is not None:
                span = f"[{port.width - 1}:0]" if port.width > 1 else ""
                yield "@22" if port.width > 1 else "@28"
                yield f"{simulated_path(instance)}.{name}{span}"
