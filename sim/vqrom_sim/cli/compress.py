"""`vqrom zoo` and `vqrom compress`: networks onto one universal codebook."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from vqrom_hw.codebook import MAX_CODEWORDS, MIN_CODEWORDS, SUBVECTORS
from vqrom_hw.errors import VqromError
from vqrom_sw.io import require_file

from .files import check_output, staged
from .progress import bars
from .sources import resolve_sources

if TYPE_CHECKING:
    pass
from vqrom_sim.flows import CODEBOOK_FILE, CompressRequest, _checkpoint, compress_into
from vqrom_sw import zoo


def print_zoo() -> None:
    """Print the networks of the zoo as a table."""
    from rich.console import Console

    from vqrom_sim.report import plain_table

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


def _check_codebook_shape(request: CompressRequest) -> None:
    if request.codebook is not None:
        require_file(request.codebook, "codebook")
    if request.subvector is not None and request.subvector not in SUBVECTORS:
        raise VqromError(f"subvector must be one of {', '.join(map(str, SUBVECTORS))}, "
                         f"not {request.subvector!r}")
    if request.codewords is not None and not MIN_CODEWORDS <= request.codewords <= MAX_CODEWORDS:
        raise VqromError(
            f"codewords must be {MIN_CODEWORDS} to {MAX_CODEWORDS}, not {request.codewords!r}")
    from vqrom_sw.codebook import Extraction

    if request.extraction not in list(Extraction):
        raise VqromError(f"extraction must be one of {', '.join(Extraction)}, "
                         f"not {request.extraction!r}")
    if not 0 <= request.seed < 1 << 32:
        raise VqromError(f"seed must be 0 to {(1 << 32) - 1}, not {request.seed!r}")


def _check_construction(request: CompressRequest) -> None:
    import torch

    from vqrom_sw.compress import Start
    from vqrom_sw.encoding import RawLayers
    from vqrom_sw.quantization import Ranges

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
