"""The accelerator: everything between AXI4-Lite, AXI4 and the interrupt line."""

import numpy as np
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from .assembly import (
    Parts,
    build_queues,
    connect_buffer,
    connect_channels,
    connect_control,
    connect_transfers,
    count_events,
    increment_bits,
    report_faults,
    show_layer,
    track_completion,
)
from .bus import (
    ReadDma,
    SettleTimer,
    WriteDma,
    axi4_read_members,
    axi4_write_members,
    axi4lite_members,
    channel_depths,
    connect_prefixed,
)
from .codebook import codebook_sha256, codewords_as_integers
from .compute import ComputeUnit
from .config import AcceleratorConfig
from .control import CommandProcessor, Counters, CsrBlock
from .errors import VqromError
from .memory import ActivationBuffer, ActivationLoader, ActivationStorer, TransferRequest
from .vector import VectorUnit


class Accelerator(wiring.Component):
    """ROM-codebook inference accelerator.

    It runs quantised neural networks whose weights are indices into one universal codebook, which
    is a ROM on chip. A driver puts a program and the network's data into DRAM, writes a few
    registers and waits for the interrupt. The command processor reads the program and deals its
    commands out to the queues of four units, which work side by side on feature maps in the
    activation buffer:

    .. code-block:: text

        AXI4-Lite --- registers --- command processor --- queues
                          |                                  |
                      counters           +---------+---------+---------+
                                         |         |         |         |
        AXI4 ---- read DMA ------------ LOAD    COMPUTE   VECTOR     STORE --- write DMA --- AXI4
                                         |         |         |         |
                                         +---- activation buffer ------+

    Parameters
    ----------
    config:
        Parameters of the accelerator, from which all widths and depths follow.
    codewords:
        int8 ``[config.codewords, config.subvector]``: the contents of the ROM. With
        ``codebook_storage = sram`` only the shape matters.

    Members
    -------
    s_axil_*:
        AXI4-Lite subordinate: control, status and counters, at the addresses that
        :func:`vqrom_hw.isa.csr_map` gives.
    m_axi_*:
        AXI4 manager: commands, weights, parameters and activations.
    interrupt: ``Out(1)``
        Level: a program is done or has failed.
    active: ``Out(1)``
        A program runs; for tracing, may stay open.
    codebook_sha256: ``str``
        SHA-256 of ``codewords`` in hexadecimal digits; an attribute, not a port.
    active_layer: ``Out(12)``
        Whose cycle this is: the layer that the array works on or waits for, else that of the unit
        which is the cycle's cause; for tracing, may stay open.

    Raises
    ------
    VqromError
        If the codebook has another shape than the configuration says, or is not int8.
    """

    interrupt: Signal
    active: Signal
    active_layer: Signal

    def __init__(self, config: AcceleratorConfig, codewords: np.ndarray) -> None:
        expected = (config.codewords, config.subvector)
        if codewords.shape != expected or codewords.dtype != np.int8:
            raise VqromError(f"codebook must be int8 of shape {expected} for config "
                             f"{config.name!r}, not {codewords.dtype} of shape {codewords.shape}")
        self._config = config
        self._codewords = codewords
        self.codebook_sha256 = codebook_sha256(codewords)
        super().__init__(
            {"interrupt": Out(1), "active": Out(1), "active_layer": Out(12)}
            | axi4lite_members("s_axil_")
            | axi4_read_members("m_axi_", config.bus_width)
            | axi4_write_members("m_axi_", config.bus_width))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        parts = self._build_parts()
        flushed = ResetInserter(parts.processor.flush)
        self._place(m, parts, flushed)
        self._connect_bus(m, parts)
        connect_control(m, parts, self.interrupt)
        connect_channels(m, parts)
        queues = build_queues(m, parts, config.command_queue, flushed)
        track_completion(m, parts, queues)
        connect_transfers(m, parts, queues)
        connect_buffer(m, parts)
        report_faults(m, parts, queues, config.beat_bytes)
        show_layer(m, parts, queues, self.active, self.active_layer)
        count_events(m, parts, queues)
        return m

    def _build_parts(self) -> Parts:
        config = self._config
        # What an SRAM will hold is not known before a program has loaded it.
        rom = config.codebook_storage == "rom"
        digest = self.codebook_sha256 if rom else bytes(32).hex()
        return Parts(
            csr=CsrBlock(), counters=Counters(increment_bits(config)),
            processor=CommandProcessor(config, digest),
            read_dma=ReadDma(config, channel_depths(config)), write_dma=WriteDma(config),
            settle_timer=SettleTimer(), buffer=ActivationBuffer(config),
            compute=ComputeUnit(config, codewords_as_integers(self._codewords)),
            vector=VectorUnit(config), load=ActivationLoader(config),
            store=ActivationStorer(config), load_request=TransferRequest(),
            store_request=TransferRequest())

    def _place(self, m: Module, parts: Parts, flushed: ResetInserter) -> None:
        """Put the parts into the module; those that carry out commands forget all when flushed."""
        m.submodules.csr = parts.csr
        m.submodules.counter_bank = parts.counters
        m.submodules.command_processor = parts.processor
        m.submodules.dma_read = parts.read_dma
        m.submodules.dma_write = parts.write_dma
        m.submodules.settle_timer = parts.settle_timer
        m.submodules.activation_buffer = parts.buffer
        m.submodules.compute_unit = flushed(parts.compute)
        m.submodules.vector_unit = flushed(parts.vector)
        m.submodules.load_unit = flushed(parts.load)
        m.submodules.store_unit = flushed(parts.store)
        m.submodules.load_request_unit = flushed(parts.load_request)
        m.submodules.store_request_unit = flushed(parts.store_request)

    def _connect_bus(self, m: Module, parts: Parts) -> None:
        width = self._config.bus_width
        connect_prefixed(m, self, "s_axil_", parts.csr, axi4lite_members(""))
        connect_prefixed(m, self, "m_axi_", parts.read_dma, axi4_read_members("", width))
        connect_prefixed(m, self, "m_axi_", parts.write_dma, axi4_write_members("", width))
