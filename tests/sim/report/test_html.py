"""Reports: what the HTML holds, and that it needs nothing else."""

from __future__ import annotations

import base64
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tests.random_networks import mixed_network, random_codebook
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import simulate
from vqrom_sim.flows.demo import describe_codebook
from vqrom_sim.report import (
    Sample,
    counters_table,
    plots,
    png_data_uri,
    simulate_table,
    write_report,
)
from vqrom_sim.report.html import compression


class Links(HTMLParser):
    """Every address that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """A report of the RTL engine, with a name that HTML would take for a tag."""
    config = load_config("tiny")
    codebook = random_codebook(config)
    builder = mixed_network(codebook)
    network = builder.build("<b>net & co</b>")
    report = simulate(network, codebook, config, builder.images(2)).report
    return report | {"predictions": [{"label": 1, "float_class": 1, "class": 1},
                                     {"label": 2, "float_class": 3, "class": 3}]}


def test_html_needs_nothing_else(measured: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    codebook = describe_codebook(random_codebook(load_config("tiny")))
    picture = Sample(png_data_uri(np.random.default_rng(0).random((3, 8, 8))), "1", "1")
    written = write_report(path, [measured], codebook,
                           samples={measured["network"]: [picture, picture]})
    text = path.read_text()
    page = Links()
    page.feed(text)
    assert page.addresses, "there is a picture"
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "script" not in page.tags and "@import" not in text and "url(http" not in text
    assert "<b>net" not in text and "&lt;b&gt;net &amp; co" in text
    assert json.loads(path.with_suffix(".json").read_text()) == json.loads(json.dumps(written))
    for layer in measured["layers"]:
        assert layer["name"] in text


def test_traffic_of_dense_weights(measured: dict[str, Any]) -> None:
    """8 bits an index of 4 weights: dense int8 moves four times the index bytes."""
    traffic = plots.traffic_bytes(measured)
    reads = measured["traffic"]["dram_read_bytes"]
    assert traffic["this design"]["weights"] * 2 == reads["index"] + reads["raw_weight"]
    assert traffic["dense int8"]["weights"] * 2 == 4 * reads["index"] + reads["raw_weight"]
    assert traffic["dense float32"]["weights"] == 4 * traffic["dense int8"]["weights"]
    assert len({parts["activations"] for parts in traffic.values()}) == 1


def test_activities_add_up(measured: dict[str, Any]) -> None:
    for layer in measured["layers"]:
        spent = plots.activity_cycles(layer, measured["images"])
        assert sum(spent.values()) * measured["images"] == pytest.approx(layer["cycles"])
        assert all(value >= 0 for value in spent.values())


def test_compression_counts_what_is_stored(measured: dict[str, Any]) -> None:
    weights = measured["weights"]
    assert compression(measured) == 32 * weights["count"] / (
        weights["index_bits"] + 8 * weights["raw"])
    assert weights["count"] == weights["indexed"] + weights["raw"]


def test_counters_are_of_one_image(measured: dict[str, Any]) -> None:
    console = Console(width=80, file=io.StringIO())
    console.print(counters_table([measured]))
    shown = " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]
    traffic = measured["traffic"]
    for name, value in (("MACs", measured["macs"]), ("cycles", measured["cycles"]),
                        ("codebook ROM reads", traffic["rom_reads"]),
                        ("accumulator writes", traffic["buffers"]["accumulator"]["writes"]),
                        ("bytes from DRAM: index", traffic["dram_read_bytes"]["index"]),
                        ("bytes to DRAM: activation", traffic["dram_write_bytes"]["activation"])):
        assert f"{name} {value / 2:,.0f} " in shown + " "


def test_terminal_table_shows_names_as_they_are(measured: dict[str, Any]) -> None:
    console = Console(width=100, file=io.StringIO())
    console.print(simulate_table(measured | {"network": "[red]x[/red]"}))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]x[/red]" in shown and "bit-exact" in shown


@pytest.mark.parametrize(("value", "text"), [
    (0, "0 "), (999.4, "999 "), (999.6, "1.00 k"), (1234, "1.23 k"), (99_960, "100 k"),
    (2.5e6, "2.50 M"), (7e9, "7.00 G"), (0.5, "0.50 ")])
def test_quantity(value: float, text: str) -> None:
    assert plots.quantity(value) == text


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
