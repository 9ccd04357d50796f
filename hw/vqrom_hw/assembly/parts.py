"""The parts of an accelerator, by name."""

from dataclasses import dataclass

from vqrom_hw.bus import ReadDma, SettleTimer, WriteDma
from vqrom_hw.compute import ComputeUnit
from vqrom_hw.control import CommandProcessor, Counters, CsrBlock
from vqrom_hw.memory import ActivationBuffer, ActivationLoader, ActivationStorer, TransferRequest
from vqrom_hw.vector import VectorUnit


@dataclass(frozen=True)
class Parts:
    """Every component that the accelerator holds, but for the command queues.

    Members
    -------
    csr, counters, processor:
        Registers that a driver sees, event counters, and the reader of programs.
    read_dma, write_dma, settle_timer, buffer:
        The ways to DRAM, what tells when they are quiet after a reset, and the memory on chip.
    compute, vector, load, store:
        The units that carry out commands.
    load_request, store_request:
        They ask the DMA for the transfer of a LOAD or STORE when it may begin.
    """

    csr: CsrBlock
    counters: Counters
    processor: CommandProcessor
    read_dma: ReadDma
    write_dma: WriteDma
    settle_timer: SettleTimer
    buffer: ActivationBuffer
    compute: ComputeUnit
    vector: VectorUnit
    load: ActivationLoader
    store: ActivationStorer
    load_request: TransferRequest
    store_request: TransferRequest
