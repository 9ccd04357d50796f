"""The way to DRAM: AXI port lists, and the read and write DMA behind them.

A unit asks for a range of bytes; the DMA cuts it into bursts that AXI allows, and delivers or takes
the beats in order. The read DMA serves several read channels, each with a FIFO of its own, so that
a unit that is slow to take its data does not hold up the others.
"""

from .axi import (
    ADDRESS_BITS,
    BOUNDARY,
    Axi4LitePorts,
    Axi4ReadPorts,
    Axi4WritePorts,
    axi4_read_members,
    axi4_write_members,
    axi4lite_members,
    connect_prefixed,
)
from .bursts import request_layout
from .channels import (
    COMMAND_FIFO_BEATS,
    FETCH_CHANNELS,
    ReadChannel,
    channel_depths,
)
from .prefetch_fifo import REQUEST_QUEUE
from .read_dma import OUTSTANDING_READS, ReadDma
from .settle_timer import SETTLE_CYCLES, SettleTimer
from .write_dma import OUTSTANDING_WRITES, WriteDma

__all__ = [
    "ADDRESS_BITS",
    "BOUNDARY",
    "COMMAND_FIFO_BEATS",
    "FETCH_CHANNELS",
    "OUTSTANDING_READS",
    "OUTSTANDING_WRITES",
    "REQUEST_QUEUE",
    "SETTLE_CYCLES",
    "Axi4LitePorts",
    "Axi4ReadPorts",
    "Axi4WritePorts",
    "ReadChannel",
    "ReadDma",
    "SettleTimer",
    "WriteDma",
    "axi4_read_members",
    "axi4_write_members",
    "axi4lite_members",
    "channel_depths",
    "connect_prefixed",
    "request_layout",
]
