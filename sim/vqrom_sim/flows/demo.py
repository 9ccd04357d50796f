"""The demo: three real networks on one codebook ROM, from state dict to report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.engines import require_tools
from vqrom_sim.report import Sample, png_data_uri, staged, write_report
from vqrom_sw import zoo
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.progress import Progress, SilentSteps, Steps

from .compression import compress
from .hardware import area_of, generate
from .simulation import simulate

NETWORKS = ("mnist", "usps", "svhn")
CONFIG = "edge16"


@dataclass(frozen=True)
class DemoResult:
    """What the demo leaves in memory for its summary; its files are in the output directory.

    Members
    -------
    config, codebook:
        The accelerator and the content of its ROM.
    report:
        What ``report.json`` holds.
    seconds:
        Wall-clock time of the whole demo.
    """

    config: AcceleratorConfig
    codebook: UniversalCodebook
    report: dict[str, Any]
    seconds: float

    @property
    def bit_exact(self) -> bool | None:
        """Whether every output byte equals the integer reference's; None if none was compared."""
        exact = [network["bit_exact"] for network in self.report["networks"]]
        return None if None in exact else all(exact)


@dataclass(frozen=True)
class DemoRun:
    """One network's simulation.

    Members
    -------
    report:
        The simulation's report with ``predictions``: label, class of the float network and class
        of the engine for each image.
    samples:
        The images, for the HTML report.
    outputs:
        int8 ``[N, classes]``.
    """

    report: dict[str, Any]
    samples: tuple[Sample, ...]
    outputs: np.ndarray


def run_demo(output: str | Path, *, engine: str = "rtl", config: str = CONFIG,
             progress: Steps | None = None) -> DemoResult:
    """Compress, generate, simulate, compare, synthesise and report.

    Parameters
    ----------
    output:
        Directory for all results; files of an earlier run are replaced when this one succeeds.
    engine:
        ``"rtl"``, or ``"reference"`` to leave the hardware out.
    config:
        The accelerator.
    progress:
        Told about each step.

    Raises
    ------
    VqromError
        If a tool or the networks' package is missing.
    """
    if engine == "rtl":
        require_tools()
    start, steps = time.monotonic(), progress or SilentSteps()
    with staged(Path(output)) as directory:
        compressed = compress(NETWORKS, progress=steps)
        compressed.save(directory)
        codebook = compressed.codebook
        assert codebook is not None
        design = generate(config, codebook, progress=steps)
        design.save(directory / "verilog")
        runs = [run_network(compressed.networks[name], design.config, codebook, engine,
                            steps.callback(name)) for name in NETWORKS]
        for name, run in zip(NETWORKS, runs, strict=True):
            np.save(directory / f"{name}-outputs.npy", run.outputs, allow_pickle=False)
        area = area_of(design, progress=steps).report
        with steps.step("writing the report"):
            report = write_report(
                directory / "report.html", [run.report for run in runs],
                describe_codebook(codebook), area,
                {run.report["network"]: run.samples for run in runs})
    return DemoResult(design.config, codebook, report, time.monotonic() - start)


def run_network(network: QuantizedNetwork, config: AcceleratorConfig, codebook: UniversalCodebook,
                engine: str, progress: Progress) -> DemoRun:
    """Simulate a network of the zoo on all its sample images."""
    samples = zoo.load(network.name)
    result = simulate(network, codebook, config, samples.images, engine,
                      baselines=engine == "rtl", progress=progress)
    outputs = result.outputs
    assert outputs is not None, engine
    seen = predictions(samples.labels, classes(samples.logits), classes(outputs))
    pictures = tuple(
        Sample(png_data_uri(image), str(one["label"]), str(one["class"]))
        for image, one in zip(samples.images, seen, strict=True))
    return DemoRun(result.report | {"predictions": seen}, pictures, outputs)


def classes(outputs: np.ndarray) -> list[int]:
    """The class of each image: its largest output."""
    return [int(row.argmax()) for row in outputs]


def predictions(labels: np.ndarray, floats: Sequence[int],
                ours: Sequence[int]) -> list[dict[str, int]]:
    """Label, float network's class and engine's class of each image."""
    return [{"label": int(label), "float_class": reference, "class": own}
            for label, reference, own in zip(labels, floats, ours, strict=True)]


def describe_codebook(codebook: UniversalCodebook) -> dict[str, Any]:
    """What the report says of the ROM."""
    return {
        "sha256": codebook.sha256, "subvector": codebook.subvector, "codewords": codebook.size,
        "bytes": codebook.size * codebook.subvector,
        "bits_per_weight": index_width(codebook.size) / codebook.subvector,
    }
