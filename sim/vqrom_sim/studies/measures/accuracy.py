"""Accuracy of a network of the zoo with a point's weights, by the integer reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.errors import VqromError
from vqrom_sw import zoo
from vqrom_sw.codebook import Extraction, UniversalCodebook, extract_codebook
from vqrom_sw.compress import Start, compress
from vqrom_sw.encoding import RawLayers
from vqrom_sw.io import content_key, source_digest
from vqrom_sw.reference import infer

from ..context import Context, Program, check_unchanged, read_program
from ..definition import Column, Scalar
from ..point import GRIDS, Point
from ..work import Result, Work
from .area import point_codebook
from .measure import Measure

REFERENCE = "integer reference, which the Verilog equals"


@dataclass(frozen=True)
class AccuracyWork(Work):
    """A network of the zoo, compressed without training and scored.

    Members
    -------
    program:
        The network of the zoo whose accuracy is asked for.
    codewords, subvector:
        Shape of the codebook that is extracted from the network.
    codebook:
        The codebook instead of that, if one is given.
    raw:
        Whether all layers have int8 weights, so that there is no codebook.
    seed:
        Of the extraction.
    """

    program: Program
    codewords: int
    subvector: int
    codebook: UniversalCodebook | None
    raw: bool
    seed: int

    @property
    def key(self) -> str:
        """Sources, content of the network, and content or shape of the codebook."""
        words = "extracted" if self.codebook is None else codebook_sha256(self.codebook.codewords)
        return content_key(source_digest(__name__), self.program.name, self.program.sha256,
                           self.codewords, self.subvector, words, self.raw, self.seed)

    @property
    def label(self) -> str:
        """The network's name."""
        return f"accuracy of {self.program.name}"

    def run(self) -> Result:
        """Compress with kept outputs, and score on the zoo's samples.

        Raises
        ------
        VqromError
            If the network has no samples with labels.
        """
        check_unchanged(self.program)
        found = _load(self.program.source)
        if found.measure is None and (not len(found.labels) or (found.labels < 0).any()):
            raise VqromError(f"scored network {self.program.source!r} must have samples with "
                             "labels, which it has not")
        words = self.codebook or extract_codebook(
            [found.network], subvector=self.subvector, codewords=self.codewords, seed=self.seed,
            method=Extraction.KMEANS)
        network = compress(found.network, words, found.calibration, start=Start.OUTPUTS,
                           raw=RawLayers.ALL if self.raw else RawLayers.NARROW)
        return {"float_score": found.score(found.logits),
                "score": found.score(infer(network, words, found.images)),
                "samples": len(found.images)}


@lru_cache(maxsize=1)
def _load(name: str) -> zoo.ZooNetwork:
    return zoo.load(name)


def accuracy_works(point: Point, context: Context) -> tuple[AccuracyWork, ...]:
    """Compression and score; nothing where each layer has a codebook of its own.

    Raises
    ------
    VqromError
        If the point names no network of the zoo.
    """
    config, options = point.built
    if options.scored not in zoo.names():
        raise VqromError("measure 'accuracy' must be given the field scored, a network of the zoo "
                         f"({', '.join(zoo.names())}), not {options.scored!r}")
    if _own_codebooks(point):
        return ()
    raw, given = options.weights == "raw", None
    if options.weights in GRIDS or (options.codebook != "random" and not raw):
        given = point_codebook(point, context)
    # Without a codebook, points of all shapes score the same.
    shape = (256, 4) if raw else (config.codewords, config.subvector)
    return (AccuracyWork(read_program(options.scored, str(context.folder)), *shape, given, raw,
                         options.seed),)


def accuracy_figures(point: Point, context: Context,
                     results: Sequence[Result]) -> dict[str, Scalar]:
    """Scores of the network before and after, without values where nothing was compressed."""
    if not results:
        return dict.fromkeys(column.name for column in ACCURACY.columns)
    result, = results
    return {**result, "score_drop": 100 * (result["float_score"] - result["score"])}


def _own_codebooks(point: Point) -> bool:
    config, options = point.built
    return (options.weights == "index" and config.codebook_storage == "sram"
            and options.codebook_reload == "layer")


ACCURACY = Measure(
    "accuracy",
    (Column("float_score", "", "share of right classes, or what the task measures, of the float "
            "network", "PyTorch"),
     Column("score", "", "the same of the network with the point's weights, untrained, kept "
            "outputs, on a codebook of its k-means unless one is given; no value where each "
            "layer loads a codebook of its own", REFERENCE),
     Column("samples", "inputs", "what the scores are of", "zoo"),
     Column("score_drop", "points", "float_score less score, times 100", REFERENCE)),
    frozenset({"scored", "weights", "codebook", "codebook_reload", "seed"}),
    accuracy_works, accuracy_figures)
"""Score of a network of the zoo with the point's weights."""
