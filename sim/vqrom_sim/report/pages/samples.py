"""Pictures that were classified, as the page shows them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vqrom_hw.errors import VqromError


@dataclass(frozen=True)
class Sample:
    """A picture that was classified.

    Members
    -------
    uri:
        ``data:image/png;base64,...``.
    label, predicted:
        Class that the data set says, and class that the accelerator says.
    """

    uri: str
    label: str
    predicted: str

    def __post_init__(self):
        if not self.uri.startswith("data:image/png;base64,"):
            raise VqromError(f"sample picture must be a PNG data URI, not {self.uri[:40]!r}")


def png_data_uri(image: np.ndarray) -> str:
    """A picture as a PNG data URI.

    Parameters
    ----------
    image:
        ``[C, H, W]`` with 1 or 3 channels; stretched to the full range of grey.

    Raises
    ------
    VqromError
        If it has another shape.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise VqromError(f"picture must have shape [1 or 3, H, W], not {image.shape!r}")
    low, high = float(image.min()), float(image.max())
    levels = np.rint((image - low) * (255 / (high - low or 1))).astype(np.uint8)
    picture = Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
