"""Networks as the command line names them: of the zoo, or a user's own module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqrom_hw.errors import VqromError
from vqrom_sw.io import require_file

from .files import parse_shape

if TYPE_CHECKING:
    pass
from vqrom_sim.flows import READERS, Source, _is_int8
from vqrom_sw import zoo


def resolve_sources(networks: Sequence[str], example_inputs: Sequence[str],
                    calibrations: Sequence[Path], labels: Sequence[Path] = ()) -> list[Source]:
    """Check the networks' names and give each user's module its shape and files.

    Raises
    ------
    VqromError
        If a name is unknown, appears twice, or lacks its shape or calibration file.
    """

    modules = [name for name in networks if ":" in name]
    int8 = [name for name in networks if _is_int8(name)]
    own = [name for name in networks
           if ":" in name or (Path(name).suffix in READERS and name not in int8)]
    shapes = dict(zip(modules, _one_each("--example-input", example_inputs, modules), strict=False))
    files = dict(zip(own, _one_each("--calibration", calibrations, own), strict=False))
    classes = dict(zip(own, _one_each("--labels", labels, own) if labels else [], strict=False))
    sources: list[Source] = []
    for name in networks:
        if name in zoo.names():
            sources.append(Source(name))
            continue
        if name in int8:
            sources.append(replace(_file_source(name), quantized=True))
            continue
        if name not in own:
            raise VqromError(f"network must be one of {', '.join(zoo.names())}, module.py:factory, "
                             f"or a file {' or '.join(READERS)}, not {name!r}")
        source = _module_source(name, shapes[name]) if name in modules else _file_source(name)
        require_file(files[name], "calibration")
        if name in classes:
            require_file(classes[name], "labels")
        sources.append(replace(source, calibration=files[name], labels=classes.get(name)))
    seen: set[str] = set()
    for source in sources:
        if source.name in seen:
            raise VqromError(f"networks must have different names, and {source.name!r} "
                             "is there twice")
        seen.add(source.name)
    return sources


def _one_each(option: str, values: Sequence[Any], modules: Sequence[str]) -> list[Any]:
    """One value for each user's module; a single one serves them all."""
    if values and not modules:
        raise VqromError(f"{option} is for networks of your own, and there is none")
    if modules and not values:
        raise VqromError(f"network {modules[0]!r} needs {option}")
    if len(values) not in (0, 1, len(modules)):
        raise VqromError(f"{option} must be given once, or once for each of the "
                         f"{len(modules)} networks of your own, not {len(values)} times")
    return list(values) * len(modules) if len(values) == 1 else list(values)


def _file_source(name: str) -> Source:
    path = Path(name)
    require_file(path, "network")
    return Source(path.stem, file=path)


def _module_source(name: str, shape_text: str) -> Source:
    file, _, factory = name.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not factory.isidentifier():
        raise VqromError(f"network must be module.py:factory, not {name!r}")
    require_file(path, "network module")
    shape = parse_shape(shape_text)
    shape = shape if len(shape) == 4 else (1, *shape)
    if len(shape) not in (3, 4) or shape[0] != 1:
        raise VqromError("example input must be C x H x W or 1 x C x H x W, or S x C, "
                         f"not {shape_text!r}")
    return Source(factory, (path, factory), example_shape=shape)
