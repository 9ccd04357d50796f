"""Networks as the command line names them: of the zoo, or a user's own module."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vqrom_hw.errors import VqromError

from .cli_files import load_array, parse_shape, require_file

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from vqrom_sw.float_network import FloatNetwork


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
    calibration, labels:
        Files with the calibration inputs of a user's network, and their classes if known.
    """

    name: str
    module: tuple[Path, str] | None = None
    example_shape: tuple[int, ...] = ()
    calibration: Path | None = None
    labels: Path | None = None


@dataclass(frozen=True)
class Inputs:
    """What compression starts from.

    Members
    -------
    network:
        Float network.
    calibration:
        float32 ``[N, C, H, W]``.
    labels:
        int64 ``[N]``, or None.
    """

    network: FloatNetwork
    calibration: np.ndarray
    labels: np.ndarray | None = None


def resolve_sources(networks: Sequence[str], example_inputs: Sequence[str],
                    calibrations: Sequence[Path], labels: Sequence[Path] = ()) -> list[Source]:
    """Check the networks' names and give each user's module its shape and files.

    Raises
    ------
    VqromError
        If a name is unknown, appears twice, or lacks its shape or calibration file.
    """
    from vqrom_sw import zoo

    modules = [name for name in networks if ":" in name]
    shapes = _one_each("--example-input", example_inputs, modules)
    files = _one_each("--calibration", calibrations, modules)
    classes = _one_each("--labels", labels, modules) if labels else [None] * len(modules)
    sources: list[Source] = []
    for name in networks:
        if ":" in name:
            index = len([source for source in sources if source.module])
            sources.append(_module_source(name, shapes[index], files[index], classes[index]))
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


def _module_source(name: str, shape_text: str, calibration: Path,
                   labels: Path | None) -> Source:
    file, _, factory = name.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not factory.isidentifier():
        raise VqromError(f"network must be module.py:factory, not {name!r}")
    require_file(path, "network module")
    require_file(calibration, "calibration")
    if labels is not None:
        require_file(labels, "labels")
    shape = parse_shape(shape_text)
    shape = shape if len(shape) == 4 else (1, *shape)
    if len(shape) != 4 or shape[0] != 1:
        raise VqromError("example input must be C x H x W or 1 x C x H x W, "
                         f"not {shape_text!r}")
    return Source(factory, (path, factory), shape, calibration, labels)


def read_source(source: Source) -> Inputs:
    """Load a network and its files.

    Raises
    ------
    VqromError
        If the module or a file is not what it should be.
    """
    from vqrom_sw import zoo

    if source.module is None:
        entry = zoo.load(source.name)
        return Inputs(entry.network, entry.calibration)
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
    network = capture(module, torch.zeros(source.example_shape), source.name)
    return Inputs(network, calibration, _labels(source, network, len(calibration)))


def _labels(source: Source, network: FloatNetwork, count: int) -> np.ndarray | None:
    if source.labels is None:
        return None
    labels = load_array(source.labels, "labels")
    classes = network.output_shape[0]
    if labels.dtype.kind not in "iu" or labels.shape != (count,) or len(network.output_shape) != 1:
        raise VqromError(f"labels {str(source.labels)!r} must be {count} integers, one for each "
                         f"calibration input, not {labels.dtype} of {labels.shape!r}")
    if labels.min() < 0 or labels.max() >= classes:
        raise VqromError(f"labels {str(source.labels)!r} must be 0 to {classes - 1}, not "
                         f"{labels.min()} to {labels.max()}")
    return labels.astype("int64")


def _describe(error: BaseException, path: Path) -> str:
    """One line for an error in a user's file, with the line where it left that file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if Path(frame.filename).name == path.name]
    where = f" ({path.name}, line {lines[-1]})" if lines else ""
    text = re.sub(r"\s+", " ", str(error))
    return f"{type(error).__name__}: {text}{where}"
