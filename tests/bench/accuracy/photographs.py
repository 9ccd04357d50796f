"""Photographs of a folder, to train EfficientNet-Lite0 with and to compare it on; no labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vqrom_hw.errors import VqromError

SIZE = 224
"""Side of EfficientNet-Lite0's inputs, in pixels."""

WHOLE = 256
"""Shorter side that a photograph is thought to be scaled to when its middle is taken, in pixels."""

LEAST_AREA = 0.35
"""Least area of a random part, relative to the photograph's."""

NARROWEST = 3 / 4
"""Least ratio of a random part's width to its height; the greatest is its inverse."""

KEPT_BACK = 4
"""Every so many photographs, one is kept back to compare on."""

MOST_OF_A_FOLDER = 2000
"""Most photographs that are taken of a folder that is trained with alone."""

THUMBNAIL, SAME = 16, 0.98
"""Side of the thumbnails by which pictures are compared, and the correlation of the same ones."""

SUFFIXES = (".jpeg", ".jpg")
"""Endings of a photograph's name, in lower case."""


def photographs(folder: Path, more: Sequence[Path], compared: Sequence[Path], parts: int
                ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Read photographs to train with, and sets to compare on.

    Every fourth photograph of ``folder`` by name is kept back to compare on: the first set. Of all
    others there is the middle, in random order; then come ``parts`` random parts of those of
    ``folder``, half of them flipped.

    Parameters
    ----------
    folder:
        Folder of photographs, searched whole.
    more:
        Folders of photographs to train with alone, searched whole; random ones of a large folder.
    compared:
        Folders of photographs to compare on alone, searched whole: the other sets. What looks like
        one of any set is not trained with.
    parts:
        Random parts that are cut from each photograph of ``folder``.

    Returns
    -------
    tuple
        The photographs to train with and the sets, float32 ``[N, 3, 224, 224]`` each.

    Raises
    ------
    VqromError
        If a folder holds too few JPEG files.
    """
    paths = _jpegs(folder)
    rng = np.random.default_rng(0)
    unseen = [middle(_opened(path)) for path in paths[::KEPT_BACK]]
    sets = [unseen] + [[middle(_opened(path)) for path in _jpegs(other)] for other in compared]
    secret = np.stack([_thumbnail(picture) for pictures in sets for picture in pictures])

    def is_new(picture: Image.Image) -> bool:
        return float((secret @ _thumbnail(picture)).max()) < SAME

    middles, others = [], []
    for number in rng.permutation(len(paths)):
        if number % KEPT_BACK:
            photo = _opened(paths[number])
            picture = middle(photo)
            if is_new(picture):
                middles.append(picture)
                others += [random_part(photo, rng) for _ in range(parts)]
    for other in more:
        found = _jpegs(other)
        chosen = rng.permutation(len(found))[:MOST_OF_A_FOLDER]
        added = [middle(_opened(found[number])) for number in chosen]
        middles += [picture for picture in added if is_new(picture)]
    rng.shuffle(middles)
    return prepared(middles + others), tuple(prepared(pictures) for pictures in sets)


def _jpegs(folder: Path) -> list[Path]:
    """List a folder's JPEG files by name, those in its subfolders, too."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(found) < KEPT_BACK:
        raise VqromError(f"folder {str(folder)!r} must hold at least {KEPT_BACK} JPEG files, "
                         f"not {len(found)}")
    return found


def _thumbnail(picture: Image.Image) -> np.ndarray:
    """Shrink a picture to float32 ``[n]`` whose products are the pictures' correlations."""
    small = np.asarray(picture.resize((THUMBNAIL, THUMBNAIL)), np.float32).flatten()
    small = small - small.mean()
    return small / max(1.0, float(np.linalg.norm(small)))


def _opened(path: Path) -> Image.Image:
    """Read a photograph, in colour whatever it is."""
    with Image.open(path) as file:
        return file.convert("RGB")


def middle(photo: Image.Image) -> Image.Image:
    """Cut the square in the middle, 224 of 256 pixels of the shorter side."""
    side = min(photo.size) * SIZE / WHOLE
    left, top = ((size - side) / 2 for size in photo.size)
    return photo.resize((SIZE, SIZE), Image.Resampling.BICUBIC,
                        (left, top, left + side, top + side))


def random_part(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Cut a part of random size, place and proportions; half of the parts are flipped."""
    width, height = photo.size
    area = width * height * rng.uniform(LEAST_AREA, 1)
    ratio = np.exp(rng.uniform(np.log(NARROWEST), -np.log(NARROWEST)))
    across, down = min(width, (area * ratio) ** 0.5), min(height, (area / ratio) ** 0.5)
    left, top = rng.uniform(0, width - across), rng.uniform(0, height - down)
    found = photo.resize((SIZE, SIZE), Image.Resampling.BICUBIC,
                         (left, top, left + across, top + down))
    return found.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else found


def prepared(pictures: Sequence[Image.Image]) -> np.ndarray:
    """Turn pictures into EfficientNet-Lite0's inputs, float32 ``[N, 3, 224, 224]``.

    Pixels ``x`` become ``(x - 127) / 128``.
    """
    result = np.empty((len(pictures), 3, SIZE, SIZE), np.float32)
    for place, picture in zip(result, pictures, strict=True):
        place[:] = ((np.asarray(picture, np.float32) - 127) / 128).transpose(2, 0, 1)
    return result
