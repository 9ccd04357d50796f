"""Networks onto one universal codebook: extract or take it, and encode each network for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import torch

from vqrom_hw.codebook_shape import MAX_CODEWORDS, MIN_CODEWORDS, SUBVECTORS, index_width
from vqrom_hw.errors import VqromError
from vqrom_sim.report import html_table, staged
from vqrom_sw.codebook import MAX_FILE_BYTES, Extraction, UniversalCodebook, extract_codebook
from vqrom_sw.compress import Start
from vqrom_sw.compress import compress as compress_network
from vqrom_sw.construction import Augment, ConstructionSettings
from vqrom_sw.encoding import RawLayers
from vqrom_sw.formats import save_network
from vqrom_sw.held_back import Agreement, agreement, keep_back
from vqrom_sw.io import read_bytes
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.progress import SilentSteps, Steps
from vqrom_sw.quantization import Ranges

from .arguments import ArrayLike, CodebookLike, check_file, check_seed, load_codebook, named
from .network_notes import Size, agreement_note, host_notes, size_note, size_of
from .sources import Inputs, NetworkSource, Source, as_sources, read_quantized, read_source

DEFAULT_SUBVECTOR = 4
DEFAULT_CODEWORDS = 256
CODEBOOK_FILE = "codebook.safetensors"
CHECKPOINT_SUFFIX = ".checkpoint"

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, eq=False)
class CompressionResult:
    """One codebook and the networks on it.

    Members
    -------
    codebook:
        What the ROM holds; None if all networks were int8 already and no codebook was given.
    networks:
        The compressed networks by name.
    notes:
        What a user should know of them, a line each.
    checkpoints:
        Files of training state, which :meth:`save` removes.
    codebook_file:
        Content of the codebook file that was given; it is copied as it is.
    agreements:
        How far each network agrees with the float one on calibration inputs that were kept back,
        by its name; those with too few inputs, and those that were int8 already, are not in it.
    """

    codebook: UniversalCodebook | None
    networks: Mapping[str, QuantizedNetwork]
    notes: tuple[str, ...] = ()
    checkpoints: tuple[Path, ...] = ()
    codebook_file: bytes | None = None
    agreements: Mapping[str, Agreement] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, Size]:
        """What the weights of each network take."""
        width = 0 if self.codebook is None else index_width(self.codebook.size)
        return {name: size_of(network, width) for name, network in self.networks.items()}

    def save(self, directory: str | Path) -> list[str]:
        """Write ``codebook.safetensors`` and ``NAME.vqnet`` for each network.

        Parameters
        ----------
        directory:
            Made if absent; other files in it stay.

        Returns
        -------
        list
            Names of the files.

        Raises
        ------
        VqromError
            If the directory cannot be written.
        """
        directory = Path(directory)
        names = [] if self.codebook is None else [CODEBOOK_FILE]
        with staged(directory) as folder:
            self._write_codebook(folder, directory / CODEBOOK_FILE)
            for name, network in self.networks.items():
                names.append(f"{name}.vqnet")
                save_network(network, folder / names[-1],
                             self.codebook if network.indexed else None)
        for path in self.checkpoints:
            path.unlink(missing_ok=True)
        return names

    def _repr_html_(self) -> str:
        words = self.codebook
        title = ("no codebook" if words is None else
                 f"{words.size} codewords of {words.subvector} weights, {words.sha256[:12]}")
        return html_table(title, ("network", "weights", "indexed", "raw", "bits per weight"), [
            (name, size.weights, size.indexed, size.raw, size.bits_per_weight)
            for name, size in self.sizes.items()])

    def _write_codebook(self, folder: Path, final: Path) -> None:
        if self.codebook is None:
            return
        if self.codebook_file is None:
            self.codebook.save(folder / CODEBOOK_FILE)
        elif not (final.is_file() and final.read_bytes() == self.codebook_file):
            (folder / CODEBOOK_FILE).write_bytes(self.codebook_file)


def compress(networks: NetworkSource | Sequence[NetworkSource] | Mapping[str, NetworkSource], *,
             calibration: ArrayLike | Mapping[str, ArrayLike] | None = None,
             labels: ArrayLike | Mapping[str, ArrayLike] | None = None,
             codebook: CodebookLike | None = None, subvector: int | None = None,
             codewords: int | None = None, extraction: str = "kde", epochs: int = 0,
             start: str = "outputs", augment: str = "auto", batch: int = 100,
             candidates: int = 4, raw_layers: str = "narrow", ranges: str = "percentile",
             device: str = "cpu", seed: int = 0, checkpoints: str | Path | None = None,
             progress: Steps | None = None) -> CompressionResult:
    """Put networks on one universal codebook and quantise them to int8.

    Parameters
    ----------
    networks:
        One or several of: a zoo name, a ``torch.nn.Module``, an ``.onnx`` or ``.tflite`` file,
        ``"module.py:factory"`` (the file is run), or a :class:`Source`. A mapping gives names.
    calibration:
        float32 inputs like those to come, ``[N, C, H, W]`` or ``[N, S, C]``, or their ``.npy``
        file, for every network but those of the zoo; or by network name. One in eight, at most
        500, is kept back: nothing is fitted to it, and agreement is measured on it.
    labels:
        Classes of the calibration inputs, for training; none are needed.
    codebook:
        Encode for this codebook instead of extracting one from all the networks.
    subvector, codewords:
        Shape of the codebook: weights of one codeword (by default 4) and codewords (256).
    extraction:
        How codewords are found: ``"kde"``, ``"kmeans"`` or ``"additive"``.
    epochs:
        Passes of training over the calibration inputs (construction); 0 keeps the first codewords.
        They also stay where training makes agreement on the inputs kept back worse.
    start:
        Codewords at first, ``"nearest"`` to the weights or those that keep each layer's
        ``"outputs"``.
    augment:
        How inputs are varied in training: ``"auto"`` (by their shape), ``"none"``, ``"shift"``,
        ``"flip"`` or ``"time"``.
    batch, candidates:
        Inputs of a training step, and nearest codewords to choose among.
    raw_layers:
        Layers with int8 weights instead of indices: ``"narrow"``, ``"small"``, ``"streams"``,
        ``"ends"``, ``"none"`` or ``"all"``.
    ranges:
        Ranges of the feature maps: ``"percentile"``, ``"minmax"`` or ``"mse"``.
    device:
        Where to train, as PyTorch names it.
    seed:
        Seed of the codebook's sampling and of training; the same one gives the same bytes.
    checkpoints:
        Directory where training leaves its state, from which the same call goes on after an
        interruption; by default none is left. :meth:`CompressionResult.save` removes it.
    progress:
        Told about each step.

    Raises
    ------
    VqromError
        If an argument is wrong, a network cannot be read or captured, or training fails.
    """
    check_file(codebook, "codebook")
    method = _one_of("extraction", extraction, Extraction)
    _check_shape(subvector, codewords, seed)
    settings, first, raw, spread = _check_construction(
        epochs, batch, candidates, start, augment, raw_layers, ranges, device, seed)
    sources, steps = as_sources(networks, calibration, labels), progress or SilentSteps()
    words = None if codebook is None else load_codebook(codebook)
    if words is not None:
        _check_existing(words, named(codebook, "given"), subvector, codewords)
    done: dict[str, QuantizedNetwork] = {}
    agreements: dict[str, Agreement] = {}
    notes: list[str] = []
    read: list[tuple[Source, Inputs]] = []
    for source in sources:
        if source.quantized:
            done[source.name] = read_quantized(source)
            notes.append(f"{source.name}: int8 already; its integers as they are, on any codebook")
            continue
        with steps.step(f"reading {source.name}"):
            read.append((source, read_source(source)))
    if words is None and read:
        with steps.step("extracting the codebook"):
            words = extract_codebook(
                [inputs.network for _, inputs in read], subvector=subvector or DEFAULT_SUBVECTOR,
                codewords=codewords or DEFAULT_CODEWORDS, seed=seed, method=method)
    kept = () if checkpoints is None else tuple(
        checkpoint_path(checkpoints, source.name) for source, _ in read)
    for source, inputs in read:
        assert words is not None
        with steps.step(f"compressing {source.name}"):
            back = keep_back(inputs.network, len(inputs.calibration))
            held_back = inputs.calibration[back] if back.any() else None
            network = compress_network(
                inputs.network, words, inputs.calibration[~back], settings, start=first, raw=raw,
                ranges=spread, device=device, held_back=held_back,
                labels=None if inputs.labels is None else inputs.labels[~back],
                checkpoint=checkpoint_path(checkpoints, source.name)
                if epochs and checkpoints is not None else None,
                progress=steps.callback(source.name))
            if held_back is not None:
                agreements[source.name] = agreement(inputs.network, network, words, held_back)
        notes.append(agreement_note(source.name, agreements.get(source.name), epochs, first))
        notes += size_note(source.name, network, words)
        done[source.name] = network
    notes += [note for name, network in done.items() for note in host_notes(name, network)]
    return CompressionResult(
        words, {source.name: done[source.name] for source in sources}, tuple(notes), kept,
        read_bytes(Path(codebook), "codebook", MAX_FILE_BYTES)
        if isinstance(codebook, str | Path) else None, agreements)


def checkpoint_path(directory: str | Path, name: str) -> Path:
    """Where the training state of one network is kept."""
    return Path(directory) / f"{name}{CHECKPOINT_SUFFIX}"


def _one_of(what: str, value: str, choices: type[Choice]) -> Choice:
    if value not in list(choices):
        raise VqromError(f"{what} must be one of {', '.join(choices)}, not {value!r}")
    return choices(value)


def _check_shape(subvector: int | None, codewords: int | None, seed: int) -> None:
    if subvector is not None and subvector not in SUBVECTORS:
        raise VqromError(f"subvector must be one of {', '.join(map(str, SUBVECTORS))}, "
                         f"not {subvector!r}")
    if codewords is not None and not MIN_CODEWORDS <= codewords <= MAX_CODEWORDS:
        raise VqromError(f"codewords must be {MIN_CODEWORDS} to {MAX_CODEWORDS}, not {codewords!r}")
    check_seed(seed)


def _check_construction(
    epochs: int, batch: int, candidates: int, start: str, augment: str, raw_layers: str,
    ranges: str, device: str, seed: int,
) -> tuple[ConstructionSettings, Start, RawLayers, Ranges]:
    for what, value, least in (("epochs", epochs, 0), ("batch", batch, 2),
                               ("candidates", candidates, 1)):
        if value < least:
            raise VqromError(f"{what} must be at least {least}, not {value!r}")
    raw = _one_of("raw-layers", raw_layers, RawLayers)
    spread = _one_of("ranges", ranges, Ranges)
    first, varied = _one_of("start", start, Start), _one_of("augment", augment, Augment)
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise VqromError(f"device {device!r} must be one that PyTorch has here: "
                         f"{str(error).splitlines()[0]}") from None
    settings = ConstructionSettings(epochs=epochs, batch=batch, candidates=candidates, seed=seed,
                                    augment=varied)
    return settings, first, raw, spread


def _check_existing(codebook: UniversalCodebook, name: str, subvector: int | None,
                    codewords: int | None) -> None:
    for what, asked, given in (("subvector", subvector, codebook.subvector),
                               ("codewords", codewords, codebook.size)):
        if asked is not None and asked != given:
            raise VqromError(f"{what} must be {given}, as in codebook {name}, not {asked!r}")
