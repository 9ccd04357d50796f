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
from .counters import ACTIVITIES, COUNTERS, UNITS
from .queues import QUEUES, TARGETS, queue_layout
from .registers import (
    BASE,
    CONTROL,
    COUNTER,
    DONE,
    ERROR,
    ERROR_CODE,
    ERROR_COMMAND,
    HASH,
    ID,
    IDENTIFIER,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    LAYER,
    LIMIT,
    PROGRAM_ADDRESS,
    PROGRAM_BEATS,
    START,
    STATUS,
    VERSION,
    VERSION_CSR,
    csr_map,
)

__all__ = [
    "ACTIVITIES", "ADDRESS", "BASE", "BODIES", "COMMAND_BYTES", "CONTROL", "COUNTER", "COUNTERS",
    "DONE", "ERROR", "ERROR_CODE", "ERROR_COMMAND", "HASH", "ID", "IDENTIFIER", "INTERRUPT_CLEAR",
    "INTERRUPT_ENABLE", "LAYER", "LEVELS", "LIMIT", "POSITION", "PROGRAM_ADDRESS", "PROGRAM_BEATS",
    "QUEUES", "SLIDING_ROWS", "START", "STATUS", "TARGETS", "UNITS", "VERSION", "VERSION_CSR",
    "Channel", "ErrorCode", "Opcode", "Region", "Stream", "Unit", "VectorOp", "check_layout",
    "codebook_layout", "command_layout", "csr_map", "fault_layout", "header_layout", "nest_layout",
    "operand_layout", "post_layout", "queue_layout", "transfer_layout", "vector_layout",
    "wait_layout",
]
