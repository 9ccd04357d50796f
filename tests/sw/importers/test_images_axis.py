"""Outputs of files whose images are not along the first dimension."""

from __future__ import annotations

import torch
from torch import nn

from vqrom_sw.importers import capture, check_capture, images_in_front


class States(nn.Module):
    """A recurrent layer's results, and the states of its last step ``(1, N, 5)``."""

    def __init__(self):
        super().__init__()
        self.layer = nn.GRU(6, 5, batch_first=True)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.layer(x)


def test_states_are_moved_and_captured() -> None:
    torch.manual_seed(1)
    states, x = States().eval(), torch.randn(3, 4, 6)
    made = images_in_front(states, x[:1])
    with torch.no_grad():
        results, last = states(x)
        moved = made(x)
    assert torch.equal(moved[0], results) and torch.equal(moved[1], last.movedim(1, 0))
    network = capture(made, x[:1])
    check_capture(network, made, x)
    assert [output.native.sizes for output in network.outputs] == [(4, 5), (1, 5)]


def test_other_modules_are_left_as_they_are() -> None:
    x = torch.zeros(1, 4)
    for module in (nn.Linear(4, 2).eval(), nn.BatchNorm1d(4),
                   nn.Linear(5, 2).eval(), nn.Flatten(0).eval()):
        assert images_in_front(module, x) is module
