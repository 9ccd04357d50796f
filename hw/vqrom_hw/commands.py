"""The command set: what the compiler writes into DRAM and the command processor reads.

A command is one fixed record of ``COMMAND_BYTES``; each operation reads the fields it needs, the
others are zero. Bits are little-endian: the first field lies in the lowest bits of byte 0.
"""

from __future__ import annotations

from enum import IntEnum

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from .errors import VqromError

COMMAND_BYTES = 128
"""Room for every field at every bus width, a whole number of beats."""

LEVELS = 6
"""Loops of the address generator, innermost first."""


class Opcode(IntEnum):
    """What a command does."""

    END = 0
    """The program is finished: raise ``done``."""
    FETCH = 1
    """Queue a DMA read of ``beats`` for a weight or parameter ``stream``; retires at once."""
    LOAD = 2
    """DRAM to activation buffer: ``words`` from ``act_base``."""
    STORE = 3
    """Activation buffer to DRAM: ``words`` from ``act_base``."""
    COMPUTE = 4
    """Convolution or matrix product: fill, multiply, accumulate, post-process."""
    MAXPOOL = 5
    """Maximum over a window, activation buffer to activation buffer."""
    VECTOR = 6
    """One post-processing pass over words of the activation buffer or the accumulators."""


class Stream(IntEnum):
    """Destination of a FETCH, and the name under which its bytes are counted."""

    INDEX = 0
    RAW_WEIGHT = 1
    PARAMETER = 2


class Region(IntEnum):
    """Base-address CSR that a DRAM offset is relative to."""

    CONSTANT = 0
    INPUT = 1
    OUTPUT = 2


class Source(IntEnum):
    """Where a post-processing pass reads."""

    ACCUMULATOR = 0
    ACTIVATION = 1


class Destination(IntEnum):
    """Where a post-processing pass writes."""

    ACTIVATION = 0
    ACCUMULATOR_SET = 1
    ACCUMULATOR_ADD = 2


ADDRESS = 20
"""Bits of an activation-buffer word address; one more where an address may be negative."""

level_layout = data.StructLayout({
    "count": unsigned(16),
    "stride": signed(ADDRESS + 1),
    "dy": unsigned(6),
    "dx": unsigned(6),
})
"""One loop: iterations, and what one iteration adds to word address, row and column."""

nest_layout = data.StructLayout({
    "levels": data.ArrayLayout(level_layout, LEVELS),
    "base": signed(ADDRESS + 1),
    "y0": signed(16),
    "x0": signed(16),
    "height": unsigned(15),
    "width": unsigned(15),
})
"""A loop nest over a feature map; coordinates outside ``height x width`` are padding."""

post_layout = data.StructLayout({
    "source": unsigned(1),
    "destination": unsigned(2),
    "pre_shift": unsigned(1),
    "pixels": unsigned(16),
    "passes": unsigned(16),
    "source_stride": unsigned(ADDRESS),
    "accumulator_stride": unsigned(1),
    "out_base": unsigned(ADDRESS),
    "out_stride": unsigned(ADDRESS),
    "section": unsigned(8),
    "zero_point": signed(8),
    "low": signed(8),
    "high": signed(8),
})
"""Post-processing: see :class:`vqrom_hw.post.PostProcessor`."""

command_layout = data.StructLayout({
    "opcode": unsigned(4),
    "layer": unsigned(12),
    "stream": unsigned(2),
    "region": unsigned(2),
    "offset": unsigned(32),
    "beats": unsigned(24),
    "act_base": unsigned(ADDRESS),
    "words": unsigned(ADDRESS + 1),
    "raw": unsigned(1),
    "fills": unsigned(32),
    "parameter_groups": unsigned(24),
    "pad_value": signed(8),
    "nest": nest_layout,
    "post": post_layout,
})
"""Every field of a command."""


def _check_field(path: str, width: int, is_signed: bool, value: int) -> None:
    low = -(1 << (width - 1)) if is_signed else 0
    high = low + (1 << width) - 1
    if not low <= value <= high:
        raise VqromError(f"command field {path} must be in {low}..{high}, not {value!r}")


def _pack(layout: data.Layout, values: object, path: str) -> int:
    if isinstance(layout, data.StructLayout):
        if not isinstance(values, dict):
            raise VqromError(f"command field {path} must be a record, not {values!r}")
        unknown = set(values) - set(layout.members)
        if unknown:
            raise VqromError(f"command has no field {path}{sorted(unknown)[0]!r}")
        items = [(name, values[name]) for name in values]
    elif isinstance(values, (list, tuple)) and len(values) <= layout.length:
        items = list(enumerate(values))
    else:
        raise VqromError(f"command field {path} must be a short enough list, not {values!r}")
    bits = 0
    for key, value in items:
        field = layout[key]
        if isinstance(field.shape, data.Layout):
            bits |= _pack(field.shape, value, f"{path}{key}.") << field.offset
        else:
            _check_field(f"{path}{key}", field.width, field.shape.signed, int(value))
            bits |= (int(value) & ((1 << field.width) - 1)) << field.offset
    return bits


def pack_command(**fields: object) -> bytes:
    """Encode one command.

    Parameters
    ----------
    fields:
        Values by the names of :data:`command_layout`; nested records as dicts, levels as a list
        of dicts. What is not given is zero.

    Returns
    -------
    bytes of length ``COMMAND_BYTES``.

    Raises
    ------
    VqromError
        If a field does not exist or its value does not fit.
    """
    return _pack(command_layout, fields, "").to_bytes(COMMAND_BYTES, "little")
