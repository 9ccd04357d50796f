"""The command set: what the compiler writes into DRAM and the units carry out.

A command is one record of ``COMMAND_BYTES``: a header, then the body of its opcode. Bits are
little-endian: the first field lies in the lowest bits of byte 0. What is not said is zero.
"""

from __future__ import annotations

from enum import IntEnum

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

COMMAND_BYTES = 128
"""Room for every body, and a whole number of beats at every bus width."""

LEVELS = 6
"""Loops of the address generator, innermost first."""


class Opcode(IntEnum):
    """What a command does, and which unit does it."""

    END = 0
    """The program is finished: wait for all units, raise ``done``."""
    CHECK = 1
    """Stop with an error unless the codebook in use has this SHA-256."""
    FETCH = 2
    """Queue a DMA read into a weight, parameter or vector FIFO; retires at once."""
    CODEBOOK = 3
    """Fill the codebook SRAM from the weight FIFO (``codebook_storage = sram`` only)."""
    LOAD = 4
    """DRAM to activation buffer."""
    STORE = 5
    """Activation buffer to DRAM."""
    COMPUTE = 6
    """Convolution or matrix product: fill, multiply, accumulate, post-process."""
    VECTOR = 7
    """Pooling, addition or depthwise convolution, activation buffer to activation buffer."""


class Unit(IntEnum):
    """Whose finished commands a command may wait for. A COMPUTE finishes twice."""

    LOAD = 0
    """The last word lies in the activation buffer."""
    ARRAY = 1
    """The last word of a COMPUTE has been read from the activation buffer."""
    POST = 2
    """The last byte of a COMPUTE lies in the activation buffer."""
    VECTOR = 3
    """The last word lies in the activation buffer."""
    STORE = 4
    """The last write has been acknowledged."""


class Channel(IntEnum):
    """FIFO that a FETCH fills."""

    WEIGHT = 0
    PARAMETER = 1
    VECTOR = 2


class Stream(IntEnum):
    """The name under which the bytes of a FETCH are counted."""

    INDEX = 0
    RAW_WEIGHT = 1
    PARAMETER = 2
    CODEBOOK = 3


class Region(IntEnum):
    """Base-address and size CSRs that a DRAM offset is relative to."""

    CONSTANT = 0
    INPUT = 1
    OUTPUT = 2
    SCRATCH = 3


class VectorOp(IntEnum):
    """What the vector unit does with the words of a window."""

    MAX = 0
    SUM = 1
    ADD = 2
    DEPTHWISE = 3
    SLIDING = 4
    """A depthwise convolution that uses each word for all columns of its kernel."""


class ErrorCode(IntEnum):
    """Why the accelerator stopped."""

    NONE = 0
    OPCODE = 1
    """An opcode or a channel that does not exist, or not in this configuration; or no END."""
    DRAM_RANGE = 2
    """A transfer beyond the size of its region."""
    BUFFER_RANGE = 3
    """An access beyond the activation buffer."""
    READ_RESPONSE = 4
    """SLVERR or DECERR to a read."""
    WRITE_RESPONSE = 5
    """SLVERR or DECERR to a write."""
    CODEBOOK = 6
    """The codebook is not the one that the program was compiled for."""


ADDRESS = 20
"""Bits of an activation-buffer word address; one more where an address may be negative."""

POSITION = 24
"""Bits of a command's position in its program."""

fault_layout = data.StructLayout({"code": unsigned(4), "position": unsigned(POSITION)})
"""An error and the position of the command that caused it; code 0 is none."""

wait_layout = data.StructLayout({unit.name.lower(): unsigned(16) for unit in Unit})
"""A command begins when each unit has finished so many commands (modulo 2**16) since the start."""

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

target_layout = data.StructLayout({
    "base": unsigned(ADDRESS),
    "width": unsigned(ADDRESS),
    "stride": unsigned(ADDRESS),
    "row_stride": unsigned(ADDRESS),
})
"""Where results go: rows of ``width`` words ``stride`` apart, rows ``row_stride`` apart."""

