"""`vqrom zoo` and `vqrom compress`: networks onto one universal codebook."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vqrom_hw.errors import VqromError

from .cli_files import check_output, require_file, staged
from .cli_progress import Bars, bars
from .cli_sources import Source, read_source, resolve_sources

if TYPE_CHECKING:
    from vqrom_sw.codebook import UniversalCodebook
    from vqrom_sw.construct import ConstructionSettings

SUBVECTORS = (1, 2, 4, 8, 16)
DEFAULT_SUBVECTOR = 4
DEFAULT_CODEWORDS = 256
MAX_CODEWORDS = 65536
CODEBOOK_FILE = "codebook.safetensors"


@dataclass(frozen=True)
class CompressRequest:
    """The arguments of `vqrom compress`, as typed."""

    networks: tuple[str, ...]
    output: Path
    subvector: int | None = None
    codewords: int | None = None
    codebook: Path | None = None
    extraction: str = "kde"
    example_inputs: tuple[str, ...] = ()
    calibrations: tuple[Path, ...] = ()
    labels: tuple[Path, ...] = ()
    epochs: int = 0
    batch: int = 100
    candidates: int = 4
    raw_layers: str = "narrow"
    ranges: str = "percentile"
    device: str = "cpu"
    seed: int = 0
    quiet: bool = False
    start: str | None = None


def print_zoo() -> None:
    """Print the networks of the zoo as a table."""
    from rich.console import Console

    from vqrom_sw import zoo

    from .tables import plain_table

    table = plain_table("network", "what", "licence", left=3)
    for name in zoo.names():
        entry = zoo.entry(name)
        table.add_row(name, f"{entry.description}\nfrom {entry.source}", entry.licence)
    Console().print(table)


def run_compress(request: CompressRequest) -> None:
    """Write the codebook and one network file for each network of the request.

    Raises
    ------
    VqromError
        If an argument is wrong; nothing is written then.
    """
    _check_codebook_shape(request)
    _check_construction(request)
    sources = resolve_sources(request.networks, request.example_inputs, request.calibrations,
                              request.labels)
    check_output(request.output)
    checkpoints = [_checkpoint(request, source) for source in sources]
    try:
        with bars(quiet=request.quiet) as progress, staged(request.output) as directory:
            notes = compress_into(directory, sources, request, progress)
    except KeyboardInterrupt:
        if any(path.exists() for path in checkpoints):
            print(f"the same command goes on from {checkpoints[0].parent}/*{checkpoints[0].suffix}",
                  file=sys.stderr)
        raise
    for path in checkpoints:
        path.unlink(missing_ok=True)
    if not request.quiet:
        files = [CODEBOOK_FILE] if request.codebook or not all(
            source.quantized for source in sources) else []
        files += [f"{source.name}.vqnet" for source in sources]
        print(f"wrote {', '.join(files)} to {request.output}")
        for note in notes:
            print(note)


def compress_into(directory: Path, sources: Sequence[Source], request: CompressRequest,
                  progress: Bars) -> list[str]:
    """Capture, extract (or load) the codebook, assign, and write all files to a directory.

    Returns
    -------
    list
        What a user should know, a line each.
    """
    from vqrom_sw.codebook import UniversalCodebook
    from vqrom_sw.compiler import beyond_accelerator
    from vqrom_sw.compress import Start, compress
    from vqrom_sw.encoded import RawLayers
    from vqrom_sw.extraction import Extraction, extract_codebook
    from vqrom_sw.files import save_network
    from vqrom_sw.ranges import Ranges

    existing, given = None, request.codebook
    if given is not None:
        existing = UniversalCodebook.load(given)
        _check_existing(existing, request)
    read, notes = [], []
    for source in sources:
        if source.quantized:
            notes.append(_import_int8(source, directory))
            continue
        with progress.step(f"reading {source.name}"):
            read.append((source, read_source(source)))
    if existing is None and not read:
        return notes
    if existing is None:
        with progress.step("extracting the codebook"):
            existing = extract_codebook(
                [inputs.network for _, inputs in read],
                subvector=request.subvector or DEFAULT_SUBVECTOR,
                codewords=request.codewords or DEFAULT_CODEWORDS, seed=request.seed,
                method=Extraction(request.extraction))
        existing.save(directory / CODEBOOK_FILE)
    elif given is not None and not _same_file(given, request.output / CODEBOOK_FILE):
        shutil.copyfile(given, directory / CODEBOOK_FILE)
    settings = _settings(request)
    # Training is worth a slower start; without it, nearest codewords are there at once.
    start = Start(request.start or (Start.OUTPUTS if request.epochs else Start.NEAREST))
    for source, inputs in read:
        with progress.step(f"compressing {source.name}"):
            quantized = compress(
                inputs.network, existing, inputs.calibration, settings, start=start,
                raw=RawLayers(request.raw_layers), ranges=Ranges(request.ranges),
                labels=inputs.labels, device=request.device,
                checkpoint=_checkpoint(request, source) if request.epochs else None,
                progress=progress.callback(source.name))
            save_network(quantized, directory / f"{source.name}.vqnet", existing)
            beyond = beyond_accelerator(quantized)
            if beyond:
                notes.append(f"{source.name}: on the host, with --engine reference only: "
                             + ", ".join(beyond))
    return notes


def _import_int8(source: Source, directory: Path) -> str:
    """Write a network of raw weights, which needs no codebook; what a user should know of it."""
    from vqrom_sw.files import save_network
    from vqrom_sw.import_tflite_int8 import read_tflite_int8

    assert source.file is not None
    save_network(read_tflite_int8(source.file), directory / f"{source.name}.vqnet", None)
    return f"{source.name}: int8 already; its integers as they are, on any codebook"


def _check_codebook_shape(request: CompressRequest) -> None:
    if request.codebook is not None:
        require_file(request.codebook, "codebook")
    if request.subvector is not None and request.subvector not in SUBVECTORS:
        raise VqromError(f"subvector must be one of {', '.join(map(str, SUBVECTORS))}, "
                         f"not {request.subvector!r}")
    if request.codewords is not None and not 2 <= request.codewords <= MAX_CODEWORDS:
        raise VqromError(
            f"codewords must be 2 to {MAX_CODEWORDS}, not {request.codewords!r}")
    from vqrom_sw.extraction import Extraction

    if request.extraction not in list(Extraction):
        raise VqromError(f"extraction must be one of {', '.join(Extraction)}, "
                         f"not {request.extraction!r}")
    if not 0 <= request.seed < 1 << 32:
        raise VqromError(f"seed must be 0 to {(1 << 32) - 1}, not {request.seed!r}")


def _check_construction(request: CompressRequest) -> None:
    import torch

    from vqrom_sw.compress import Start
    from vqrom_sw.encoded import RawLayers
    from vqrom_sw.ranges import Ranges

    for what, value, least in (("epochs", request.epochs, 0), ("batch", request.batch, 2),
                               ("candidates", request.candidates, 1)):
        if value < least:
            raise VqromError(f"{what} must be at least {least}, not {value!r}")
    for what, value, choices in (("raw-layers", request.raw_layers, RawLayers),
                                 ("ranges", request.ranges, Ranges),
                                 ("start", request.start or Start.NEAREST, Start)):
        if value not in list(choices):
            raise VqromError(f"{what} must be one of {', '.join(choices)}, not {value!r}")
    try:
        torch.zeros(1, device=request.device)
    except (RuntimeError, AssertionError) as error:
        raise VqromError(f"device {request.device!r} must be one that PyTorch has here: "
                         f"{str(error).splitlines()[0]}") from None


def _settings(request: CompressRequest) -> ConstructionSettings:
    from vqrom_sw.construct import ConstructionSettings

    return ConstructionSettings(epochs=request.epochs, batch=request.batch,
                                candidates=request.candidates, seed=request.seed)


def _checkpoint(request: CompressRequest, source: Source) -> Path:
    return request.output / f"{source.name}.checkpoint"


def _check_existing(codebook: UniversalCodebook, request: CompressRequest) -> None:
    for what, asked, given in (("subvector", request.subvector, codebook.subvector),
                               ("codewords", request.codewords, codebook.size)):
        if asked is not None and asked != given:
            raise VqromError(f"{what} must be {given}, as in codebook "
                             f"{str(request.codebook)!r}, not {asked!r}")


def _same_file(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)
