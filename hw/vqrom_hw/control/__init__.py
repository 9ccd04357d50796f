"""What tells the units what to do: registers, event counters, command processor and queues.

A driver writes the registers (:class:`CsrBlock`). The :class:`CommandProcessor` then fetches the
program, checks each command and hands it to the :class:`CommandQueue` of its unit, where it waits
until the commands that it depends on are finished. :class:`Counters` count what happens meanwhile.
"""

from .command_processor import CommandProcessor
from .command_queue import CommandQueue
from .counters import Counters
from .csr import CsrBlock

__all__ = ["CommandProcessor", "CommandQueue", "Counters", "CsrBlock"]
