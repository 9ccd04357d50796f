"""Inputs that nothing is fitted to: how far a compressed network agrees with the float one there.

What is encoded, trained or calibrated on some inputs agrees better there than on others. A part of
the calibration inputs is therefore kept back, to judge by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import FloatConv, FloatNetwork, QuantizedNetwork
from vqrom_sw.reference import float_output, infer

SHARE = 8
"""One of so many calibration inputs is kept back."""

FEWEST, MOST = 8, 500
"""Least number of inputs that say something, below which none is kept back, and most that are."""

MOST_MACS = 20_000_000_000
"""Multiply-accumulates of all inputs kept back, which bounds the time of judging."""

AT_ONCE = 50
"""Inputs that the float network runs at once, which bounds the memory."""


@dataclass(frozen=True)
class Agreement:
    """How far a network agrees with the float one on some inputs.

    Members
    -------
    share:
        Share of the inputs with the float network's class; where the output is no vector of scores,
        the share of the outputs' variance that is kept, ``1 - error``.
    error:
        Mean squared difference of the outputs, relative to the variance of the float network's.
    classes:
        Whether the share is one of classes.
    inputs:
        Number of inputs.
    """

    share: float
    error: float
    classes: bool
    inputs: int

    def as_good_as(self, other: Agreement) -> bool:
        """Whether the share is larger than that of another network on the same inputs, or the
        same with no larger error."""
        return (self.share, -self.error) >= (other.share, -other.error)


def keep_back(network: FloatNetwork, count: int) -> np.ndarray:
    """Choose inputs to keep back, the same ones each time.

    Parameters
    ----------
    network:
        The float network, whose size bounds their number.
    count:
        Number of inputs that there are.

    Returns
    -------
    numpy.ndarray
        bool ``[count]``: which are kept back; none if there are too few inputs.
    """
    macs = sum(layer.shape[0] * layer.shape[1] * layer.weight.numel()
               for layer in network.layers if isinstance(layer, FloatConv))
    most = max(FEWEST, min(MOST, MOST_MACS // max(macs, 1)))
    kept = min(count // SHARE, most)
    found = np.zeros(count, bool)
    if kept >= FEWEST:
        found[np.random.default_rng(0).permutation(count)[:kept]] = True
    return found


def agreement(float_network: FloatNetwork, network: QuantizedNetwork,
              codebook: UniversalCodebook | None, images: np.ndarray) -> Agreement:
    """Compare a compressed network, in the integer reference, with the float one.

    Parameters
    ----------
    float_network, network, codebook:
        The network before and after compression, and its codebook.
    images:
        float32 ``[N, C, H, W]``.

    Raises
    ------
    VqromError
        If inputs or codebook are not those of the network.
    """
    wanted = torch.cat([float_output(float_network, part)
                        for part in torch.from_numpy(images).split(AT_ONCE)]).numpy()
    got = infer(network, codebook, images)
    error = float(np.square(got - wanted).mean() / max(float(wanted.var()), 1e-12))
    sizes = float_network.outputs[0].native.sizes
    # What is as long as the input reproduces it, as autoencoders do: its largest entry is no class.
    classes = len(sizes) == 1 and sizes[0] > 1 and sizes != float_network.input_native.sizes
    share = float((got.argmax(1) == wanted.argmax(1)).mean()) if classes else 1 - error
    return Agreement(share, error, classes, len(images))
