"""Baselines: what the same accelerator takes with other weights, run rather than calculated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.random_networks import mixed_network, random_codebook
from tests.sw.compiler.program_checks import config_of
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sim.flows import simulate
from vqrom_sim.flows.extras import DENSE, LOADED, dense_network
from vqrom_sw.reference import run_reference

TINY = load_config("tiny")
CODEBOOK = random_codebook(TINY)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    builder = mixed_network(CODEBOOK)
    return simulate(builder.build(), CODEBOOK, TINY, builder.images(2), "model",
                    baselines=True).report


def test_dense_network_computes_the_same() -> None:
    builder = mixed_network(CODEBOOK)
    network = builder.build()
    dense = dense_network(network, CODEBOOK)
    assert network.indexed and not dense.indexed
    images = np.random.default_rng(1).integers(-128, 128, (2, *network.input_shape), np.int8)
    theirs, ours = (run_reference(one, CODEBOOK, images) for one in (dense, network))
    for name, values in ours.items():
        np.testing.assert_array_equal(theirs[name], values)


def test_baselines_are_those_of_a_run_of_their_own(report: dict[str, Any]) -> None:
    builder = mixed_network(CODEBOOK)
    images = builder.images(2)
    dense, loaded = report["baselines"]
    assert (dense["name"], loaded["name"]) == (DENSE, LOADED)
    again = simulate(dense_network(builder.build(), CODEBOOK), CODEBOOK, TINY, images, "model")
    in_sram = simulate(builder.build(), CODEBOOK, config_of("tiny", codebook_storage="sram"),
                       images, "model")
    for entry, run in ((dense, again), (loaded, in_sram)):
        for key in ("cycles", "utilization", "traffic", "stalls", "busy"):
            assert entry[key] == run.report[key]
    reads = dense["traffic"]["dram_read_bytes"]
    assert reads["index"] == reads["codebook"] == 0 < loaded["traffic"]["dram_read_bytes"][
        "codebook"]
    assert reads["raw_weight"] > report["traffic"]["dram_read_bytes"]["raw_weight"]


def test_nothing_to_compare_with() -> None:
    builder = mixed_network(CODEBOOK)
    images, dense = builder.images(1), dense_network(builder.build(), CODEBOOK)
    assert simulate(dense, CODEBOOK, TINY, images, "model",
                    baselines=True).report["baselines"] == []
    sram = config_of("tiny", codebook_storage="sram")
    entries = simulate(builder.build(), CODEBOOK, sram, images, "model",
                       baselines=True).report["baselines"]
    assert [entry["name"] for entry in entries] == [DENSE]
    with pytest.raises(VqromError, match="engine that counts, not from 'reference'"):
        simulate(builder.build(), CODEBOOK, TINY, images, "reference", baselines=True)


def test_baselines_of_a_topology(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text("Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
                    "Channels, Num Filter, Strides,\nc1, 6, 6, 3, 3, 8, 8, 1,\n")
    report = simulate(path, config=TINY, baselines=True).report
    raw = simulate(path, config=TINY, weights="raw", baselines=True).report
    assert raw["baselines"] == []
    assert report["baselines"][0]["cycles"] == raw["cycles"]
    assert report["baselines"][0]["traffic"] == raw["traffic"]
