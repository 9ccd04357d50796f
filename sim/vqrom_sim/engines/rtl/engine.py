"""The RTL engine: a program runs on the Verilator model, and outputs and counters come back.

The model is a process of its own. It reads the DRAM's contents and a job from files in a folder,
and leaves outputs, counters and the trace of layers there.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vqrom_hw.bus import BOUNDARY as PAGE
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import (
    COUNTERS,
    ERROR,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    START,
    ErrorCode,
    Region,
    csr_map,
)
from vqrom_sim.engines.counts import Counts
from vqrom_sim.engines.dram import DRAM_BYTES
from vqrom_sw.compiler import Program, align
from vqrom_sw.progress import Progress

from .build import build_model
from .process import run_to_end

BUILDING = "building the Verilator model"
"""What progress says during the build."""


@dataclass(frozen=True)
class RtlRun(Counts):
    """What the hardware computed and counted.

    Members
    -------
    outputs:
        uint8 ``[N, output_bytes]``: DRAM region ``OUTPUT`` of each image.
    seconds:
        Wall-clock time of the images' simulation, without the start of the process.
    """

    outputs: np.ndarray
    seconds: float


def prepare_model(config: AcceleratorConfig, codewords: np.ndarray,
                  progress: Progress | None = None, *, traced: bool = False) -> Path:
    """Build the Verilator model of an accelerator, or find it in the cache; its folder.

    Parameters
    ----------
    config, codewords:
        The accelerator, and int8 ``[k, d]`` for its ROM.
    progress:
        As for :func:`run_rtl`.
    traced:
        Whether the model can write waves; that is another build.

    Raises
    ------
    VqromError
        If tools are missing, or one of them fails.
    """
    tell = progress or (lambda what, done, total: None)
    tell(BUILDING, 0, 0)
    model = build_model(config, codewords, traced=traced)
    tell(BUILDING, 1, 1)
    return model


def run_rtl(program: Program, codewords: np.ndarray, images: np.ndarray,
            progress: Progress | None = None, model: Path | None = None) -> RtlRun:
    """Run a program once per image.

    Parameters
    ----------
    program:
        Compiled network.
    codewords:
        int8 ``[k, d]`` for the ROM.
    images:
        uint8 ``[N, input_bytes]``: DRAM region ``INPUT`` of each image.
    progress:
        Called with what is being done, how much of it is done, and how much there is (0: unknown).
    model:
        What :func:`prepare_model` returned for this accelerator; by default it is called here.

    Raises
    ------
    VqromError
        If tools are missing, the images do not fit the simulated DRAM, or the simulation fails.
    """
    tell = progress or (lambda what, done, total: None)
    model = model or prepare_model(program.config, codewords, progress)
    with tempfile.TemporaryDirectory(prefix="vqrom-") as name:
        folder = Path(name)
        job, arguments = prepare_job(program, images, folder)
        run_to_end(model, job, arguments, lambda: _show_progress(job, len(images), tell))
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        memory = _read_hex(folder / "out.hex", program.config.beat_bytes)
        outputs = memory.reshape(len(images), -1)[:, :program.output_bytes]
        return RtlRun(result["counters"], _read_trace(folder / "trace", len(program.layers)),
                      outputs, result["seconds"])


def prepare_job(program: Program, images: np.ndarray, folder: Path) -> tuple[Path, list[str]]:
    """Write the files that a simulation reads.

    Parameters
    ----------
    program, images:
        As for :func:`run_rtl`.
    folder:
        Where the files go.

    Returns
    -------
    tuple
        The job file's path, and the model's arguments.

    Raises
    ------
    VqromError
        If program and images do not fit the simulated DRAM.
    """
    beat = program.config.beat_bytes
    image, places = _memory_image(program, images)
    _write_hex(folder / "dram.hex", image, beat)
    first = places["output"] // beat
    last = first + len(images) * align(program.output_bytes, PAGE) // beat - 1
    return _write_job(folder, program, places, len(images)), [
        f"+image={folder / 'dram.hex'}", f"+latency={program.config.dram_latency}",
        f"+trace={folder / 'trace'}",
        f"+dump={folder / 'out.hex'}", f"+dump_first={first}", f"+dump_last={last}"]


def _memory_image(program: Program,
                  images: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """DRAM contents: program, constants, inputs, room for outputs and for what is spilled.

    Every part, and every image's, begins at a page: bursts are cut there, so that all images take
    the same cycles.
    """
    count = len(images)
    padded = np.zeros((count, align(program.input_bytes, PAGE)), np.uint8)
    padded[:, :images.shape[1]] = images
    parts = {
        "program": np.frombuffer(program.commands, np.uint8),
        "constant": np.frombuffer(program.constants, np.uint8),
        "input": padded.ravel(),
        "output": np.zeros(count * align(program.output_bytes, PAGE), np.uint8),
        "scratch": np.zeros(program.region_bytes[Region.SCRATCH], np.uint8),
    }
    places, end = {}, 0
    for name, part in parts.items():
        places[name] = end
        end += align(len(part), PAGE)
    if end > DRAM_BYTES:
        raise VqromError("program, constants and images must fit the simulated DRAM of "
                         f"{DRAM_BYTES} bytes, not {end!r}; simulate fewer images at once")
    image = np.zeros(end, np.uint8)
    for name, part in parts.items():
        image[places[name]:places[name] + len(part)] = part
    return image, places


def _write_job(folder: Path, program: Program, places: dict[str, int], images: int) -> Path:
    csr = {"program_address": places["program"], "program_beats": program.program_beats,
           "program_limit": len(program.commands),
           "base_constant": places["constant"], "base_scratch": places["scratch"]}
    for region, size in program.region_bytes.items():
        csr[f"limit_{region.name.lower()}"] = size
    job = folder / "job.json"
    job.write_text(json.dumps({
        "images": images, "max_cycles": program.cycle_limit, "csr": csr,
        "input_base": places["input"], "input_stride": align(program.input_bytes, PAGE),
        "output_base": places["output"], "output_stride": align(program.output_bytes, PAGE),
        "offsets": {name: register["offset"] for name, register in csr_map().items()},
        "bits": {"start": START, "interrupt_enable": INTERRUPT_ENABLE,
                 "interrupt_clear": INTERRUPT_CLEAR, "error": ERROR},
        "counters": COUNTERS, "errors": [code.name for code in ErrorCode],
    }), encoding="utf-8")
    return job


def _show_progress(job: Path, images: int, progress: Progress) -> None:
    done = job.with_name("progress")
    if done.exists():
        text = done.read_text(encoding="ascii")
        progress("simulating the Verilog", int(text) if text else 0, images)


def _write_hex(path: Path, image: np.ndarray, beat_bytes: int) -> None:
    """``$readmemh`` text: a beat a line, most significant byte first."""
    beats = image.reshape(-1, beat_bytes)[:, ::-1]
    text = beats.tobytes().hex("\n", beat_bytes)
    path.write_text(text + "\n", encoding="ascii")


def _read_hex(path: Path, beat_bytes: int) -> np.ndarray:
    words = [line for line in path.read_text(encoding="ascii").splitlines()
             if line and not line.startswith(("//", "@"))]
    data = np.frombuffer(bytes.fromhex("".join(words)), np.uint8)
    return data.reshape(-1, beat_bytes)[:, ::-1].reshape(-1)


def _read_trace(path: Path, layers: int) -> list[dict[str, int]]:
    """Differences between successive lines, added up by layer."""
    rows = np.loadtxt(path, dtype=np.int64, ndmin=2)
    values, previous = rows[:, 2:], np.zeros_like(rows[:, 2:])
    previous[1:] = values[:-1]
    # A start clears the counters.
    previous[1:][rows[:-1, 0] == 1] = 0
    totals = np.zeros((layers, len(COUNTERS)), np.int64)
    np.add.at(totals, rows[:, 1], values - previous)
    return [dict(zip(COUNTERS, map(int, row), strict=True)) for row in totals]
