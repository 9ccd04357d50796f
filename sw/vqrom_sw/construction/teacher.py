"""What the float network teaches: computed once for all inputs, if that fits into memory.

Every epoch asks for the same outputs of the float network again. Keeping them saves its share of
each step.
"""

from __future__ import annotations

import torch

from vqrom_sw.progress import Progress

from .construction import Construction

KEPT_BYTES = 1 << 29
"""Most bytes of the watched layers' outputs that are kept; if there are more, they are computed
again in each step.
"""


class Teacher:
    """The float network's outputs of the watched layers, which are asked for batch by batch.

    Parameters
    ----------
    construction:
        The construction that is taught; it holds the float network.
    images:
        float32 ``[N, C, H, W]``: all inputs.
    batch:
        Number of inputs that are computed at once.
    device:
        PyTorch's name of the device that computes and that the outputs are returned on.
    progress:
        Called with what is being done, inputs done, and inputs in all, while outputs are computed
        in advance.
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
        """Return the watched layers' outputs ``[n, C, H, W]`` by name for some of the inputs.

        Parameters
        ----------
        part:
            int64 ``[n]``: numbers of these inputs.
        """
        if not self._kept:
            return self._ask(self._images[part])
        return {name: kept[part].to(self._device) for name, kept in self._kept.items()}

    def _ask(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return self._construction.wanted(images.to(self._device))

    def _bytes_of_one(self) -> int:
        return sum(found.nbytes for found in self._ask(self._images[:1]).values())
