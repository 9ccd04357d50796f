"""Networks as a user names them: of the zoo, a module, a file; read with what compression needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw import zoo
from vqrom_sw.importers import (
    Imported,
    capture,
    check_capture,
    check_module,
    images_in_front,
    is_onnx_int8,
    is_tflite_int8,
    read_onnx,
    read_onnx_int8,
    read_tflite,
    read_tflite_int8,
)
from vqrom_sw.io import require_file
from vqrom_sw.network import FloatNetwork, QuantizedNetwork

from .arguments import ArrayLike, as_array, check_file, named
from .user_module import load_factory, module_file

READERS: Mapping[str, Callable[[Path, tuple[int, ...]], Imported]] = {
    ".onnx": read_onnx, ".tflite": lambda path, _: read_tflite(path)}
"""What reads a network file of a float network, by its suffix; only ONNX files leave sizes open,
which the shape of an example input settles."""

CHECKED = 3
"""Calibration inputs with which an imported network is compared with its source."""


@dataclass(frozen=True)
class Source:
    """One network to compress, with what is needed for it.

    Members
    -------
    network:
        A zoo name, ``"module.py:factory"``, the path of an ``.onnx`` or ``.tflite`` file, or a
        ``torch.nn.Module``.
    name:
        What the compressed network is called; by default the zoo name, the factory's, the file's
        stem, or the module's class.
    calibration:
        float32 inputs like those to come, as the network takes them: ``[N, C, H, W]``,
        ``[N, S, C]`` or ``[N, C]``. They fix the ranges of the feature maps, and construction
        trains on them. A zoo network brings its own, and an int8 file needs none.
    labels:
        Classes of the calibration inputs, if training shall use them; a zoo network has none.
    example_shape:
        Shape of one input of a module, or of an ONNX file that leaves sizes open: ``(1, C, H, W)``,
        ``(1, S, C)`` or ``(1, C)``; by default that of the calibration inputs.

    Raises
    ------
    VqromError
        If the network is none of those, or its file is absent.
    """

    network: str | Path | nn.Module
    name: str = ""
    calibration: ArrayLike | None = None
    labels: ArrayLike | None = None
    example_shape: tuple[int, ...] = ()
    quantized: bool = field(init=False, default=False)
    """Whether it is an int8 file, whose integers stay as they are."""

    def __post_init__(self) -> None:
        if isinstance(self.network, str | Path):
            object.__setattr__(self, "quantized", check_kind(self.network))
        object.__setattr__(self, "name", self.name or default_name(self.network))

    @property
    def own(self) -> bool:
        """Whether it is a user's network, which needs calibration inputs."""
        return not self.quantized and not self.in_zoo

    @property
    def in_zoo(self) -> bool:
        """Whether it is a network of the zoo."""
        return isinstance(self.network, str) and self.network in zoo.names()


NetworkSource = str | Path | nn.Module | Source
"""A network to compress: what :class:`Source` takes, or a source with all that belongs to it."""


@dataclass(frozen=True)
class Inputs:
    """What compression starts from.

    Members
    -------
    network:
        The float network.
    calibration:
        float32 ``[N, C, H, W]`` or ``[N, S, C]``.
    labels:
        int64 ``[N]``, or None.
    """

    network: FloatNetwork
    calibration: np.ndarray
    labels: np.ndarray | None = None


def default_name(network: str | Path | nn.Module) -> str:
    """What a network is called that was given no name."""
    if isinstance(network, nn.Module):
        return type(network).__name__
    text = str(network)
    if Path(text).suffix in READERS:
        return Path(text).stem
    return text.rpartition(":")[2]


def as_sources(networks: NetworkSource | Sequence[NetworkSource] | Mapping[str, NetworkSource],
               calibration: ArrayLike | Mapping[str, ArrayLike] | None = None,
               labels: ArrayLike | Mapping[str, ArrayLike] | None = None) -> list[Source]:
    """Sources with their calibration inputs and labels.

    Parameters
    ----------
    networks:
        One network, several, or several by name.
    calibration, labels:
        For all networks of the user's own, or by the network's name.

    Raises
    ------
    VqromError
        If a network is unknown, lacks its calibration inputs, or two have one name.
    """
    if isinstance(networks, Mapping):
        named_networks = [(name, network) for name, network in networks.items()]
    elif isinstance(networks, str | Path | nn.Module | Source):
        named_networks = [("", networks)]
    else:
        named_networks = [("", network) for network in networks]
    sources: list[Source] = []
    for name, network in named_networks:
        source = network if isinstance(network, Source) else Source(network, name)
        if name:
            source = replace(source, name=name)
        if source.own:
            source = replace(source,
                             calibration=_belonging(source.calibration, calibration, source.name),
                             labels=_belonging(source.labels, labels, source.name))
        check_files(source)
        if source.name in {other.name for other in sources}:
            raise VqromError(f"networks must have different names, and {source.name!r} "
                             "is there twice")
        sources.append(source)
    return sources


