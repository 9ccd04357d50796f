"""The instruction set: every number on which hardware, compiler, cycle model and driver agree.

Commands and their bit layouts, the queues that they go to, the registers, and the event counters.
Nothing in here is hardware; the other rooms take these facts from here, so that each is stated
once.
"""

from .availability import available_operations
from .commands import (
    ADDRESS,
    BODIES,
    COMMAND_BYTES,
    LEVELS,
    POSITION,
    SLIDING_ROWS,
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
from .numbering import (
    PAIRS,
    WEIGHTED,
    Channel,
    ErrorCode,
    Opcode,
    Region,
    Stream,
    Unit,
    VectorOp,
)
from .queues import QUEUES, TARGETS, queue_layout
from .register import REGISTER_ADDRESS_BITS, Register, RegisterArray, RegisterField
from .registers import (
    ABORT,
    DECLARED,
    ERROR,
    IDENTIFIER,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    REGISTERS,
    START,
    VERSION,
    WATCHDOG_CYCLES,
    csr_map,
)

__all__ = [
    "ABORT", "ACTIVITIES", "ADDRESS", "BODIES", "COMMAND_BYTES", "COUNTERS", "COUNTER_MEANINGS",
    "DECLARED", "ERROR", "IDENTIFIER", "INTERRUPT_CLEAR", "INTERRUPT_ENABLE", "LEVELS", "PAIRS",
    "POSITION", "QUEUES", "REGISTERS", "REGISTER_ADDRESS_BITS", "SLIDING_ROWS", "START", "TARGETS",
    "UNITS", "VERSION", "WATCHDOG_CYCLES", "WEIGHTED", "Channel", "ErrorCode", "Opcode", "Region",
    "Register", "RegisterArray", "RegisterField", "Stream", "Unit", "VectorOp",
    "available_operations", "check_layout", "codebook_layout", "command_layout", "csr_map",
    "fault_layout", "header_layout", "nest_layout", "operand_layout", "post_layout", "queue_layout",
    "transfer_layout", "vector_layout", "wait_layout",
]
