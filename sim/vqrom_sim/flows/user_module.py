"""A network of the user's own: a function in a Python file that returns a PyTorch module."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from pathlib import Path

from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import require_file


def module_file(name: str) -> tuple[Path, str]:
    """File and factory of ``module.py:factory``.

    Raises
    ------
    VqromError
        If it is written otherwise, or there is no such file.
    """
    file, _, factory = name.rpartition(":")
    path = Path(file)
    if path.suffix != ".py" or not factory.isidentifier():
        raise VqromError(f"network must be module.py:factory, not {name!r}")
    return require_file(path, "network module"), factory


def load_factory(path: Path, factory: str) -> nn.Module:
    """Run a user's Python file and call its factory.

    Raises
    ------
    VqromError
        If the file or the factory fails, or the result is no ``torch.nn.Module``.
    """
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


def _describe(error: BaseException, path: Path) -> str:
    """One line for an error in a user's file, with the line where it left that file."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if Path(frame.filename).name == path.name]
    where = f" ({path.name}, line {lines[-1]})" if lines else ""
    text = re.sub(r"\s+", " ", str(error))
    return f"{type(error).__name__}: {text}{where}"
