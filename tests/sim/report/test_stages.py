"""Stages, host layers and several outputs in reports: figures, tables, pages, files."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.random_networks import NetworkBuilder, random_codebook
from tests.staged_networks import crossing_twice, random_inputs, random_stages, two_outputs
from tests.sw.compiler.program_checks import config_of
from vqrom_hw.config import load_config
from vqrom_sim.flows import simulate
from vqrom_sim.report import HostFigures, SimulationReport, simulate_table, write_report
from vqrom_sw.network import INPUT
from vqrom_sw.reference import dequantize, outputs_of, quantize_input, run_reference

TINY = load_config("tiny")
CODEBOOK = random_codebook(TINY)
REASON = "no unit has such an operation"


@pytest.fixture(scope="module")
def run() -> SimulationReport:
    """Two inputs through five stages, whose map ``conv0`` crosses twice."""
    network = crossing_twice(CODEBOOK)
    return simulate(network, CODEBOOK, TINY, random_inputs(network, 2), "model")


def test_stages_have_cycles_and_bytes(run: SimulationReport) -> None:
    """Maps are 7 x 6 x 8 with as many bytes a pixel in DRAM, so every byte of them is counted."""
    assert TINY.rows == 8
    whole, last = 2 * 7 * 6 * 8, 2 * 5 * 4 * 8
    assert [(stage.where, stage.layers) for stage in run.stages] == [
        ("accelerator", ("conv0",)), ("host", ("host1",)),
        ("accelerator", ("conv2", "conv3", "add4")), ("host", ("host5",)),
        ("accelerator", ("conv6",))]
    assert [(stage.read_bytes, stage.written_bytes) for stage in run.stages] == [
        (whole, whole), (whole, whole), (2 * whole, whole), (whole, whole), (whole, last)]
    assert [stage.cycles is None for stage in run.stages] == [False, True] * 2 + [False]
    assert run.cycles == sum(stage.cycles or 0 for stage in run.stages)


def test_layers_add_up(run: SimulationReport) -> None:
    assert [row.name for row in run.layers] == [
        "load", "conv0", "host1", "conv2", "conv3", "add4", "host5", "conv6", "store"]
    hosts = [row for row in run.layers if row.host]
    assert [row.name for row in hosts] == ["host1", "host5"]
    for row in hosts:
        assert row.host == HostFigures(REASON, 0.0, 2 * 336, 2 * 336)
        assert row.cycles is row.utilization is row.traffic is row.stalls is row.busy is None
    assert run.cycles == sum(row.cycles or 0 for row in run.layers)
    assert run.traffic is not None
    for way, place in (("dram_read_bytes", 0), ("dram_write_bytes", -1)):
        whole = getattr(run.traffic, way)
        for stream, moved in whole.items():
            assert moved == sum(getattr(row.traffic, way)[stream]
                                for row in run.layers if row.traffic)
        end = run.layers[place].traffic
        crossed = [(stage.read_bytes, stage.written_bytes)[place] for stage in run.stages
                   if stage.where == "accelerator"]
        assert end and getattr(end, way)["activation"] == sum(byte or 0 for byte in crossed)


@pytest.mark.parametrize("seed", range(8))
def test_sums_of_random_networks(seed: int) -> None:
    """Cycles, MACs, bytes of each stream and bytes across the boundary add up."""
    network = random_stages(CODEBOOK, seed)
    run = simulate(network, CODEBOOK, config_of("tiny", activation_words=256),
                   random_inputs(network, 2), "model")
    inner = run.layers[1:-1]
    assert {row.name for row in inner} == {layer.name for layer in network.layers}
    assert run.cycles == sum(row.cycles or 0 for row in run.layers) \
        == sum(stage.cycles or 0 for stage in run.stages)
    assert [row.macs for row in inner] == [
        2 * network.macs_of(network.layer(row.name)) for row in inner]
    assert run.report["macs"] == sum(row.macs for row in inner)
    assert run.report["host_macs"] == sum(row.macs for row in inner if row.host)
    for way in ("dram_read_bytes", "dram_write_bytes"):
        for stream, moved in getattr(run.traffic, way).items():
            assert moved == sum(getattr(row.traffic, way)[stream]
                                for row in run.layers if row.traffic)
    for stage in run.stages:
        if stage.where == "host":
            hosts = [row.host for row in inner if row.name in stage.layers and row.host]
            assert len(hosts) == len(stage.layers)
            assert stage.written_bytes == sum(host.written_bytes or 0 for host in hosts)


def test_the_utilisation_is_that_of_what_the_accelerator_does(run: SimulationReport) -> None:
    report = run.report
    assert report["host_macs"] == 0 < report["macs"]
    assert report["utilization"] == report["macs"] / (
        report["cycles"] * report["peak_macs_per_cycle"])


def test_reference_knows_the_stages_too() -> None:
    network = crossing_twice(CODEBOOK)
    run = simulate(network, CODEBOOK, TINY, random_inputs(network), "reference")
    assert [stage.where[0] for stage in run.stages] == list("ahaha")
    assert all(stage.cycles is stage.read_bytes is None for stage in run.stages)
    assert [row.host for row in run.layers if row.host] == 2 * [HostFigures(REASON, 0.0)]


def test_shown_in_plain_words(run: SimulationReport, tmp_path: Path) -> None:
    text = StringIO()
    Console(file=text, width=200).print(simulate_table(run.report))
    for words in ("on the host", REASON, "Accelerator and host take turns",
                  "conv2 to add4, 3 layers", "0.0% of all MACs are on the host"):
        assert words in text.getvalue()
    assert "tanh" not in run._repr_html_() and "host, on the host" in run._repr_html_()
    labels = [label.get_text() for label in run.plot_layers().axes[0].get_yticklabels()]
    assert labels == ["load", "conv0", "conv2", "conv3", "add4", "conv6", "store"]
    exact = run.report | {"bit_exact": True, "mismatches": 0}
    write_report(tmp_path / "report.html", [exact], {
        "sha256": CODEBOOK.sha256, "subvector": 4, "codewords": 256, "bytes": 1024,
        "bits_per_weight": 2})
    page = (tmp_path / "report.html").read_text()
    assert f'<td class="t">host5</td><td class="t">{REASON}</td>' in page
    assert "in 5 stages" in page


def test_a_network_on_the_host_alone() -> None:
    net = NetworkBuilder(CODEBOOK, (3, 4, 5))
    net.host(net.host(INPUT))
    network = net.build()
    for engine in ("model", "reference"):
        run = simulate(network, CODEBOOK, TINY, random_inputs(network), engine)
        assert [stage.where for stage in run.stages] == ["host"]
        assert run.cycles == (0 if engine == "model" else None)
        Console(file=StringIO()).print(simulate_table(run.report))


def test_several_outputs(tmp_path: Path) -> None:
    network = two_outputs(CODEBOOK)
    inputs = random_inputs(network, 3)
    run = simulate(network, CODEBOOK, TINY, inputs, "reference")
    expected = outputs_of(network, run_reference(network, CODEBOOK,
                                                 quantize_input(network, inputs)))
    assert run.outputs_by_name is not None and run.outputs is not None
    assert run.report["outputs"] == [
        {"name": "conv0", "layer": "conv0", "shape": [8, 9, 6]},
        {"name": "conv2", "layer": "conv2", "shape": [11, 2, 1]}]
    assert run.save(tmp_path) == ["outputs.npz", "report.json", "report.html"]
    with np.load(tmp_path / "outputs.npz") as arrays:
        assert list(arrays) == ["conv0", "conv2"]
        for name, values in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(arrays[name], values)
    np.testing.assert_array_equal(run.outputs, expected[0])
    assert json.loads((tmp_path / "report.json").read_text()) == run.report
    run.save(tmp_path, dequantized=True)
    with np.load(tmp_path / "outputs.npz") as arrays:
        for number, values in enumerate(expected):
            np.testing.assert_array_equal(arrays[f"conv{2 * number}"],
                                          dequantize(network, values, number))
