"""TODO."""

from amaranth.lib import data

from .commands import Opcode

QUEUES = ("weights", "array", "post", "load", "store", "vector")
"""Queues behind the processor; a COMPUTE goes to the first three at once."""

TARGETS = {
    Opcode.CODEBOOK: ("weights",), Opcode.COMPUTE: ("weights", "array", "post"),
    Opcode.LOAD: ("load",), Opcode.STORE: ("store",), Opcode.VECTOR: ("vector",),
}

queue_layout = data.StructLayout(dict.fromkeys(QUEUES, 1))
