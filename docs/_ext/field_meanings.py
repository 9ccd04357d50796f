"""What each field of a command means, by its path in the layouts of ``vqrom_hw.isa.commands``.

A field without a text here fails the build of the reference.
"""

from vqrom_hw.isa import VectorOp

WORD = "word of the activation buffer"

MEANINGS = {
    "opcode": "which command this is",
    "layer": "the layer that reports attribute this command's work to",
    "wait.load": "LOADs that must have finished since the start, modulo 65,536",
    "wait.array": "COMPUTEs whose last word the array must have read",
    "wait.post": "COMPUTEs whose last byte must be written",
    "wait.vector": "VECTORs that must have finished",
    "wait.store": "STOREs whose last write must be acknowledged",

    "sha256": "SHA-256 of the codebook, byte 0 of the digest lowest",
    "codewords": "how many codewords are loaded",

    "channel": "FETCH: the FIFO that is filled (0 weight, 1 parameter, 2 vector)",
    "stream": "FETCH: what the bytes are counted as (0 index, 1 raw weight, 2 parameter, "
              "3 codebook)",
    "region": "region of DRAM whose base register `offset` adds to (0 constant, 1 input, "
              "2 output, 3 scratch)",
    "offset": "bytes from the region's base, a multiple of a beat",
    "beats": "beats to move",
    "base": f"LOAD, STORE: first {WORD}",
    "words": "LOAD, STORE: words; of each packet in a LOAD",
    "packets": "LOAD: packets, each of which begins at a beat",
    "window": "LOAD: bytes of a packet that go into one word, 1 to `rows`",
    "hop": "LOAD: bytes from one word's window to the next one's, 1 to `rows`",
    "pad_value": "LOAD, COMPUTE, VECTOR: value of what has no data: activations outside the map, "
                 "or a loaded word's other lanes",

    "raw": "1: the weights are int8 values; 0: they are indices",
    "fills": "steps of the shadow-register loader: tiles times `fill_steps`",
    "parameter_groups": "parameter items to take: passes times `columns / post_lanes`",
    "nest.levels.count": "iterations of this loop, innermost first",
    "nest.levels.stride": "what an iteration adds to the word address",
    "nest.levels.dy": "what it adds to the map row",
    "nest.levels.dx": "what it adds to the map column",
    "nest.base": "word address of the first iteration",
    "nest.y0": "map row of the first iteration",
    "nest.x0": "map column of the first iteration",
    "nest.height": "rows of the map; coordinates outside are padding",
    "nest.width": "columns of the map",

    "passes": "column tiles whose sums are written",
    "pixels": "pixels of a pass",
    "section": "section of the word in which the first pass's channels lie",
    "target.base": f"first {WORD} that results go to",
    "target.width": "words of a row of results",
    "target.stride": "words from one result to the next",
    "target.row_stride": "words from one row of results to the next",
    "range.zero_point": "added to each result",
    "range.low": "lowest output",
    "range.high": "highest output",

    "operation": ", ".join(f"{each.value} `{each.name}`" for each in VectorOp),
    "taps": "DEPTHWISE, SLIDING: positions of the kernel, whose weights are taken from the FIFO",
    "kernel_columns": "SLIDING: columns of the kernel, which are worked on at once",
    "column_stride": "SLIDING: the layer's stride along a row",
    "operands.zero_point": "operations on two words: zero point of operand `i`",
    "operands.multiplier": "the same but for MULTIPLY: multiplier of operand `i`",
    "operands.right_shift": "the same but for MULTIPLY: right shift of operand `i`",
    "broadcast": "operations on two words: 1, if the second one is the same for all windows",
    "operand_base": f"with `broadcast`: {WORD} that holds it",
    "lane_tables": "TABLE: 0, one table for all lanes; 1, one for each lane",
    "pre_shift": "all but MAX and TABLE: bits that the result moves left before its bias is added",
    "bias": "SUM, operations on two words: added to the result",
    "multiplier": "SUM, operations on two words: multiplier of the result",
    "shift": "SUM, operations on two words: shift of the result, negative to the right",
    "rotation": "lanes that results move by: from lane `n` to `(n + rotation) % rows`",
    "first_lane": "first lane of the target's words that is written",
    "lanes": "how many lanes are written; 0: all from `first_lane` on",
}
