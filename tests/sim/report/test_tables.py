"""Tables for the terminal, and the numbers and sums that tables and pictures share."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from tests.random_networks import mixed_network, random_codebook
from vqrom_hw.config import load_config
from vqrom_sim.flows import simulate
from vqrom_sim.report import counters_table, plots, simulate_table


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """A report of the RTL engine with baselines."""
    config = load_config("tiny")
    codebook = random_codebook(config)
    builder = mixed_network(codebook)
    return simulate(builder.build(), codebook, config, builder.images(2), baselines=True).report


def test_traffic_is_what_was_counted(measured: dict[str, Any]) -> None:
    traffic = plots.traffic_bytes(measured)
    reads = measured["traffic"]["dram_read_bytes"]
    assert traffic["this design"]["weights"] * 2 == reads["index"] + reads["raw_weight"]
    for baseline in measured["baselines"]:
        counted = baseline["traffic"]
        assert sum(traffic[baseline["name"]].values()) * 2 == sum(
            counted["dram_read_bytes"].values()) + sum(counted["dram_write_bytes"].values())


def test_activities_add_up(measured: dict[str, Any]) -> None:
    for layer in measured["layers"]:
        spent = plots.activity_cycles(layer, measured["images"])
        assert sum(spent.values()) * measured["images"] == pytest.approx(layer["cycles"])
        assert all(value >= 0 for value in spent.values())


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
