"""The numbers of the command set: opcodes, units, channels, regions, operations and errors.

``vqrom.json`` carries them by name, so that software needs no copy of them.
"""

from enum import IntEnum


class Opcode(IntEnum):
    """What a command does, and which unit carries it out."""

    END = 0
    """Ends the program: waits until all units are idle, then raises ``done``. It has no body."""
    CHECK = 1
    """Stops the program with an error unless the codebook in use has this SHA-256."""
    FETCH = 2
    """Asks the DMA to read into a read channel; is finished as soon as the DMA has noted it."""
    CODEBOOK = 3
    """Fills the codebook SRAM from the weight channel; needs ``codebook_storage = "sram"``."""
    LOAD = 4
    """Reads a feature map, or rows of one, from DRAM into the activation buffer."""
    STORE = 5
    """Writes words of the activation buffer to DRAM."""
    COMPUTE = 6
    """A convolution or matrix product, or a part of one: the array multiplies and sums, and
    post-processing writes the requantised sums into the activation buffer."""
    VECTOR = 7
    """What works channel by channel, from activation buffer to activation buffer: pooling,
    depthwise convolution, element-wise operations, tables, moves."""


class Unit(IntEnum):
    """A unit for whose finished commands others may wait. A COMPUTE counts in two of them."""

    LOAD = 0
    """A LOAD is finished when its last word lies in the activation buffer."""
    ARRAY = 1
    """A COMPUTE is finished here when its last word has been read from the activation buffer."""
    POST = 2
    """A COMPUTE is finished here when its last byte lies in the activation buffer."""
    VECTOR = 3
    """A VECTOR is finished when its last word lies in the activation buffer."""
    STORE = 4
    """A STORE is finished when its last write has been acknowledged."""


class Channel(IntEnum):
    """A read channel that a FETCH may fill: a FIFO between the DMA and the unit that empties it."""

    WEIGHT = 0
    """Indices, raw weights and codewords, for the weight loader."""
    PARAMETER = 1
    """Biases, multipliers and shifts, for post-processing."""
    VECTOR = 2
    """Parameters and weights of depthwise convolutions, and tables, for the vector unit."""


class Stream(IntEnum):
    """A traffic stream: what kind of bytes a FETCH reads, and so the counter that counts them."""

    INDEX = 0
    """Indices of codewords."""
    RAW_WEIGHT = 1
    """int8 weights of raw layers and of depthwise convolutions."""
    PARAMETER = 2
    """Biases, multipliers and shifts, and tables of unary functions."""
    CODEBOOK = 3
    """Codewords for a codebook SRAM."""


class Region(IntEnum):
    """A part of DRAM with registers for its base address and its size.

    Programs give offsets from a base, so that only registers change from image to image.
    """

    CONSTANT = 0
    """What is the same for every image: indices, raw weights, parameters, codewords."""
    INPUT = 1
    """The input of one run, an image for example."""
    OUTPUT = 2
    """The output of one run."""
    SCRATCH = 3
    """Feature maps that do not fit the activation buffer."""


class VectorOp(IntEnum):
    """What the vector unit makes of the words of a window, lane by lane."""

    MAX = 0
    """The maximum; padding never wins. A window of one word is a copy."""
    SUM = 1
    """The sum, requantised: average pooling. A window of one word is a copy in another scale."""
    ADD = 2
    """The sum of two words, each rescaled first, requantised."""
    DEPTHWISE = 3
    """The sum of words times weights, requantised with each channel's own parameters."""
    SLIDING = 4
    """As DEPTHWISE, but each word is read once and used for all columns of its kernel."""
    SUBTRACT = 5
    """The first of two words less the second, each rescaled first, requantised."""
    MAXIMUM = 6
    """The larger of two words, each rescaled first, requantised."""
    MINIMUM = 7
    """The smaller of two words, each rescaled first, requantised."""
    MULTIPLY = 8
    """The product of two words, each less its zero point, requantised."""
    TABLE = 9
    """What a table of 256 bytes says of a word's byte: any function of one number."""


PAIRS = (VectorOp.ADD, VectorOp.SUBTRACT, VectorOp.MAXIMUM, VectorOp.MINIMUM, VectorOp.MULTIPLY)
"""Operations on two words: the window's, or its one word and the operand of a broadcast."""

WEIGHTED = (VectorOp.DEPTHWISE, VectorOp.SLIDING)
"""Operations with weights and parameters of their own, which come as packets."""


class ErrorCode(IntEnum):
    """Why the accelerator stopped a program, as the register ``error_code`` tells it."""

    NONE = 0
    """There was no error."""
    OPCODE = 1
    """An opcode, a channel or what a VECTOR asks for does not exist, or not in this accelerator;
    or the END is missing."""
    DRAM_RANGE = 2
    """A transfer would end beyond the size of its region or of the address space, or the program
    is longer than ``program_limit``."""
    BUFFER_RANGE = 3
    """An access lies beyond the activation buffer."""
    READ_RESPONSE = 4
    """The memory answered a read with SLVERR or DECERR."""
    WRITE_RESPONSE = 5
    """The memory answered a write with SLVERR or DECERR."""
    CODEBOOK = 6
    """The codebook in use is not the one that the program was compiled for."""
    ALIGNMENT = 7
    """A program, a region or an offset does not begin at a bus beat. Nothing was read or written
    for it."""
    LENGTH = 8
    """The words of a LOAD or STORE are not those that its beats hold."""
    WAIT = 9
    """A command waits for more commands than were handed out before it, so for ever."""
    WATCHDOG = 10
    """For as many cycles as the register ``watchdog`` says, no command was handed out or finished;
    or the bus has left something unanswered for so long."""
    ABORTED = 11
    """The driver has set ``control.abort``."""
