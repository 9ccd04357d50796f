"""What every simulator's figures of a layer must satisfy, whatever its machine is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def touched(size: int, count: int, kernel: int, stride: int) -> int:
    """Pixels along an axis of ``size`` that ``count`` windows read, those beyond it left out."""
    read = {window * stride + pixel for window in range(count) for pixel in range(kernel)}
    return sum(pixel < size for pixel in read)


def least_reads(layer: dict[str, Any], weight_bits: int = 8) -> int:
    """Bytes that must come from DRAM: every input pixel that is used and every weight, once."""
    pixels = (touched(layer["height"], layer["out_height"], layer["kernel_y"], layer["stride"])
              * touched(layer["width"], layer["out_width"], layer["kernel_x"], layer["stride"]))
    weights = layer["kernel_y"] * layer["kernel_x"] * layer["channels"] * layer["filters"]
    return pixels * layer["channels"] + weights * weight_bits // 8


def least_writes(layer: dict[str, Any]) -> int:
    """Bytes that must go to DRAM: every int8 output, once."""
    return layer["out_height"] * layer["out_width"] * layer["filters"]


def faults(layers: list[dict[str, Any]], figures: dict[str, Any], peak: int,
           weight_bits: int = 8) -> Iterator[str]:
    """What is impossible in the figures of some layers together.

    Parameters
    ----------
    layers:
        The layers as in a job.
    figures:
        What a worker says of them, summed up.
    peak:
        Multiply-accumulates that the array does in a cycle.
    weight_bits:
        Bits of DRAM for a weight.
    """
    macs = sum(layer["macs"] for layer in layers)
    reads = sum(least_reads(layer, weight_bits) for layer in layers)
    writes = sum(map(least_writes, layers))
    if figures["macs"] != macs:
        yield f"{figures['macs']:,} multiply-accumulates, the layers call for {macs:,}"
    if figures["cycles"] * peak < macs:
        yield f"{figures['cycles']:,} cycles, the array needs {-(-macs // peak):,}"
    if figures["dram_read_bytes"] < reads:
        yield f"{figures['dram_read_bytes']:,} bytes read, the layers need {reads:,}"
    if figures["dram_write_bytes"] < writes:
        yield f"{figures['dram_write_bytes']:,} bytes written, the layers need {writes:,}"
