"""What the names in a study file stand for: workloads, codebooks and cell libraries, by content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sim.area import OPEN_LIBRARIES, open_library_files
from vqrom_sim.energy import characterisation_file
from vqrom_sim.flows import CODEBOOK_FILE, load_codebook, load_topology, topology_names
from vqrom_sw import zoo
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.importers import Topology, capture, images_in_front, read_onnx
from vqrom_sw.io import read_bytes, require_file
from vqrom_sw.network import FloatNetwork

GENERIC = "generic"
"""The cell library whose unit is the NAND2 equivalent."""

MAX_BYTES = 1 << 30
"""Largest file that a study reads for its digest."""


@dataclass(frozen=True)
class Program:
    """One thing that runs: a topology or a network.

    Members
    -------
    name:
        For reports.
    kind:
        ``topology``; ``zoo`` or ``onnx``: shapes of a network with random weights; ``vqnet``: a
        compressed network with its codebook beside it.
    source:
        Name or absolute path that it is read from; empty for a topology.
    sha256:
        Of its content: what is read again later has to be the same.
    topology:
        The layers of a topology, else None.
    """

    name: str
    kind: str
    source: str
    sha256: str
    topology: Topology | None = None


@dataclass(frozen=True)
class LibraryFiles:
    """A cell library.

    Members
    -------
    name:
        As the study calls it.
    paths:
        Absolute paths of its Liberty files; none for the generic library.
    sha256:
        Of the files' bytes.
    """

    name: str
    paths: tuple[str, ...]
    sha256: str

    def check_unchanged(self) -> None:
        """Refuse files that are not what they were when the study began.

        Raises
        ------
        VqromError
            If they are others, or absent on the machine that works.
        """
        if self.paths and _files_digest(self.paths, "liberty") != self.sha256:
            raise VqromError(f"library {self.name!r} must be the same as when the study began")


@dataclass(frozen=True)
class Context:
    """How a study's names become things.

    Members
    -------
    folder:
        Folder of the study file, to which paths are relative.
    workloads, libraries:
        The study's own names.
    """

    folder: Path
    workloads: Mapping[str, tuple[str, ...]]
    libraries: Mapping[str, tuple[str, ...]]

    def programs(self, workload: str) -> tuple[Program, ...]:
        """What a workload runs, one after the other.

        Raises
        ------
        VqromError
            If it is no name of the study, topology or network, or a file cannot be read.
        """
        return tuple(read_program(source, str(self.folder))
                     for source in self.workloads.get(workload, (workload,)))

    def library(self, name: str) -> LibraryFiles:
        """A cell library by the study's name, or an open library by its own.

        Raises
        ------
        VqromError
            If there is no such library, or a file is absent.
        """
        if name == GENERIC:
            return LibraryFiles(GENERIC, (), "")
        if name in OPEN_LIBRARIES and name not in self.libraries:
            files = open_library_files(name)
            if files is None:
                raise VqromError(f"library {name!r} must be among the open libraries that are "
                                 "found (docs/sim/area.md), which it is not")
            return _library(name, tuple(str(file.absolute()) for file in files))
        if name not in self.libraries:
            raise VqromError(f"library must be {GENERIC}, {', '.join(OPEN_LIBRARIES)} or one of "
                             f"the study's [libraries], "
                             f"{', '.join(self.libraries) or 'which are none'}, not {name!r}")
        return _library(name, tuple(str(self.path(file)) for file in self.libraries[name]))

    def codebook(self, source: str) -> UniversalCodebook:
        """A codebook file.

        Raises
        ------
        VqromError
            If it is absent, of another kind, or was altered.
        """
        return _codebook(str(self.path(source)))

    def characterisation(self, source: str) -> Path:
        """The file of a characterisation, by the name of one that comes along or by its path.

        Raises
        ------
        VqromError
            If it is absent.
        """
        return require_file(characterisation_file(source) or self.path(source), "characterisation")

    def technology(self, source: str) -> str:
        """A technology's name, or the absolute path of its file."""
        return str(self.path(source)) if source.endswith(".toml") else source

    def path(self, source: str) -> Path:
        """An absolute path; ``$VQROM_DATA`` and other variables of the environment are put in."""
        return Path(self.folder, os.path.expandvars(source)).absolute()


