"""The figures of a simulation that say most, and numbers as its page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..plots import quantity, traffic_bytes


def headline(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The few figures that say most: ``(figure, what it is)``."""
    networks, codebook, area = report["networks"], report["codebook"], report["area"]
    figures = [(f"{codebook['bits_per_weight']:g} bits",
                f"per indexed weight: {count(codebook['codewords'])} codewords of "
                f"{codebook['subvector']} weights")]
    if networks:
        ratios = [compression(network) for network in networks]
        figures.append((f"{_span(ratios)}×", "smaller than float32, weights as stored"))
    measured = [network for network in networks if network["cycles"]]
    dense = [against for network in measured if (against := dense_ratio(network)) is not None]
    if measured and len(dense) == len(measured):
        figures.append((f"{_span(dense)}×", "less DRAM traffic than with dense int8 weights, "
                                            "measured on the same accelerator"))
    if measured:
        figures.append((f"{_span([100 * one['utilization'] for one in measured], 0)}\u202f%",
                        "of the array's peak used, whole networks"))
    if area:
        total = area["total"]
        share = area["groups"]["rom"]["area_um2"] / max(total["area_um2"], 1e-9)
        figures.append((f"{total['area_um2'] / 1e6:.3g}\u202fmm²",
                        f"of cells and memories in {area['technology']['name']}, {share:.1%} of it "
                        f"codebook; {quantity(total['nand2']).strip()} NAND2 equivalents"))
    return figures


def dense_ratio(network: Mapping[str, Any]) -> float | None:
    """DRAM bytes with dense int8 weights over the network's own; None where nobody ran that."""
    moved = {name: sum(parts.values()) for name, parts in traffic_bytes(network).items()}
    dense = moved.get("dense int8")
    return None if dense is None else dense / max(moved["this design"], 1)


def compression(network: Mapping[str, Any]) -> float:
    """How many times smaller the weights are than in float32; scales and biases not counted."""
    weights = network["weights"]
    return 32 * weights["count"] / max(weights["index_bits"] + 8 * weights["raw"], 1)


def count(value: float | None) -> str:
    """A whole number with thin spaces between thousands; a dash for None."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def percent(value: float | None) -> str:
    """A fraction as percent; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}\u202f%"


def _span(values: Sequence[float], digits: int = 1) -> str:
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low}–{high}"
