"""One self-contained ``report.html`` of simulations and area, and the ``report.json`` beside it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from vqrom_hw.errors import VqromError
from vqrom_sw.io import write_bytes

from . import plots

SCHEMA = "vqrom.demo/1"

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("vqrom_sim.report"), autoescape=True,
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True)
class Sample:
    """A picture that was classified.

    Members
    -------
    uri:
        ``data:image/png;base64,...``.
    label, predicted:
        Class that the data set says, and class that the accelerator says.
    """

    uri: str
    label: str
    predicted: str

    def __post_init__(self):
        if not self.uri.startswith("data:image/png;base64,"):
            raise VqromError(f"sample picture must be a PNG data URI, not {self.uri[:40]!r}")


def write_report(path: Path, networks: Sequence[Mapping[str, Any]], codebook: Mapping[str, Any],
                 area: Mapping[str, Any] | None = None,
                 samples: Mapping[str, Sequence[Sample]] | None = None) -> dict[str, Any]:
    """Write ``path`` (HTML) and a ``.json`` of the same name beside it.

    Parameters
    ----------
    path:
        Where the HTML goes.
    networks:
        Reports of ``simulate``.
    codebook:
        ``sha256``, ``subvector``, ``codewords``, ``bytes`` and ``bits_per_weight`` of the ROM.
    area:
        What :func:`vqrom_sim.area.estimate.estimate_area` returns.
    samples:
        As for :func:`write_html`.

    Returns
    -------
    What the JSON file holds.

    Raises
    ------
    VqromError
        If a file cannot be written.
    """
    report = {"schema": SCHEMA, "networks": list(networks), "codebook": codebook, "area": area}
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    write_html(report, path, samples)
    write_bytes(path.with_suffix(".json"), text.encode())
    return report


def write_html(report: Mapping[str, Any], path: Path,
               samples: Mapping[str, Sequence[Sample]] | None = None) -> None:
    """Write a report that needs no other file and no network.

    Parameters
    ----------
    report:
        ``networks`` (reports of ``simulate``), ``codebook`` and ``area`` (or None).
    path:
        Where it goes.
    samples:
        Pictures to show with each network, by its name.

    Raises
    ------
    VqromError
        If the file cannot be written.
    """
    write_bytes(path, render(report, samples or {}).encode())


def render(report: Mapping[str, Any], samples: Mapping[str, Sequence[Sample]]) -> str:
    """The HTML text of :func:`write_html`."""
    networks, area = report["networks"], report["area"]
    measured = [network for network in networks if network["cycles"] is not None]
    storage = area["codebook_storage"] if area else None
    return _ENVIRONMENT.get_template("report.html.j2").render(
        networks=[network_view(network, samples.get(network["network"], ()))
                  for network in networks],
        codebook=report["codebook"], area=area, headline=headline(report),
        config=networks[0]["config"] if networks else area["config"] if area else {},
        bit_exact=bool(networks) and all(network["bit_exact"] for network in networks),
        traffic_picture=_picture(plots.traffic_figure(measured), "traffic",
                                 "DRAM traffic by weight format") if measured else None,
        area_picture=_picture(plots.area_figure(area), "area",
                              "Area of each part of the accelerator") if area else None,
        storage_picture=_picture(plots.storage_figure(storage), "storage",
                                 "The codebook in all its forms")
        if storage else None,
        titles=plots.GROUP_TITLES, quantity=plots.quantity, count=count, percent=percent)


def headline(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The few figures that say most: ``(figure, what it is)``."""
    networks, codebook, area = report["networks"], report["codebook"], report["area"]
    figures = [(f"{codebook['bits_per_weight']:g} bits",
                f"per indexed weight: {count(codebook['codewords'])} codewords of "
                f"{codebook['subvector']} weights")]
    if networks:
        ratios = [compression(network) for network in networks]
        figures.append((f"{_span(ratios)}×", "smaller than float32, weights as stored"))
    measured = [network for network in networks if network["cycles"]]
    if measured:
        traffic = [{name: sum(parts.values()) for name, parts in plots.traffic_bytes(one).items()}
                   for one in measured]
        figures += [
            (f"{_span([one['dense int8'] / one['this design'] for one in traffic])}×",
             "less DRAM traffic than with dense int8 weights"),
            (f"{_span([100 * one['utilization'] for one in measured], 0)}\u2009%",
             "of the array's peak used, whole networks"),
        ]
    if area:
        total = area["total"]
        share = area["groups"]["rom"]["area_um2"] / max(total["area_um2"], 1e-9)
        figures.append((f"{total['area_um2'] / 1e6:.3g}\u2009mm²",
                        f"of cells and memories in {area['technology']['name']}, {share:.1%} of it "
                        f"codebook; {plots.quantity(total['nand2']).strip()} NAND2 equivalents"))
    return figures


def network_view(network: Mapping[str, Any], samples: Sequence[Sample]) -> dict[str, Any]:
    """What the template shows of a network; hardware figures are None where none were measured."""
    images, seen = network["images"], network.get("predictions", [])
    view: dict[str, Any] = {
        **network, "samples": samples, "compression": compression(network),
        "macs_per_image": network["macs"] / images, "agree": None, "correct": None,
        "cycles_per_image": None, "bytes_per_image": None, "streams": [], "picture": None,
        "hosts": [layer for layer in network["layers"] if layer["host"]],
    }
    if seen:
        view["agree"] = sum(one["class"] == one["float_class"] for one in seen)
        view["correct"] = sum(one["class"] == one["label"] for one in seen)
    if network["cycles"] is not None:
        reads, writes = (network["traffic"][f"dram_{way}_bytes"] for way in ("read", "write"))
        view |= {
            "cycles_per_image": network["cycles"] / images,
            "bytes_per_image": (sum(reads.values()) + sum(writes.values())) / images,
            "streams": [(name, reads[name] / images, writes[name] / images) for name in reads],
            "picture": _picture(plots.layers_figure(network), f"layers-{network['network']}",
                                f"Cycles and utilisation of each layer of {network['network']}"),
        }
    return view


def compression(network: Mapping[str, Any]) -> float:
    """How many times smaller the weights are than in float32; scales and biases not counted."""
    weights = network["weights"]
    return 32 * weights["count"] / max(weights["index_bits"] + 8 * weights["raw"], 1)


def png_data_uri(image: np.ndarray) -> str:
    """A picture as a PNG data URI.

    Parameters
    ----------
    image:
        ``[C, H, W]`` with 1 or 3 channels; stretched to the full range of grey.

    Raises
    ------
    VqromError
        If it has another shape.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise VqromError(f"picture must have shape [1 or 3, H, W], not {image.shape!r}")
    low, high = float(image.min()), float(image.max())
    levels = np.rint((image - low) * (255 / (high - low or 1))).astype(np.uint8)
    picture = Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def count(value: float | None) -> str:
    """A whole number with thin spaces between thousands; a dash for None."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u2009")


def percent(value: float | None) -> str:
    """A fraction as percent; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}\u2009%"


def _picture(figure: Figure, name: str, title: str) -> Markup:
    return Markup(plots.svg(figure, name, title))


def _span(values: Sequence[float], digits: int = 1) -> str:
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low}–{high}"
