"""Varied inputs: what each way moves, and what is chosen by the inputs' shape."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vqrom_sw.construction.augment import PART, Augment, augmented, chosen
from vqrom_sw.importers import capture

SIDE, COUNT = 16, 200


def marked() -> torch.Tensor:
    """Inputs whose values say where they are: row and column."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    return torch.stack([rows, columns]).float().expand(COUNT, 2, SIDE, SIDE)


@pytest.mark.parametrize("augment", [Augment.SHIFT, Augment.FLIP, Augment.TIME])
def test_every_way_moves_as_it_says(augment: Augment) -> None:
    found = augmented(marked(), augment, 1)
    middle = SIDE // 2
    rows, columns = found[:, 0, middle, middle], found[:, 1, middle]
    assert set((rows - middle).tolist()) == set(range(-SIDE // PART, SIDE // PART + 1))
    mirrored = columns[:, 0] > columns[:, -1]
    moved = (columns[:, middle] - middle)[~mirrored]
    assert bool(moved.any()) == (augment != Augment.TIME)
    assert (0.3 < mirrored.float().mean() < 0.7) == (augment == Augment.FLIP)
    assert bool(mirrored.any()) == (augment == Augment.FLIP)


def test_the_same_seed_gives_the_same_inputs() -> None:
    one, same, other = (augmented(marked(), Augment.FLIP, seed) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert augmented(one, Augment.NONE, 1) is one


@pytest.mark.parametrize(("channels", "height", "width", "expected"), [
    (3, 32, 32, Augment.FLIP), (1, 28, 28, Augment.SHIFT), (1, 49, 10, Augment.TIME),
    (640, 1, 1, Augment.NONE), (3, 16, 24, Augment.NONE)])
def test_auto_goes_by_the_shape(channels: int, height: int, width: int,
                                expected: Augment) -> None:
    module = nn.Conv2d(channels, 2, 1).eval()
    network = capture(module, torch.zeros(1, channels, height, width), "network")
    assert chosen(Augment.AUTO, network) == expected
    assert chosen(Augment.NONE, network) == Augment.NONE
