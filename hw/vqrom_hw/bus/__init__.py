"""The way to DRAM: AXI port lists, and the read and write DMA behind them.

A unit asks for a range of bytes; the DMA cuts it into bursts that AXI allows, and delivers or takes
the beats in order. The read DMA serves several streams, each with a FIFO of its own.
"""

from .axi import (
    ADDRESS_BITS,
    BOUNDARY,
    CSR_ADDRESS_BITS,
    axi4_read_members,
    axi4_write_members,
    axi4lite_members,
)
from .bursts import REQUEST_QUEUE, request_layout
from .read_dma import OUTSTANDING_READS, ReadDma
from .streams import (
    ACTIVATIONS,
    CHANNEL_STREAM,
    COMMAND_FIFO_BEATS,
    COMMANDS,
    PARAMETERS,
    VECTOR,
    WEIGHTS,
)
from .write_dma import OUTSTANDING_WRITES, WriteDma

__all__ = [
    "ACTIVATIONS", "ADDRESS_BITS", "BOUNDARY", "CHANNEL_STREAM", "COMMANDS", "COMMAND_FIFO_BEATS",
    "CSR_ADDRESS_BITS", "OUTSTANDING_READS", "OUTSTANDING_WRITES", "PARAMETERS", "REQUEST_QUEUE",
    "VECTOR", "WEIGHTS", "ReadDma", "WriteDma", "axi4_read_members", "axi4_write_members",
    "axi4lite_members", "request_layout",
]
