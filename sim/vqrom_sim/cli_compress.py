"""`vqrom zoo` and `vqrom compress`: networks onto one universal codebook."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqrom_hw.errors import VqromError

from .cli_files import check_output, load_array, parse_shape, require_file, staged
from .cli_progress import Bars, bars

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from vqrom_sw.codebook import UniversalCodebook
    from vqrom_sw.float_network import FloatNetwork

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
    subvector: int | None
    codewords: int | None
    codebook: Path | None
    example_inputs: tuple[str, ...]
    calibrations: tuple[Path, ...]
    seed: int
    quiet: bool


@dataclass(frozen=True)
class Source:
    """One network to compress.

    Members
    -------
    name:
        Of the network file.
    module:
        Path and factory of a user's network, or None for a network of the zoo.
    example_shape:
        ``(1, C, H, W)`` of a user's network.
    calibration:
        File with the calibration inputs of a user's network.
    """

    name: str
    module: tuple[Path, str] | None = None
    example_shape: tuple[int, ...] = ()
    calibration: Path | None = None


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
    sources = resolve_sources(request.networks, request.example_inputs, request.calibrations)
    check_output(request.output)
    with bars(quiet=request.quiet) as progress, staged(request.output) as directory:
        compress_into(directory, sources, request, progress)
    if not request.quiet:
        print(f"wrote {request.output / CODEBOOK_FILE} and "
              + ", ".join(f"{source.name}.vqnet" for source in sources))


def compress_into(directory: Path, sources: Sequence[Source], request: CompressRequest,
                  progress: Bars) -> None:
    """Capture, extract (or load) the codebook, assign, and write all files to a directory."""
    from vqrom_sw.codebook import UniversalCodebook, extract_codebook
    from vqrom_sw.files import save_network
    from vqrom_sw.quantize import compress

    existing, given = None, request.codebook
    if given is not None:
        existing = UniversalCodebook.load(given)
        _check_existing(existing, request)
    captured: list[tuple[Source, FloatNetwork, np.ndarray]] = []
    for source in sources:
        with progress.step(f"reading {source.name}"):
            captured.append((source, *_capture(source)))
    if existing is None:
        with progress.step("extracting the codebook"):
            existing = extract_codebook(
                [network for _, network, _ in captured],
                subvector=request.subvector or DEFAULT_SUBVECTOR,
                codewords=request.codewords or DEFAULT_CODEWORDS, seed=request.seed)
        existing.save(directory / CODEBOOK_FILE)
    elif given is not None and not _same_file(given, request.output / CODEBOOK_FILE):
        shutil.copyfile(given, directory / CODEBOOK_FILE)
    for source, network, calibration in captured:
        with progress.step(f"compressing {source.name}"):
            quantized = compress(network, existing, calibration)
            save_network(quantized, directory / f"{source.name}.vqnet", existing)


def resolve_sources(networks: Sequence[str], example_inputs: Sequence[str],
                    calibrations: Sequence[Path]) -> list[Source]:
    """Check the networks' names and give each user's module its shape and calibration.

    Raises
    ------
    VqromError
        If a name is unknown, appears twice, or lacks its shape or calibration file.
    """
    from vqrom_sw import zoo

    modules = [name for name in networks if ":" in name]
    shapes = _one_each("--example-input", example_inputs, modules)
    files = _one_each("--calibration", calibrations, modules)
    sources: list[Source] = []
    for name in networks:
        if ":" in name:
            index = len([source for source in sources if source.module])
            sources.append(_module_source(name, shapes[index], files[index]))
        elif name in zoo.names():
            sources.append(Source(name))
        else:
            raise VqromError(f"network must be one of {', '.join(zoo.names())} or "
                             f"module.py:factory, not {name!r}")
    seen: set[str] = set()
    for source in sources:
        if source.name in seen:
            raise VqromError(f"networks must have different names, and {source.name!r} "
                             "is there twice")
        seen.add(source.name)
    return sources


def load_factory(path: Path, factory: str) -> nn.Module:
    """Run a user's Python file and call its factory.

    Raises
    ------
    VqromError
        If the file or the factory fails, or the result is no ``torch.nn.Module``.
    """
    from torch import nn

    name = f"{path}:{factory}"
    spec = importlib.util.spec_from_file_location(f"_vqrom_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise VqromError(f"network {name!r} must name a Python file")
    module = importlib.util.module_from_spec(spec)
    # The user's file may import its neighbours, and dataclasses look their module up.
    sys.path.insert(0, str(path.parent.resolve()))
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        make = getattr(module, factory, None)
        if not callable(make):
            raise VqromError(f"network {name!r}: {path.name} must define a function {factory!r}")
        network = make()
    except VqromError:
        raise
    except (Exception, SystemExit) as error:
        raise VqromError(f"network {name!r} cannot be made: {_describe(error, path)}") from None
    finally:
        sys.path.remove(str(path.parent.resolve()))
    if not isinstance(network, nn.Module):
        raise VqromError(f"network {name!r}: {factory} must return a torch.nn.Module, "
                         f"not {type(network).__name__!r}")
    return network


def _check_codebook_shape(request: CompressRequest) -> None:
    if request.codebook is not None:
        require_file(request.codebook, "codebook")
    if request.subvector is not None and request.subvector not in SUBVECTORS:
        raise VqromError(f"subvector must be one of {', '.join(map(str, SUBVECTORS))}, "
                         f"not {request.subvector!r}")
    if request.codewords is not None and not 2 <= request.codewords <= MAX_CODEWORDS:
        raise VqromError(
            f"codewords must be 2 to {MAX_CODEWORDS}, not {request.codewords!r}")
    if not 0 <= request.seed < 1 << 32:
        raise VqromError(f"seed must be 0 to {(1 << 32) - 1}, not {request.seed!r}")


def _check_existing(codebook: UniversalCodebook, request: CompressRequest) -> None:
    for what, asked, given in (("subvector", request.subvector, codebook.subvector),
                               ("codewords", request.codewords, codebook.size)):
        if asked is not None and asked != given:
            raise VqromError(f"{what} must be {given}, as in codebook "
                             f"{str(request.codebook)!r}, not {asked!r}")


def _same_file(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


def _one_each(option: str, values: Sequence[Any], modules: Sequence[str]) -> list[Any]:
    """One value for each user's module; a single one serves them all."""
    if values and not modules:
        raise VqromError(f"{option} is for module.py:factory networks, and there is none")
    if modules and not values:
        raise VqromError(f"network {modules[0]!r} needs {option}")
    if len(values) not in (0, 1, len(modules)):
        raise VqromError(f"{option} must be given once, or once for each of the "
                         f"{len(modules)} module.py:factory networks, not {len(values)} times")
    return list(values) * len(modules) if len(values) == 1 else list(values)


