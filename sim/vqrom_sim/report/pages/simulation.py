"""The page of simulations and area, and the ``report.json`` beside that of a demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vqrom_hw.codebook_shape import index_width
from vqrom_sim.engines import Timeline
from vqrom_sw.io import write_bytes

from .. import plots
from ..files import json_text
from .area_figures import area_spec, storage_spec
from .headline import compression, count, headline, percent
from .network_figures import (
    STREAM_LABELS,
    layers_spec,
    own_layers,
    roofline_points,
    roofline_spec,
    stream_bytes,
    streams_spec,
    traffic_spec,
)
from .provenance import identities, sources
from .samples import Sample
from .shell import figure, write_page
from .timeline import timeline_data, timeline_spec

SCHEMA = "vqrom.demo/1"


def write_report(path: Path, networks: Sequence[Mapping[str, Any]], codebook: Mapping[str, Any],
                 area: Mapping[str, Any] | None = None,
                 samples: Mapping[str, Sequence[Sample]] | None = None) -> dict[str, Any]:
    """Write the page of a demo, and a ``.json`` of the same name beside it.

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
        Pictures to show with each network, by its name.

    Returns
    -------
    What the JSON file holds.

    Raises
    ------
    VqromError
        If a file cannot be written.
    """
    report = {"schema": SCHEMA, "networks": list(networks), "codebook": codebook, "area": area}
    title = f"{len(networks)} network{'' if len(networks) == 1 else 's'}, one codebook ROM"
    write_page(path, "simulation.html.j2", ["timeline.js"],
               **page_view(title, report, samples or {}, {}))
    write_bytes(path.with_suffix(".json"), json_text(report).encode())
    return report


def simulation_page(path: Path, report: Mapping[str, Any], *,
                    timeline: Timeline | None = None) -> None:
    """Write the page of one simulation.

    Parameters
    ----------
    path:
        Where the HTML goes.
    report:
        What ``report.json`` holds.
    timeline:
        Which unit works on which layer when, of one image.

    Raises
    ------
    VqromError
        If the file cannot be written.
    """
    config = report["config"]
    whole = {"networks": [report], "codebook": codebook_of(config, report["codebook_sha256"]),
             "area": None}
    timelines = {} if timeline is None else {report["network"]: timeline}
    write_page(path, "simulation.html.j2", ["timeline.js"],
               **page_view(f"{report['network']} on {config['name']}", whole, {}, timelines))


def area_page(path: Path, area: Mapping[str, Any]) -> None:
    """Write the page of an area estimate.

    Parameters
    ----------
    path:
        Where the HTML goes.
    area:
        What ``area.json`` holds.

    Raises
    ------
    VqromError
        If the file cannot be written.
    """
    whole = {"networks": [], "area": area,
             "codebook": codebook_of(area["config"], area["codebook_sha256"])}
    write_page(path, "simulation.html.j2", [],
               **page_view(f"Area of {area['config']['name']}", whole, {}, {}))


def codebook_of(config: Mapping[str, Any], sha256: str | None) -> dict[str, Any]:
    """What a page says of the codebook for which an accelerator is built."""
    words, length = config["codewords"], config["subvector"]
    return {"sha256": sha256, "subvector": length, "codewords": words, "bytes": words * length,
            "bits_per_weight": index_width(words) / length}


def page_view(title: str, report: Mapping[str, Any], samples: Mapping[str, Sequence[Sample]],
              timelines: Mapping[str, Timeline]) -> dict[str, Any]:
    """What the template shows.

    Parameters
    ----------
    title:
        Of the page.
    report:
        ``networks`` (reports of ``simulate``), ``codebook`` and ``area`` (or None).
    samples, timelines:
        By the network's name.
    """
    networks, area = report["networks"], report["area"]
    measured = [network for network in networks if network["cycles"]]
    storage = area["codebook_storage"] if area else None
    config = networks[0]["config"] if networks else area["config"] if area else {}
    exact = [network["bit_exact"] for network in networks]
    return {
        "title": title, "codebook": report["codebook"], "area": area, "config": config,
        "networks": [network_view(number, network, samples.get(network["network"], ()),
                                  timelines.get(network["network"]))
                     for number, network in enumerate(networks)],
        "headline": headline(report), "sources": sources(networks, area),
        "identities": identities(config, report["codebook"]["sha256"]),
        "bit_exact": all(exact) if exact and None not in exact else None,
        "compared": any(network["baselines"] for network in measured),
        "traffic_plot": figure(
            "traffic", "DRAM traffic of each network and of what it is compared with",
            traffic_spec(measured)) if measured else None,
        "area_plot": figure("area", "Area of each part of the accelerator", area_spec(area))
        if area else None,
        "storage_plot": figure("storage", "The codebook in all its forms",
                               storage_spec(storage)) if storage else None,
        "titles": plots.GROUP_TITLES, "streams": STREAM_LABELS, "stream_bytes": stream_bytes,
        "quantity": plots.quantity, "count": count, "percent": percent,
    }


def network_view(number: int, network: Mapping[str, Any], samples: Sequence[Sample],
                 timeline: Timeline | None) -> dict[str, Any]:
    """What the template shows of a network; hardware figures are None where none were measured."""
    images, seen = network["images"], network.get("predictions", [])
    view: dict[str, Any] = {
        **network, "samples": samples, "compression": compression(network), "number": number,
        "macs_per_image": network["macs"] / images, "agree": None, "correct": None,
        "cycles_per_image": None, "bytes_per_image": None, "moved": [], "plots": {},
        "measured": network["cycles"] is not None,
        "hosts": [layer for layer in network["layers"] if layer["host"]],
    }
    if seen:
        view["agree"] = sum(one["class"] == one["float_class"] for one in seen)
        view["correct"] = sum(one["class"] == one["label"] for one in seen)
    if view["measured"]:
        reads, writes = (network["traffic"][f"dram_{way}_bytes"] for way in ("read", "write"))
        view |= {
            "cycles_per_image": network["cycles"] / images,
            "bytes_per_image": (sum(reads.values()) + sum(writes.values())) / images,
            "moved": [(name, reads[name] / images, writes[name] / images) for name in reads],
            "plots": _plots(number, network, timeline) if network["cycles"] else {},
        }
    return view


def _plots(number: int, network: Mapping[str, Any], timeline: Timeline | None) -> dict[str, Any]:
    """The pictures of a network, by what they show."""
    name = network["network"]
    made = {
        "layers": figure(f"layers-{number}", f"Cycles and utilisation of each layer of {name}",
                         layers_spec(network)),
        "streams": figure(f"streams-{number}", f"DRAM bytes of each layer of {name}",
                          streams_spec(network)),
        "roofline": None, "timeline": None, "spans": None,
        "hidden": len(own_layers(network)) - len(roofline_points(network)),
    }
    if roofline_points(network):
        made["roofline"] = figure(f"roofline-{number}", f"Roofline of {name}",
                                  roofline_spec(network))
    if timeline is not None:
        made["timeline"] = figure(f"timeline-{number}", f"Which unit works when on {name}",
                                  timeline_spec(timeline))
        made["spans"] = timeline_data(timeline)
    return made
