"""What the functions take: objects, or the files and names that stand for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vqrom_hw import config as presets
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sw import formats
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.importers import Topology, read_topology
from vqrom_sw.io import load_array, require_file
from vqrom_sw.network import QuantizedNetwork

DEFAULT_CONFIG = "edge16"
"""The accelerator where none is named."""

ArrayLike = np.ndarray | str | Path
"""An array, or the path of a ``.npy`` file."""
CodebookLike = UniversalCodebook | str | Path
"""A codebook, or the path of a ``codebook.safetensors``."""
ConfigLike = AcceleratorConfig | str | Path
"""A configuration, a preset's name (``tiny``, ``edge16``, ``edge32``), or the path of a
``.toml`` file."""
NetworkLike = QuantizedNetwork | str | Path
"""A compressed network, or the path of a ``.vqnet`` file."""
TopologyLike = Topology | str | Path
"""Layers without weights, the name of a topology that comes with vqrom, or the path of a SCALE-Sim
``.csv`` file."""

TOPOLOGIES = Path(__file__).parent / "topologies"
"""Where the topologies lie that come with vqrom."""


def load_config(config: ConfigLike, codebook: CodebookLike | None = None) -> AcceleratorConfig:
    """Read an accelerator's configuration, and make it one that holds a codebook.

    Parameters
    ----------
    config:
        A configuration that is returned as it is, a preset's name, or the path of a ``.toml`` file.
    codebook:
        What shall be in the ROM: a preset or file that does not say ``subvector`` and
        ``codewords`` takes them from it.

    Raises
    ------
    VqromError
        If the configuration is unknown, unreadable or cannot be built, or the codebook is of
        another shape than it says.
    """
    words = None if codebook is None else load_codebook(codebook)
    if isinstance(config, AcceleratorConfig):
        if words is not None and (config.subvector, config.codewords) != (
                words.subvector, words.size):
            raise VqromError(
                f"config {config.name!r} must have the shape of its codebook, {words.size} "
                f"codewords of {words.subvector}, not {config.codewords} of {config.subvector}")
        return config
    if words is None:
        return presets.load_config(str(config))
    return presets.load_config(str(config), subvector=words.subvector, codewords=words.size)


def load_codebook(codebook: CodebookLike) -> UniversalCodebook:
    """Read a codebook file; an object is returned as it is.

    Raises
    ------
    VqromError
        If the file is absent, of another kind, or was altered.
    """
    if isinstance(codebook, UniversalCodebook):
        return codebook
    return UniversalCodebook.load(require_file(Path(codebook), "codebook"))


def load_network(network: NetworkLike) -> QuantizedNetwork:
    """Read a ``.vqnet`` file; an object is returned as it is.

    Raises
    ------
    VqromError
        If the file is absent, of another kind or version, or was altered.
    """
    if isinstance(network, QuantizedNetwork):
        return network
    return formats.load_network(require_file(Path(network), "network"))


def topology_names() -> tuple[str, ...]:
    """The topologies that are known by name."""
    return tuple(sorted(path.stem for path in TOPOLOGIES.glob("*.csv")))


def load_topology(topology: TopologyLike) -> Topology:
    """Read a SCALE-Sim topology, by its name or from its file; an object is returned as it is.

    Raises
    ------
    VqromError
        If the file is absent, or one of its lines is no layer.
    """
    if isinstance(topology, Topology):
        return topology
    if topology in topology_names():
        return read_topology(TOPOLOGIES / f"{topology}.csv")
    return read_topology(require_file(Path(topology), "topology"))


def as_array(values: ArrayLike, what: str) -> np.ndarray:
    """An array, read from its ``.npy`` file if it is a path; ``what`` names it in errors.

    Raises
    ------
    VqromError
        If the file cannot be read or is empty.
    """
    return values if isinstance(values, np.ndarray) else load_array(Path(values), what)


def check_file(value: object, what: str) -> None:
    """Say at once that a file is absent, before long work; objects and None pass.

    Raises
    ------
    VqromError
        If the value is a path, and no file that can be read.
    """
    if isinstance(value, str | Path):
        require_file(Path(value), what)


def check_seed(seed: int) -> None:
    """Refuse a seed that a generator of random numbers does not take.

    Raises
    ------
    VqromError
        If it is negative or does not fit 32 bits.
    """
    if not 0 <= seed < 1 << 32:
        raise VqromError(f"seed must be 0 to {(1 << 32) - 1}, not {seed!r}")


def named(value: object, otherwise: str) -> str:
    """How errors name an argument: the path that was given, or the object's own name."""
    return repr(str(value)) if isinstance(value, str | Path) else otherwise