def _module_source(name: str, shape_text: str, calibration: Path) -> Source:
    file, _, factory = name.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not factory.isidentifier():
        raise VqromError(f"network must be module.py:factory, not {name!r}")
    require_file(path, "network module")
    require_file(calibration, "calibration")
    shape = parse_shape(shape_text)
    shape = shape if len(shape) == 4 else (1, *shape)
    if len(shape) != 4 or shape[0] != 1:
        raise VqromError("example input must be C x H x W or 1 x C x H x W, "
                         f"not {shape_text!r}")
    return Source(factory, (path, factory), shape, calibration)


def _capture(source: Source) -> tuple[FloatNetwork, np.ndarray]:
    """The float network and its calibration inputs, float32 ``[N, C, H, W]``."""
    from vqrom_sw import zoo

    if source.module is None:
        entry = zoo.load(source.name)
        return entry.network, entry.calibration
    import numpy as np
    import torch

    from vqrom_sw.capture import capture

    assert source.calibration is not None
    calibration = load_array(source.calibration, "calibration")
    if calibration.dtype != np.float32:
        raise VqromError(f"calibration must be float32, not {str(calibration.dtype)!r}, "
                         f"in {str(source.calibration)!r}")
    if calibration.shape[1:] != source.example_shape[1:]:
        raise VqromError(
            f"calibration must have shape (N, {', '.join(map(str, source.example_shape[1:]))}) "
            f"to fit the example input, not {calibration.shape!r}")
    if not np.isfinite(calibration).all():
        raise VqromError(f"calibration {str(source.calibration)!r} must be finite")
    module = load_factory(*source.module).eval()
    return capture(module, torch.zeros(source.example_shape), source.name), calibration


def _describe(error: BaseException, path: Path) -> str:
    """One line for an error in a user's file, with the line where it left that file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if Path(frame.filename).name == path.name]
    where = f" ({path.name}, line {lines[-1]})" if lines else ""
    text = re.sub(r"\s+", " ", str(error))
    return f"{type(error).__name__}: {text}{where}"
