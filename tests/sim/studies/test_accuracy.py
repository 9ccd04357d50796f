"""Accuracy of points: what is compressed onto which codebook, and how it is scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sim.studies import MEASURES, Study
from vqrom_sim.studies.context import Program
from vqrom_sim.studies.measures import accuracy
from vqrom_sim.studies.points import all_points
from vqrom_sw import zoo
from vqrom_sw.codebook import uniform_codebook
from vqrom_sw.importers import capture

ACCURACY = MEASURES["accuracy"]
IMAGES = np.random.default_rng(3).normal(size=(150, 4, 8, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> zoo.ZooNetwork:
    """A network whose own answers are the right ones."""
    torch.manual_seed(5)
    module = nn.Sequential(nn.Conv2d(4, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
                           nn.Linear(16 * 64, 8)).eval()
    with torch.no_grad():
        labels = module(torch.from_numpy(IMAGES)).argmax(1).numpy()
    return zoo.ZooNetwork(module, capture(module, torch.zeros(1, 4, 8, 8), "small"),
                          IMAGES[:40], IMAGES, labels)


@pytest.fixture(autouse=True)
def _loaded(network: zoo.ZooNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small network in the place of one of the zoo."""
    monkeypatch.setattr(accuracy, "_load", lambda _: network)
    monkeypatch.setattr(accuracy, "check_unchanged", lambda _: None)
    monkeypatch.setattr(accuracy, "read_program", lambda source, _: Program(
        source, "zoo", source, "12"))


def points(axes: dict[str, list[Any]], **base: Any) -> tuple[Study, list[Any]]:
    study = Study.of({"name": "accuracy", "measures": ["accuracy"],
                      "base": {"config": "tiny", "scored": "mnist"} | base, "axes": axes})
    return study, all_points(study)


def score(point: Any, study: Study) -> dict[str, Any]:
    works = ACCURACY.works(point, study.context)
    return ACCURACY.figures(point, study.context, [work.run() for work in works])


def test_more_bits_are_better() -> None:
    """int8 agrees with the float network nearly always; grids and codebooks less."""
    study, found = points({"weights": ["raw", "int4", "int2", "index"]})
    scores = {str(point.values["weights"]): score(point, study) for point in found}
    assert all(row["float_score"] == 1 and row["samples"] == 150 for row in scores.values())
    assert scores["raw"]["score"] > 0.95
    assert scores["raw"]["score"] >= scores["int4"]["score"] > scores["int2"]["score"]
    assert scores["index"]["score"] > scores["int2"]["score"]
    assert scores["int2"]["score_drop"] == pytest.approx(100 * (1 - scores["int2"]["score"]))


def test_the_same_work_is_one() -> None:
    """Ports do not matter, nor for int8 the shape of a codebook; the shape of one in use does."""
    def keys(axes: dict[str, list[Any]], **base: Any) -> set[str]:
        study, found = points(axes, **base)
        return {work.key for point in found for work in ACCURACY.works(point, study.context)}

    assert len(keys({"decode_ports": [1, 2]})) == 1
    assert len(keys({"codewords": [16, 64]})) == 2
    assert len(keys({"codewords": [16, 64]}, weights="raw")) == 1
    assert len(keys({"codebook_storage": ["rom", "sram"]})) == 1


def test_a_codebook_for_each_layer_has_no_score() -> None:
    study, (point,) = points({}, codebook_storage="sram", codebook_reload="layer")
    assert ACCURACY.works(point, study.context) == ()
    assert set(ACCURACY.figures(point, study.context, []).values()) == {None}


def test_refused(network: zoo.ZooNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    study, (point,) = points({}, scored="none")
    with pytest.raises(VqromError, match="'accuracy' must be given the field scored"):
        ACCURACY.works(point, study.context)
    unlabelled = zoo.ZooNetwork(network.module, network.network, IMAGES[:4], IMAGES[:4],
                                np.full(4, -1))
    monkeypatch.setattr(accuracy, "_load", lambda _: unlabelled)
    study, (point,) = points({})
    with pytest.raises(VqromError, match="'mnist' must have samples with labels"):
        ACCURACY.works(point, study.context)[0].run()


def test_a_codebook_that_is_given(tmp_path: Path) -> None:
    """It is used as it is, and known by its content."""
    uniform_codebook(2).save(tmp_path / "grid.safetensors")
    study, (point,) = points({}, codebook=str(tmp_path / "grid.safetensors"))
    work, = ACCURACY.works(point, study.context)
    assert isinstance(work, accuracy.AccuracyWork) and work.codebook is not None
    assert work.codebook.sha256 == uniform_codebook(2).sha256
    grid, (same,) = points({}, weights="int2")
    assert ACCURACY.works(same, grid.context)[0].key == work.key
