"""What the float network teaches: computed once for all inputs, if that fits into memory."""

from __future__ import annotations

import torch

from vqrom_sw.progress import Progress

from .module import Construction

KEPT_BYTES = 1 << 32
"""Bytes of watched maps that are kept; more are computed again in each step."""


class Teacher:
    """The float network's outputs of the watched layers, for parts of the inputs.

    Parameters
    ----------
    construction:
        Knows the float network and which layers are watched.
    images:
        float32 ``[N, C, H, W]``.
    batch:
        Inputs computed at once.
    device:
        Where to compute, and where the maps go.
    progress:
        As in :func:`vqrom_sw.construction.train.construct`.
    """

    def __init__(self, construction: Construction, images: torch.Tensor, batch: int, device: str,
                 progress: Progress | None = None):
        self._construction, self._images, self._device = construction, images, device
        self._kept: dict[str, torch.Tensor] = {}
        if len(images) * self._bytes_of_one() > KEPT_BYTES:
            return
        for first in range(0, len(images), batch):
            here = slice(first, first + batch)
            for name, found in self._ask(images[here]).items():
                kept = self._kept.setdefault(name, torch.empty(len(images), *found.shape[1:]))
                kept[here] = found
            if progress:
                progress("asking the float network", min(first + batch, len(images)), len(images))

    def __call__(self, part: torch.Tensor) -> dict[str, torch.Tensor]:
        """Outputs ``[n, C, H, W]`` by layer.

        Parameters
        ----------
        part:
            int64 ``[n]``: numbers of inputs.
        """
        if not self._kept:
            return self._ask(self._images[part])
        return {name: kept[part].to(self._device) for name, kept in self._kept.items()}

    def _ask(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return self._construction.wanted(images.to(self._device))

    def _bytes_of_one(self) -> int:
        return sum(found.nbytes for found in self._ask(self._images[:1]).values())