@cache
def read_program(source: str, folder: str) -> Program:
    """A topology or network by its name, or by its file relative to a folder.

    Raises
    ------
    VqromError
        If it is neither, or a file cannot be read.
    """
    if source in topology_names():
        topology = load_topology(source)
        return Program(topology.name, "topology", "", _digest(topology), topology)
    if source in zoo.names():
        return Program(source, "zoo", source, _digest(float_network("zoo", source)))
    path = Path(folder, os.path.expandvars(source)).absolute()
    if path.suffix == ".csv":
        topology = load_topology(path)
        return Program(topology.name, "topology", "", _digest(topology), topology)
    if path.suffix in (".onnx", ".vqnet"):
        require_file(path, "workload")
        digest = _files_digest((str(path),), "workload")
        return Program(path.stem, path.suffix[1:], str(path), digest)
    raise VqromError(f"workload must be a name of [workloads], a topology ("
                     f"{', '.join(topology_names())} or FILE.csv), a network of the zoo, or "
                     f"FILE.vqnet or FILE.onnx, not {source!r}")


@cache
def float_network(kind: str, source: str) -> FloatNetwork:
    """A network of the zoo, or that of an ONNX file, whose weights may be absent.

    Raises
    ------
    VqromError
        If what it is loaded from is absent, or is not understood.
    """
    if kind == "zoo":
        return zoo.load(source).network
    imported = read_onnx(require_file(Path(source), "workload"), (), invent_weights=True)
    example = torch.zeros(imported.input_shape)
    return capture(images_in_front(imported.module, example), example, Path(source).stem)


def codebook_beside(program: Program) -> UniversalCodebook:
    """The codebook in the folder of a compressed network, where ``vqrom compress`` writes it.

    Raises
    ------
    VqromError
        If it is absent, or was altered.
    """
    return _codebook(str(Path(program.source).parent / CODEBOOK_FILE))


@cache
def _codebook(path: str) -> UniversalCodebook:
    return load_codebook(path)


@cache
def _library(name: str, paths: tuple[str, ...]) -> LibraryFiles:
    return LibraryFiles(name, paths, _files_digest(paths, "liberty"))


def _files_digest(paths: tuple[str, ...], what: str) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(read_bytes(Path(path), what, MAX_BYTES)).digest())
    return digest.hexdigest()


def check_unchanged(program: Program) -> None:
    """Refuse a file, or a network of the zoo, that is not what it was when the study began.

    Raises
    ------
    VqromError
        If it is another one, or absent on the machine that works.
    """
    if program.kind == "topology":
        return
    now = _digest(float_network("zoo", program.source)) if program.kind == "zoo" \
        else _files_digest((program.source,), "workload")
    if now != program.sha256:
        raise VqromError(f"workload {program.source!r} must be the same as when the study began, "
                         f"{program.sha256[:16]}..., not {now[:16]}...")


def _digest(value: object) -> str:
    """SHA-256 of dataclasses, sequences, arrays and scalars by their content."""
    digest = hashlib.sha256()
    _add(digest, value)
    return digest.hexdigest()


def _add(digest: hashlib._Hash, value: object) -> None:
    if is_dataclass(value):
        digest.update(type(value).__name__.encode())
        for member in fields(value):
            digest.update(member.name.encode())
            _add(digest, getattr(value, member.name))
    elif isinstance(value, torch.Tensor):
        _add(digest, value.detach().numpy())
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, tuple | list):
        digest.update(f"[{len(value)}".encode())
        for part in value:
            _add(digest, part)
    elif isinstance(value, Mapping):
        _add(digest, tuple(value.items()))
    else:
        text = repr(value)
        if " at 0x" in text:
            raise TypeError(f"{type(value).__name__} has no content to take a digest of")
        digest.update(f"{len(text)}:{text}".encode())
