"""The page of simulations: what it shows, and that it needs nothing else."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plotly.graph_objects import Figure

from tests.random_networks import NetworkBuilder, mixed_network, random_codebook
from tests.sim.report.pages.page_checks import check_page
from tests.sim.report.pages.study_tables import HOSTILE
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import simulate
from vqrom_sim.flows.demo import describe_codebook
from vqrom_sim.report import Sample, png_data_uri, simulation_page, write_report
from vqrom_sim.report.pages.headline import compression, headline
from vqrom_sim.report.pages.network_figures import (
    layers_spec,
    roofline_points,
    roofline_spec,
    stream_bytes,
    streams_spec,
    traffic_spec,
)
from vqrom_sw.network import INPUT

TINY = load_config("tiny")
CODEBOOK = random_codebook(TINY)


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """A report of the cycle model with baselines, of a network that is named as hostile tags."""
    builder = mixed_network(CODEBOOK)
    report = simulate(builder.build(HOSTILE), CODEBOOK, TINY, builder.images(2), "model",
                      baselines=True).report
    return report | {"predictions": [{"label": 1, "float_class": 1, "class": 1},
                                     {"label": 2, "float_class": 3, "class": 3}]}


def test_the_demo_s_page_needs_nothing_else(measured: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    picture = Sample(png_data_uri(np.random.default_rng(0).random((3, 8, 8))), "1", HOSTILE)
    exact = measured | {"bit_exact": True, "mismatches": 0}
    written = write_report(path, [exact, exact], describe_codebook(CODEBOOK),
                           samples={measured["network"]: [picture, picture]})
    page = check_page(path.read_text())
    assert page.tags.count("img") == 4 and HOSTILE in page.text
    assert "2 networks, one codebook ROM" in page.text and "✓ bit-exact" in page.text
    assert json.loads(path.with_suffix(".json").read_text()) == json.loads(json.dumps(written))
    for layer in measured["layers"]:
        assert layer["name"] in page.text


def test_the_page_of_one_simulation(measured: dict[str, Any], tmp_path: Path) -> None:
    simulation_page(tmp_path / "report.html", measured)
    page = check_page((tmp_path / "report.html").read_text())
    assert set(page.data) == {"traffic-data", "layers-0-data", "streams-0-data", "roofline-0-data"}
    words = " ".join(page.text.split())
    for said in ("on tiny", "cycle model", "dense int8", "codebook in an SRAM", "not computed",
                 "cycle model, whose counters equal", measured["codebook_sha256"]):
        assert said in words, said
    assert "index stream" not in words


def test_without_hardware_there_are_names_alone(tmp_path: Path) -> None:
    builder = mixed_network(CODEBOOK)
    report = simulate(builder.build("n"), CODEBOOK, TINY, builder.images(1), "reference").report
    simulation_page(tmp_path / "report.html", report)
    page = check_page((tmp_path / "report.html").read_text())
    assert page.data == {} and "no hardware figures" in page.text


def test_a_network_on_the_host_alone(tmp_path: Path) -> None:
    net = NetworkBuilder(CODEBOOK, (3, 4, 5))
    net.host(INPUT)
    run = simulate(net.build(), CODEBOOK, TINY, np.zeros((1, 5, 3, 4), np.int8), "model")
    simulation_page(tmp_path / "report.html", run.report)
    assert check_page((tmp_path / "report.html").read_text()).data == {}


def test_every_cycle_and_byte_is_in_a_picture(measured: dict[str, Any]) -> None:
    images = measured["images"]
    spec = layers_spec(measured)
    bars = [trace for trace in spec["data"] if trace.get("xaxis") != "x2"]
    assert sum(sum(trace["x"]) for trace in bars) * images == pytest.approx(measured["cycles"])
    moved = sum(sum(trace["x"]) for trace in streams_spec(measured)["data"]) * images
    traffic = measured["traffic"]
    whole = (sum(traffic["dram_read_bytes"].values()) + sum(traffic["dram_write_bytes"].values()))
    assert moved == pytest.approx(whole)
    first = [trace["x"][0] for trace in traffic_spec([measured])["data"]]
    assert sum(first) * images == pytest.approx(whole)
    assert sum(sum(stream_bytes(layer).values()) for layer in measured["layers"]) == whole


def test_no_layer_does_more_than_the_array(measured: dict[str, Any]) -> None:
    peak = measured["peak_macs_per_cycle"]
    points = roofline_points(measured)
    assert points and all(0 < height <= peak for layer, _, height in points
                          if layer["kind"] in ("conv", "linear"))
    ceilings = roofline_spec(measured)["data"][-1]
    assert [y / x for x, y in zip(ceilings["x"], ceilings["y"], strict=True)][:2] == \
        pytest.approx([8, 8])
    assert ceilings["y"][1:] == [peak, peak]


def test_names_in_pictures_are_escaped(measured: dict[str, Any]) -> None:
    layers = [layer | {"name": HOSTILE} for layer in measured["layers"]]
    for spec in (layers_spec(measured | {"layers": layers}), traffic_spec([measured]),
                 roofline_spec(measured | {"layers": layers})):
        shown = str(Figure(spec).to_dict())
        assert "<img" not in shown and "</script" not in shown and "&lt;/script" in shown


def test_headline_compares_with_what_was_run(measured: dict[str, Any]) -> None:
    def said(network: dict[str, Any]) -> str:
        return str(headline({"networks": [network], "codebook": describe_codebook(CODEBOOK),
                             "area": None}))

    assert "than with dense int8 weights" in said(measured)
    assert "dense" not in said(measured | {"baselines": []})


def test_compression_counts_what_is_stored(measured: dict[str, Any]) -> None:
    weights = measured["weights"]
    assert compression(measured) == 32 * weights["count"] / (
        weights["index_bits"] + 8 * weights["raw"])
    assert weights["count"] == weights["indexed"] + weights["raw"]


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures(channels: int) -> None:
    image = np.linspace(-1, 2, channels * 12, dtype=np.float32).reshape(channels, 3, 4)
    uri = png_data_uri(image)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))
    assert picture.shape[:2] == (3, 4) and picture.min() == 0 and picture.max() == 255
    png_data_uri(np.zeros((channels, 2, 2)))
    with pytest.raises(VqromError, match="must have shape"):
        png_data_uri(np.zeros((2, 3, 4)))
    with pytest.raises(VqromError, match="PNG data URI"):
        Sample("http://x", "1", "1")
