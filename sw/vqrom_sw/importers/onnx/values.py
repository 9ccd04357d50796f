"""What is known of a tensor while a model is read: a constant, or how it grows with the images.

A model is run while it is read, with two numbers of images at once. Whatever is computed from
shapes alone is then known twice, and a third time for a number far away, for which shapes are
known without running: if all are equal, it is a constant; if not, it depends on the number of
images, and sizes that do are told from others without any rules about operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

PROBES = (2, 3)
"""Numbers of images with which a model runs while it is read; 1 would hide what is broadcast."""


COUNTS = (*PROBES, 67)
"""Numbers of images for which it is known what depends on shapes alone."""


@dataclass(frozen=True)
class Data:
    """A tensor that depends on the network's input.

    Members
    -------
    name:
        Name in the module.
    probes:
        The tensor for each number of images in :data:`PROBES`.
    front:
        If one axis has the images and more, as after a reshape: how many entries of it are in
        front of the images.
    """

    name: str
    probes: tuple[torch.Tensor, torch.Tensor]
    front: int = 1

    @property
    def rank(self) -> int:
        """Number of axes."""
        return self.probes[0].dim()

    @property
    def images(self) -> tuple[int, int] | None:
        """The only axis that grows with the number of images, and its entries for each image."""
        grows = [(axis, second - first) for axis, (first, second)
                 in enumerate(zip(*(probe.shape for probe in self.probes), strict=True))
                 if first != second]
        if len(grows) != 1 or self.probes[0].shape[grows[0][0]] != PROBES[0] * grows[0][1]:
            return None
        return grows[0]

    def shape(self, images: int) -> tuple[int, ...]:
        """Shape with any number of images, as sizes grow evenly with it."""
        return tuple(first + (second - first) * (images - PROBES[0]) for first, second
                     in zip(*(probe.shape for probe in self.probes), strict=True))

    def size(self, axis: int) -> int | None:
        """Size of an axis; None if it depends on the number of images."""
        first, second = (probe.shape[axis] for probe in self.probes)
        return first if first == second else None


@dataclass(frozen=True)
class Static:
    """A value computed from constants and shapes alone.

    Members
    -------
    at:
        The value for each number of images in :data:`COUNTS`.
    """

    at: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, value: np.ndarray) -> Static:
        """A constant."""
        return cls((value,) * len(COUNTS))

    @property
    def constant(self) -> bool:
        """Whether it is the same for any number of images."""
        first, *others = self.at
        return all(first is other or (first.shape == other.shape
                                      and first.tobytes() == other.tobytes())
                   for other in others)


Value = Data | Static
"""What is known of a tensor."""


def as_tensor(value: np.ndarray) -> torch.Tensor:
    """A constant as a tensor; reduced floating-point formats become float32."""
    if value.dtype.kind not in "fiub" or value.dtype == np.float16:
        value = value.astype(np.float32)
    return torch.from_numpy(np.array(value))


def repeated(value: np.ndarray, axis: int) -> np.ndarray | None:
    """The one entry along an axis that all entries are equal to, with that axis kept, or None."""
    first = np.take(value, [0], axis) if value.shape[axis] else None
    return first if first is not None and (value == first).all() else None


def reshaped(shape: Sequence[int], requested: Sequence[int], keep_zeros: bool) -> list[int]:
    """Sizes that Reshape makes of a shape: 0 keeps a size, -1 is what is left.

    Raises
    ------
    ValueError
        If the sizes do not fit.
    """
    sizes = [shape[place] if size == 0 and not keep_zeros and place < len(shape) else size
             for place, size in enumerate(map(int, requested))]
    total = int(np.prod(shape, dtype=np.int64))
    if sizes.count(-1) == 1:
        known = -int(np.prod(sizes, dtype=np.int64))
        if known and total % known == 0:
            sizes[sizes.index(-1)] = total // known
    if int(np.prod(sizes, dtype=np.int64)) != total or min(sizes, default=0) < 0:
        raise ValueError(f"{total} elements do not fit into {sizes}")
    return sizes
