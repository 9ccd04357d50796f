"""The queues behind the command processor, and which commands go into which."""

from amaranth.lib import data

from .numbering import Opcode

QUEUES = ("weights", "array", "post", "load", "store", "vector")
"""Queues by the unit that they feed. A COMPUTE goes into the first three at once, so that its
weights are unpacked and its results written while the array works on another."""

TARGETS = {
    Opcode.CODEBOOK: ("weights",), Opcode.COMPUTE: ("weights", "array", "post"),
    Opcode.LOAD: ("load",), Opcode.STORE: ("store",), Opcode.VECTOR: ("vector",),
}
"""The queues that take each command; an opcode that is missing goes into none."""

queue_layout = data.StructLayout(dict.fromkeys(QUEUES, 1))
"""One bit for each queue."""
