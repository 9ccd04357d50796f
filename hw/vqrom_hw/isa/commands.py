"""The command set: what the compiler writes into DRAM and the units carry out.

A program is a list of commands. Each is a record of ``COMMAND_BYTES``: a header, then the body of
its opcode. A layout gives the fields of a record from the lowest bit of byte 0 upwards, without
gaps (little-endian); bits beyond the body, and fields that a command does not use, are zero.

Addresses of the activation buffer count its words, of ``config.rows`` int8 channels each. Beats are
words of the bus. Offsets in DRAM are bytes from the base of a region.
"""

from __future__ import annotations

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from .numbering import Opcode, Unit

COMMAND_BYTES = 128
"""Size of a command: room for every body, and a whole number of beats at every bus width."""

LEVELS = 6
"""Nested loops of an address generator, the innermost first."""

ADDRESS = 20
"""Bits of a word address in the activation buffer; one more where an address may be negative."""

POSITION = 24
"""Bits of a command's position in its program."""

SLIDING_ROWS = 16
"""Most rows of a kernel that :attr:`VectorOp.SLIDING` can work on."""

fault_layout = data.StructLayout({"code": unsigned(4), "position": unsigned(POSITION)})
"""An error in hardware: its :class:`ErrorCode`, where 0 is none, and the position in the program of
the command that caused it."""

wait_layout = data.StructLayout({unit.name.lower(): unsigned(16) for unit in Unit})
"""A count for each unit, modulo 2**16: how many of its commands must have been finished since the
program's start before a command may begin. LOAD, STORE, COMPUTE and VECTOR wait; others do not."""

level_layout = data.StructLayout({
    "count": unsigned(16),
    "stride": signed(ADDRESS + 1),
    "dy": unsigned(6),
    "dx": unsigned(6),
})
"""One loop of a nest.

Members
-------
count:
    Iterations, at least 1.
stride:
    Words that an iteration adds to the address.
dy, dx:
    Map rows and columns that an iteration adds to the coordinates.
"""

nest_layout = data.StructLayout({
    "levels": data.ArrayLayout(level_layout, LEVELS),
    "base": signed(ADDRESS + 1),
    "y0": signed(16),
    "x0": signed(16),
    "height": unsigned(15),
    "width": unsigned(15),
})
"""A walk over a feature map: nested loops that give a word address and coordinates each cycle.

Members
-------
levels:
    The loops, the innermost first.
base, y0, x0:
    Word address, map row and column of the first iteration; they may lie outside the map.
height, width:
    Size of the map in pixels. Where coordinates lie outside, the word is padding and not read.
"""

target_layout = data.StructLayout({
    "base": unsigned(ADDRESS),
    "width": unsigned(ADDRESS),
    "stride": unsigned(ADDRESS),
    "row_stride": unsigned(ADDRESS),
})
"""Where results go.

Members
-------
base:
    Address of the first word.
width:
    Words of a row.
stride, row_stride:
    Words from one word of a row to the next, and from the start of a row to that of the next.
"""

range_layout = data.StructLayout({"zero_point": signed(8), "low": signed(8), "high": signed(8)})
"""The last step of every output byte: add ``zero_point``, then clamp to ``low``..``high``."""

check_layout = data.StructLayout({"sha256": unsigned(256)})
"""Body of CHECK: the SHA-256 that the codebook must have, byte 0 of the digest lowest."""

codebook_layout = data.StructLayout({"sha256": unsigned(256), "codewords": unsigned(17)})
"""Body of CODEBOOK: the SHA-256 of what is loaded, which the registers show from then on, and the
number of codewords."""

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
"""Body of FETCH (which uses the fields up to ``beats``), LOAD and STORE.

A LOAD cuts packets of bytes into words of the activation buffer. Windows that overlap (``hop``
below ``window``) repeat pixels, so that kernel columns lie in lanes; a longer hop is a stride.

Members
-------
channel, stream:
    FETCH: the :class:`Channel` to fill, and the :class:`Stream` by which the bytes are counted.
region, offset:
    Where the bytes lie in DRAM: a :class:`Region` and an offset, a multiple of a beat.
beats:
    Number of beats to move.
base:
    First word of the activation buffer; the others follow.
words:
    STORE: number of words. LOAD: number of words of each packet.
packets:
    LOAD: number of packets, each of which begins at a beat; what is left of its last beat is
    dropped.
window, hop:
    LOAD: bytes that a word takes, and bytes from its first to that of the next word; both in
    1..``config.rows``.
pad_value:
    LOAD: what the lanes of a word beyond ``window`` hold.
"""

post_layout = data.StructLayout({
    "passes": unsigned(16),
    "pixels": unsigned(16),
    "target": target_layout,
    "section": unsigned(8),
    "range": range_layout,
})
"""The part of a COMPUTE that :class:`vqrom_hw.compute.post.PostProcessor` carries out.

Members
-------
passes:
    Column tiles, of ``config.columns`` output channels each.
pixels:
    Output pixels of a pass.
target:
    Where the first pass writes; each pass takes the next section of a word, and after the last
    section the next word.
section:
    The section of the first pass: a word has ``rows / columns`` of them.
range:
    Zero point and limits of the output.
"""