def check_files(source: Source) -> None:
    """Refuse absent calibration inputs, or files that are not there, before anything is read.

    Raises
    ------
    VqromError
        If a user's network has no calibration inputs, or a file is absent.
    """
    if not source.own:
        return
    if source.calibration is None:
        raise VqromError(f"network {source.name!r} must come with calibration inputs")
    check_file(source.calibration, "calibration")
    check_file(source.labels, "labels")


def check_kind(network: str | Path) -> bool:
    """Refuse a name that stands for no network; whether it is an int8 file.

    Raises
    ------
    VqromError
        If it is no zoo name, ``module.py:factory`` or network file, or the file is absent.
    """
    if network in zoo.names():
        return False
    if ":" in str(network):
        module_file(str(network))
        return False
    path = Path(network)
    if path.suffix not in READERS:
        raise VqromError(f"network must be one of {', '.join(zoo.names())}, module.py:factory, "
                         f"or a file {' or '.join(READERS)}, not {str(network)!r}")
    require_file(path, "network")
    return is_onnx_int8(path) if path.suffix == ".onnx" else is_tflite_int8(path)


def read_quantized(source: Source) -> QuantizedNetwork:
    """Read an int8 file, whose integers stay as they are, and compare it with its source.

    Raises
    ------
    VqromError
        If something in the file is not understood, or computes something else.
    """
    path = Path(str(source.network))
    network = read_onnx_int8(path, source.example_shape) if path.suffix == ".onnx" \
        else read_tflite_int8(path)
    return replace(network, name=source.name)


def read_source(source: Source) -> Inputs:
    """Load a network and its calibration inputs, and compare the network with its source.

    Raises
    ------
    VqromError
        If the module or a file is not what it should be, or the network does not compute what its
        source does.
    """
    if source.in_zoo:
        entry = zoo.load(str(source.network))
        return Inputs(replace(entry.network, name=source.name), entry.calibration)
    assert source.calibration is not None
    where = named(source.calibration, repr("given"))
    calibration = as_array(source.calibration, "calibration")
    if calibration.dtype != np.float32:
        raise VqromError(f"calibration must be float32, not {str(calibration.dtype)!r}, in {where}")
    imported = _imported(source, calibration)
    shape = imported.input_shape
    if calibration.shape[1:] != shape[1:]:
        model = isinstance(source.network, str | Path) and ":" not in str(source.network)
        raise VqromError(
            f"calibration must have shape (N, {', '.join(map(str, shape[1:]))}) "
            f"to fit the {'model' if model else 'example input'}, not {calibration.shape!r}")
    if not np.isfinite(calibration).all():
        raise VqromError(f"calibration {where} must be finite")
    network = _captured(imported, calibration[:CHECKED], source.name)
    return Inputs(network, calibration, _labels(source, network, len(calibration)))


def _imported(source: Source, calibration: np.ndarray) -> Imported:
    """A user's network as a module in evaluation mode, with the shape of one input."""
    network, shape = source.network, source.example_shape or (1, *calibration.shape[1:])
    if isinstance(network, nn.Module):
        return Imported(network.eval(), shape)
    if ":" in str(network):
        return Imported(load_factory(*module_file(str(network))).eval(), shape)
    return READERS[Path(network).suffix](Path(network), shape)


def _captured(imported: Imported, inputs: np.ndarray, name: str) -> FloatNetwork:
    """The float network, which gives on some calibration inputs what module and file give.

    Outputs of a file have their images moved to the front.
    """
    module, example = imported.module, torch.zeros(imported.input_shape)
    if imported.evaluator is not None:
        check_module(module, imported.evaluator, inputs)
        module = images_in_front(module, example)
    network = capture(module, example, name)
    check_capture(network, module, torch.from_numpy(np.ascontiguousarray(inputs)))
    names = imported.outputs or tuple(output.name for output in network.outputs)
    return replace(network, outputs=tuple(
        replace(output, name=name)
        for output, name in zip(network.outputs, names, strict=True)))


def _belonging(own: ArrayLike | None, given: ArrayLike | Mapping[str, ArrayLike] | None,
               name: str) -> ArrayLike | None:
    """A source's own array, or what was given for all, or for its name."""
    if own is not None:
        return own
    return given.get(name) if isinstance(given, Mapping) else given


def _labels(source: Source, network: FloatNetwork, count: int) -> np.ndarray | None:
    if source.labels is None:
        return None
    labels, where = as_array(source.labels, "labels"), named(source.labels, repr("given"))
    classes = network.output_shape[0]
    if labels.dtype.kind not in "iu" or labels.shape != (count,) or len(network.output_shape) != 1:
        raise VqromError(f"labels {where} must be {count} integers, one for each "
                         f"calibration input, not {labels.dtype} of {labels.shape!r}")
    if labels.min() < 0 or labels.max() >= classes:
        raise VqromError(f"labels {where} must be 0 to {classes - 1}, not "
                         f"{labels.min()} to {labels.max()}")
    return labels.astype("int64")
