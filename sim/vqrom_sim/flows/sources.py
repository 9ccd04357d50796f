"""TODO."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vqrom_hw.errors import VqromError
from vqrom_sw import zoo
from vqrom_sw.io import load_array, require_file

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from vqrom_sw.importers import Imported
    from vqrom_sw.network import FloatNetwork

def _read_onnx(path: Path) -> Imported:
    from vqrom_sw.importers import read_onnx
    return read_onnx(path)


def _read_tflite(path: Path) -> Imported:
    from vqrom_sw.importers import read_tflite
    return read_tflite(path)


def _is_int8(name: str) -> bool:
    """Whether a name is that of a TFLite file that is quantised already."""
    if Path(name).suffix != ".tflite":
        return False
    from vqrom_sw.importers import is_tflite_int8
    return is_tflite_int8(require_file(Path(name), "network"))


READERS = {".onnx": _read_onnx, ".tflite": _read_tflite}
"""What reads a network file, by its suffix."""


@dataclass(frozen=True)
class Source:
    """One network to compress.

    Members
    -------
    name:
        Of the network file.
    module:
        Path and factory of a user's network, or None for a network of the zoo.
    file:
        A user's ONNX or TFLite file.
    quantized:
        Whether the file is int8 already: its integers stay as they are.
    example_shape:
        ``(1, C, H, W)`` of a user's module, or ``(1, S, C)``.
    calibration, labels:
        Files with the calibration inputs of a user's network, and their classes if known.
    """

    name: str
    module: tuple[Path, str] | None = None
    file: Path | None = None
    quantized: bool = False
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
        float32 ``[N, C, H, W]`` or ``[N, S, C]``.
    labels:
        int64 ``[N]``, or None.
    """

    network: FloatNetwork
    calibration: np.ndarray
    labels: np.ndarray | None = None


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


def read_source(source: Source) -> Inputs:
    """Load a network and its files.

    Raises
    ------
    VqromError
        If the module or a file is not what it should be.
    """

    if source.module is None and source.file is None:
        entry = zoo.load(source.name)
        return Inputs(entry.network, entry.calibration)
    import numpy as np
    import torch

    from vqrom_sw.importers import capture

    assert source.calibration is not None
    calibration = load_array(source.calibration, "calibration")
    if calibration.dtype != np.float32:
        raise VqromError(f"calibration must be float32, not {str(calibration.dtype)!r}, "
                         f"in {str(source.calibration)!r}")
    if source.file is not None:
        imported = READERS[source.file.suffix](source.file)
        module, shape = imported.module, imported.input_shape
    else:
        assert source.module is not None
        module, shape = load_factory(*source.module).eval(), source.example_shape
    if calibration.shape[1:] != shape[1:]:
        raise VqromError(
            f"calibration must have shape (N, {', '.join(map(str, shape[1:]))}) "
            f"to fit the {'model' if source.file else 'example input'}, not {calibration.shape!r}")
    if not np.isfinite(calibration).all():
        raise VqromError(f"calibration {str(source.calibration)!r} must be finite")
    network = capture(module, torch.zeros(shape), source.name)
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