range_layout = data.StructLayout({"zero_point": signed(8), "low": signed(8), "high": signed(8)})
"""Last step of every output byte: add the zero point, clamp."""

check_layout = data.StructLayout({"sha256": unsigned(256)})
"""Body of CHECK; byte 0 of the digest lowest."""

codebook_layout = data.StructLayout({"sha256": unsigned(256), "codewords": unsigned(17)})
"""Body of CODEBOOK: what is loaded, and how many codewords."""

transfer_layout = data.StructLayout({
    "channel": unsigned(2),
    "stream": unsigned(2),
    "region": unsigned(2),
    "offset": unsigned(32),
    "beats": unsigned(24),
    "base": unsigned(ADDRESS),
    "words": unsigned(ADDRESS + 1),
    "packets": unsigned(16),
    "window": unsigned(9),
    "hop": unsigned(9),
    "pad_value": signed(8),
})
"""Body of FETCH (up to ``beats``), LOAD and STORE.

A LOAD cuts ``packets`` packets, each of which begins at a beat, into ``words`` words each: a word
takes ``window`` bytes, its other lanes hold ``pad_value``, and the next word begins ``hop`` bytes
later. Words go to ``base`` and on. A STORE writes ``words`` words from ``base`` on as ``beats``
beats.
"""

post_layout = data.StructLayout({
    "passes": unsigned(16),
    "pixels": unsigned(16),
    "target": target_layout,
    "section": unsigned(8),
    "range": range_layout,
})
"""Post-processing of a COMPUTE: see :class:`vqrom_hw.compute.post.PostProcessor`."""

compute_layout = data.StructLayout({
    "raw": unsigned(1),
    "fills": unsigned(32),
    "parameter_groups": unsigned(24),
    "pad_value": signed(8),
    "nest": nest_layout,
    "post": post_layout,
})
"""Body of COMPUTE: weight source, decoder steps and parameter items to consume, loops, results."""

operand_layout = data.StructLayout({
    "zero_point": signed(8),
    "multiplier": unsigned(32),
    "right_shift": unsigned(5),
})
"""Rescaling of one operand of an ADD: ``RDBP(SRDHM((x - zero_point) << 20, multiplier), shift)``.
"""

vector_layout = data.StructLayout({
    "operation": unsigned(3),
    "nest": nest_layout,
    "pad_value": signed(8),
    "taps": unsigned(10),
    "kernel_columns": unsigned(4),
    "column_stride": unsigned(6),
    "operands": data.ArrayLayout(operand_layout, 2),
    "pre_shift": unsigned(5),
    "bias": signed(32),
    "multiplier": unsigned(32),
    "shift": signed(8),
    "target": target_layout,
    "range": range_layout,
})
"""Body of VECTOR: see :class:`vqrom_hw.vector.unit.VectorUnit`. Levels 0 and 1 are a window, or
rows of a kernel and columns of a map for SLIDING."""

header_layout = data.StructLayout({
    "opcode": unsigned(4), "layer": unsigned(12), "wait": wait_layout,
})

BODIES = {
    Opcode.CHECK: check_layout, Opcode.FETCH: transfer_layout, Opcode.CODEBOOK: codebook_layout,
    Opcode.LOAD: transfer_layout, Opcode.STORE: transfer_layout,
    Opcode.COMPUTE: compute_layout, Opcode.VECTOR: vector_layout,
}
"""Layout of what follows the header."""

command_layout = data.StructLayout({
    "header": header_layout,
    "body": data.UnionLayout({layout_name: layout for layout_name, layout in (
        ("check", check_layout), ("codebook", codebook_layout), ("transfer", transfer_layout),
        ("compute", compute_layout), ("vector", vector_layout))}),
})
"""A whole command."""

assert command_layout.size <= 8 * COMMAND_BYTES

SLIDING_ROWS = 16
"""Most rows of a kernel whose columns are worked on at once."""
