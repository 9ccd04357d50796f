"""What a user should know of compressed networks, before any accelerator is chosen."""

from __future__ import annotations

from typing import NamedTuple

from vqrom_hw.codebook_shape import index_width
from vqrom_sim.report import kind_of
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import host_reason
from vqrom_sw.compress import Start
from vqrom_sw.held_back import FEWEST, SHARE, Agreement
from vqrom_sw.network import Conv, Host, QuantizedNetwork

from .arguments import DEFAULT_CONFIG, load_config


class Size(NamedTuple):
    """What a network's weights take.

    Members
    -------
    weights:
        Number of weights.
    indexed, raw:
        How many of them are behind indices, and how many are int8.
    bits:
        Bits of all index maps and int8 weights together, packed.
    """

    weights: int
    indexed: int
    raw: int
    bits: int

    @property
    def bits_per_weight(self) -> float:
        """Average over all weights, int8 ones included."""
        return self.bits / max(self.weights, 1)


LOW = 0.9
"""Agreement below which there is a warning."""


def agreement_note(name: str, found: Agreement | None, epochs: int, start: Start) -> str:
    """A line that says how far a network agrees with the float one, and what may help if not far.

    Parameters
    ----------
    name:
        The network's.
    found:
        Its agreement on inputs kept back; None if there were too few to keep any back.
    epochs, start:
        How it was compressed.
    """
    if found is None:
        return (f"{name}: agreement with the float network not measured, which takes at least "
                f"{FEWEST * SHARE} calibration inputs")
    what = "get the float network's class" if found.classes else \
        "of the outputs' variance is kept"
    line = f"{name}: on {found.inputs} inputs kept back, {found.share:.1%} {what}"
    if found.share >= LOW:
        return line
    helps = "--start outputs" if start != Start.OUTPUTS else \
        "--raw-layers small" + ("" if epochs else ", --epochs, more inputs for --calibration")
    return f"{line}; warning: that is low, and what may help is {helps}"


def size_note(name: str, network: QuantizedNetwork, codebook: UniversalCodebook) -> list[str]:
    """A line that says how many bits a weight takes, and which weights are raw and why."""
    size = size_of(network, index_width(codebook.size))
    if not size.weights:
        return []
    narrow = sum(network.weights_of(layer) for layer in network.layers
                 if isinstance(layer, Conv) and layer.raw is not None
                 and network.shape_of(layer.inputs[0])[2] // layer.groups < codebook.subvector)
    reasons = [f"{count / size.weights:.1%} {why}" for count, why in (
        (narrow, f"in layers with fewer than {codebook.subvector} input channels"),
        (size.raw - narrow, "by --raw-layers")) if count]
    return [f"{name}: {size.bits_per_weight:.2f} bits per weight, "
            f"{size.raw / size.weights:.1%} of the weights raw"
            + (f" ({', '.join(reasons)})" if reasons else "")]


def size_of(network: QuantizedNetwork, width: int) -> Size:
    """What a network's weights take; ``width`` is the bits of one index."""
    convs = [layer for layer in network.layers if isinstance(layer, Conv)]
    raw = sum(layer.raw.size for layer in convs if layer.raw is not None)
    indices = sum(layer.indices.size for layer in convs if layer.indices is not None)
    weights = sum(network.weights_of(layer) for layer in convs)
    return Size(weights, weights - raw, raw, indices * width + 8 * raw)


def host_notes(name: str, network: QuantizedNetwork) -> list[str]:
    """A line that says which layers run on the host and why, if any do on the default accelerator.
    """
    config = load_config(DEFAULT_CONFIG)
    reasons: dict[str, list[str]] = {}
    for layer in network.layers:
        reason = host_reason(layer, network, config)
        if reason:
            told = layer.operation if isinstance(layer, Host) else kind_of(layer)
            reasons.setdefault(reason, []).append(f"{layer.name!r} ({told})")
    if not reasons:
        return []
    count = sum(map(len, reasons.values()))
    return [f"{name}: {count} of {len(network.layers)} layers on the host beside {config.name}: "
            + "; ".join(f"{', '.join(layers)}: {reason}" for reason, layers in reasons.items())]