compute_layout = data.StructLayout({
    "raw": unsigned(1),
    "fills": unsigned(32),
    "parameter_groups": unsigned(24),
    "pad_value": signed(8),
    "nest": nest_layout,
    "post": post_layout,
})
"""Body of COMPUTE.

Members
-------
raw:
    1: the weight channel carries int8 weights; 0: indices of codewords.
fills:
    Steps of the weight loader: number of tiles times ``config.fill_steps``.
parameter_groups:
    Items of ``post_lanes`` parameters that post-processing takes: passes times
    ``columns / post_lanes``.
pad_value:
    The activation that stands for padding: the input's zero point.
nest:
    The words of activations. Levels 0 and 1 are the pixels of a tile, levels 2 to 4 the tiles that
    are summed (kernel columns, kernel rows, channel words), level 5 the column tiles.
post:
    What happens to the sums.
"""

operand_layout = data.StructLayout({
    "zero_point": signed(8),
    "multiplier": unsigned(32),
    "right_shift": unsigned(5),
})
"""How one operand ``x`` of an operation on two words is brought to the common scale of both.

The result is ``RDBP(SRDHM((x - zero_point) << 20, multiplier), right_shift)``, with TensorFlow
Lite's ``SaturatingRoundingDoublingHighMul`` and ``RoundingDivideByPOT``. MULTIPLY takes
``x - zero_point`` as it is.

Members
-------
zero_point:
    What stands for 0.0 in the operand.
multiplier, right_shift:
    The factor as ``multiplier * 2**-31 * 2**-right_shift``.
"""

vector_layout = data.StructLayout({
    "operation": unsigned(4),
    "nest": nest_layout,
    "pad_value": signed(8),
    "taps": unsigned(10),
    "kernel_columns": unsigned(4),
    "column_stride": unsigned(6),
    "operands": data.ArrayLayout(operand_layout, 2),
    "broadcast": unsigned(1),
    "operand_base": unsigned(ADDRESS),
    "lane_tables": unsigned(1),
    "pre_shift": unsigned(5),
    "bias": signed(32),
    "multiplier": unsigned(32),
    "shift": signed(8),
    "target": target_layout,
    "range": range_layout,
    "rotation": unsigned(8),
    "first_lane": unsigned(8),
    "lanes": unsigned(9),
})
"""Body of VECTOR, which :class:`vqrom_hw.vector.unit.VectorUnit` carries out.

Members
-------
operation:
    A :class:`VectorOp`.
nest:
    The words that are read. Levels 0 and 1 are a window, the others the outputs in order. SLIDING:
    level 0 walks down the rows of the kernel, level 1 along the columns of the map.
pad_value:
    What padding is to all operations but MAX.
taps:
    DEPTHWISE and SLIDING: positions of the kernel.
kernel_columns, column_stride:
    SLIDING: columns of the kernel, and columns of the map from one output to the next.
operands:
    :data:`PAIRS`: how the two words are rescaled; MULTIPLY uses the zero points only.
broadcast, operand_base:
    :data:`PAIRS`, with ``broadcast`` 1: the second operand of all windows, which then have one word
    each, is the word at ``operand_base``. It is read once, before the first window.
lane_tables:
    TABLE: 0 for one table of 256 bytes for all lanes, 1 for one for each lane.
pre_shift, bias, multiplier, shift:
    Requantisation of a result ``s``: ``(s << pre_shift) + bias`` times
    ``multiplier * 2**-31 * 2**shift``. For DEPTHWISE and SLIDING the parameter packet has the last
    three; MAX and TABLE are not requantised.
target:
    Where the outputs go.
range:
    Zero point and limits of the outputs; MAX and TABLE do not use it.
rotation:
    The result of lane ``i`` goes to lane ``(i + rotation) % rows``; below ``rows``.
first_lane, lanes:
    The lanes of the target's words that are written, so many from ``first_lane`` on; ``lanes`` 0
    stands for all from there on. The other lanes keep what they hold.
"""

header_layout = data.StructLayout({
    "opcode": unsigned(4), "layer": unsigned(12), "wait": wait_layout,
})
"""The head of every command.

Members
-------
opcode:
    An :class:`Opcode`.
layer:
    The layer of the network for which the command's cycles and traffic are counted.
wait:
    The finished commands that it waits for.
"""

BODIES = {
    Opcode.CHECK: check_layout, Opcode.FETCH: transfer_layout, Opcode.CODEBOOK: codebook_layout,
    Opcode.LOAD: transfer_layout, Opcode.STORE: transfer_layout,
    Opcode.COMPUTE: compute_layout, Opcode.VECTOR: vector_layout,
}
"""The layout that follows the header, by opcode; END has no body."""

command_layout = data.StructLayout({
    "header": header_layout,
    "body": data.UnionLayout({layout_name: layout for layout_name, layout in (
        ("check", check_layout), ("codebook", codebook_layout), ("transfer", transfer_layout),
        ("compute", compute_layout), ("vector", vector_layout))}),
})
"""A whole command: the header, and all bodies over each other."""

assert command_layout.size <= 8 * COMMAND_BYTES
