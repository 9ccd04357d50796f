"""Passes over the list of operations: what counts for which layer, and loads of the codebook."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from vqrom_hw.isa import Channel, Opcode, Stream

from .operations import Operation, Packet

Reload = Literal["network", "layer"]
"""How often a codebook SRAM is filled: once for the network, or before each indexed layer."""


def count_transfers_apart(operations: list[Operation], last: int) -> list[Operation]:
    """Count loads of inputs for layer 0 and stores of outputs for layer ``last``.

    So reports can tell what bringing an image and taking a result cost, apart from the layers.
    """
    return [_counted_apart(operation, last) for operation in operations]


def _counted_apart(operation: Operation, last: int) -> Operation:
    rows = operation.dram
    if rows is not None and rows.map.is_input:
        return replace(operation, layer=0)
    if rows is not None and rows.map.is_output and operation.opcode == Opcode.STORE:
        return replace(operation, layer=last)
    return operation


def insert_codebook(operations: list[Operation], codewords: np.ndarray,
                    reload: Reload) -> list[Operation]:
    """Put in the CODEBOOK operations that fill a codebook SRAM.

    One before the first operation that looks up codewords; with ``reload="layer"`` one wherever
    another layer looks them up.
    """
    packet = _codebook_packet(codewords)
    result: list[Operation] = []
    loaded: int | None = None
    for operation in operations:
        looks_up = operation.opcode == Opcode.COMPUTE and not operation.fields["raw"]
        if looks_up and (loaded is None or (reload == "layer" and loaded != operation.layer)):
            loaded = operation.layer
            result.append(Operation(Opcode.CODEBOOK, operation.layer,
                                    {"codewords": len(codewords)}, packets=(packet,)))
        result.append(operation)
    return result


def _codebook_packet(codewords: np.ndarray) -> Packet:
    content = np.ascontiguousarray(codewords).astype(np.int8).tobytes()
    return Packet(Channel.WEIGHT, Stream.CODEBOOK, ("codebook",), len(content), lambda: content)
