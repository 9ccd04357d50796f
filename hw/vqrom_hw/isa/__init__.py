"""The instruction set: every number that hardware, compiler and cycle model must agree on.

Commands and their bit layouts, the queues that they go to, the registers and the counters that a
driver sees. Nothing in here is hardware yet; everything else imports from here.
"""

from .commands import (
    ADDRESS,
    BODIES,
    COMMAND_BYTES,
    LEVELS,
    POSITION,
    SLIDING_ROWS,
    Channel,
    ErrorCode,
    Opcode,
    Region,
    Stream,
    Unit,
    VectorOp,
    check_layout,
    codebook_layout,
    command_layout,
    fault_layout,
    header_layout,
    nest_layout,
    operand_layout,
    post_layout,
    transfer_layout,
    vector_layout,
    wait_layout,
)
from .counters import ACTIVITIES, COUNTER_MEANINGS, COUNTERS, UNITS
from .queues import QUEUES, TARGETS, queue_layout
from .register import REGISTER_ADDRESS_BITS, Register, RegisterArray, RegisterField
from .registers import (
    DECLARED,
    ERROR,
    IDENTIFIER,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    REGISTERS,
    START,
    VERSION,
    csr_map,
)

__all__ = [
    "ACTIVITIES", "ADDRESS", "BODIES", "COMMAND_BYTES", "COUNTERS", "COUNTER_MEANINGS", "DECLARED",
    "ERROR", "IDENTIFIER", "INTERRUPT_CLEAR", "INTERRUPT_ENABLE", "LEVELS", "POSITION", "QUEUES",
    "REGISTERS", "REGISTER_ADDRESS_BITS", "SLIDING_ROWS", "START", "TARGETS", "UNITS", "VERSION",
    "Channel", "ErrorCode", "Opcode", "Region", "Register", "RegisterArray", "RegisterField",
    "Stream", "Unit", "VectorOp", "check_layout", "codebook_layout", "command_layout", "csr_map",
    "fault_layout", "header_layout", "nest_layout", "operand_layout", "post_layout",
    "queue_layout", "transfer_layout", "vector_layout", "wait_layout",
]
