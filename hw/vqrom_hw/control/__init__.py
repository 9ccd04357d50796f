"""What tells the units what to do: registers, counters, the command processor and its queues.

A driver writes the registers; the processor fetches the program, checks each command and hands it
to the queue of its unit, where it waits until the commands that it depends on are finished.
"""

from .command_processor import CommandProcessor
from .command_queue import CommandQueue
from .counters import Counters
from .csr import CsrBlock

__all__ = ["CommandProcessor", "CommandQueue", "Counters", "CsrBlock"]
