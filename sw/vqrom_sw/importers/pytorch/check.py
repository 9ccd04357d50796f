"""The comparison of a captured network with its module."""
from __future__ import annotations

import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.network import map_inputs
from vqrom_sw.reference import float_outputs


def check_capture(network, module, example):
    torch.manual_seed(0)
    for batch in (1, 3):
        x = torch.randn(batch, *example.shape[1:])
        with torch.no_grad():
            want = torch.utils._pytree.tree_leaves(module(x))
        maps = torch.from_numpy(map_inputs(x.numpy(), network.input_native, network.input_shape))
        found = float_outputs(network, maps)
        assert len(found) == len(want)
        for f, w in zip(found, want, strict=True):
            if f.shape != w.shape or not torch.allclose(f, w, rtol=1e-3, atol=1e-4 * max(1, w.abs().max())):
                raise VqromError(f"network {network.name!r}: differs {f.shape} {w.shape} {(f-w).abs().max() if f.shape==w.shape else ''}")
