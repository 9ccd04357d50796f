"""TODO."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vqrom_hw.errors import VqromError
from vqrom_sw.progress import Steps

from .sources import Source, read_source

if TYPE_CHECKING:
    from vqrom_sw.codebook import UniversalCodebook
    from vqrom_sw.construction import ConstructionSettings

DEFAULT_SUBVECTOR = 4
DEFAULT_CODEWORDS = 256
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


def compress_into(directory: Path, sources: Sequence[Source], request: CompressRequest,
                  progress: Steps) -> list[str]:
    """Capture, extract (or load) the codebook, assign, and write all files to a directory.

    Returns
    -------
    list
        What a user should know, a line each.
    """
    from vqrom_sw.codebook import Extraction, UniversalCodebook, extract_codebook
    from vqrom_sw.compiler import beyond_accelerator
    from vqrom_sw.compress import Start, compress
    from vqrom_sw.encoding import RawLayers
    from vqrom_sw.formats import save_network
    from vqrom_sw.quantization import Ranges

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
    from vqrom_sw.formats import save_network
    from vqrom_sw.importers import read_tflite_int8

    assert source.file is not None
    save_network(read_tflite_int8(source.file), directory / f"{source.name}.vqnet", None)
    return f"{source.name}: int8 already; its integers as they are, on any codebook"


def _settings(request: CompressRequest) -> ConstructionSettings:
    from vqrom_sw.construction import ConstructionSettings

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
