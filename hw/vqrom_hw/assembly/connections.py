"""Wires between the parts: control, read channels, transfers, and the activation buffer's ports."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring

from vqrom_hw.bus import FETCH_CHANNELS, ReadChannel
from vqrom_hw.control import CommandQueue
from vqrom_hw.memory import BufferReader, BufferWriter

from .parts import Parts


def connect_control(m: Module, parts: Parts, interrupt: Signal) -> None:
    """Let a driver's registers start the command processor, and show them how it fares.

    Parameters
    ----------
    interrupt: 1 bit
        Port of the accelerator to drive.
    """
    csr, processor, dma = parts.csr, parts.processor, parts.read_dma
    program = dma.requests[ReadChannel.COMMANDS]
    wiring.connect(m, processor.i, dma.outputs[ReadChannel.COMMANDS])
    m.d.comb += [
        processor.start.eq(csr.start), processor.abort.eq(csr.abort),
        processor.address.eq(csr.program_address), processor.beats.eq(csr.program_beats),
        processor.limit.eq(csr.program_limit), processor.watchdog.eq(csr.watchdog),
        processor.bases.eq(csr.bases), processor.limits.eq(csr.limits),
        csr.codebook_sha256.eq(processor.codebook_sha256), csr.error.eq(processor.error),
        csr.busy.eq(processor.busy), csr.done.eq(processor.done),
        csr.failed.eq(processor.failed), csr.layer.eq(processor.layer),
        interrupt.eq(csr.interrupt),
        program.valid.eq(processor.launch), program.payload.address.eq(csr.program_address),
        program.payload.beats.eq(csr.program_beats),
        dma.flush.eq(processor.flush), parts.write_dma.flush.eq(processor.flush),
        processor.drained.eq(dma.drained & parts.write_dma.idle & ~parts.write_dma.wvalid),
        parts.settle_timer.stray.eq(dma.stray | parts.write_dma.stray),
        processor.settled.eq(parts.settle_timer.settled),
        csr.settling.eq(~processor.busy & ~(processor.settled & processor.drained)),
    ]


def connect_channels(m: Module, parts: Parts) -> None:
    """Let FETCH commands fill the read channels that the units empty."""
    processor, dma = parts.processor, parts.read_dma
    for channel, read_channel in FETCH_CHANNELS.items():
        request = dma.requests[read_channel]
        m.d.comb += [request.valid.eq(processor.fetch[channel]),
                     request.payload.eq(processor.request),
                     processor.fetch_room[channel].eq(request.ready)]
    wiring.connect(m, parts.compute.weights, dma.outputs[ReadChannel.WEIGHTS])
    wiring.connect(m, parts.compute.parameters, dma.outputs[ReadChannel.PARAMETERS])
    wiring.connect(m, parts.vector.i, dma.outputs[ReadChannel.VECTOR])


def connect_transfers(m: Module, parts: Parts, queues: dict[str, CommandQueue]) -> None:
    """Ask the DMA when a LOAD or STORE may begin, and lead their beats to and from it."""
    dma, write_dma = parts.read_dma, parts.write_dma
    for queue, control, target in (
            (queues["load"], parts.load_request, dma.requests[ReadChannel.ACTIVATIONS]),
            (queues["store"], parts.store_request, write_dma.request)):
        head = queue.o
        body = head.payload.body
        m.d.comb += [
            control.begin.eq(head.valid), control.finish.eq(head.valid & head.ready),
            target.valid.eq(control.request), control.accepted.eq(target.ready),
            target.payload.address.eq(parts.csr.bases[body.region] + body.offset),
            target.payload.beats.eq(body.beats),
            target.payload.command.eq(head.payload.position),
        ]
    wiring.connect(m, parts.load.i, dma.outputs[ReadChannel.ACTIVATIONS])
    wiring.connect(m, parts.store.o, write_dma.i)
    m.d.comb += parts.store.written.eq(parts.store_request.requested & write_dma.idle)


def connect_buffer(m: Module, parts: Parts) -> None:
    """Give each unit its ports of the activation buffer.

    The array and post-processing have the ports that are always granted, and look at no grant.
    """
    compute, vector, load, store = parts.compute, parts.vector, parts.load, parts.store
    for number, reader, read_grant in ((BufferReader.ARRAY, compute, None),
                                       (BufferReader.VECTOR, vector, vector.read_grant),
                                       (BufferReader.STORE, store, store.read_grant)):
        port = parts.buffer.read_ports[number]
        m.d.comb += [port.request.eq(reader.read), port.address.eq(reader.read_address),
                     reader.read_word.eq(port.word)]
        if read_grant is not None:
            m.d.comb += read_grant.eq(port.grant)
    for number, writer, write_grant in ((BufferWriter.POST, compute, None),
                                        (BufferWriter.VECTOR, vector, vector.write_grant),
                                        (BufferWriter.LOAD, load, load.write_grant)):
        port = parts.buffer.write_ports[number]
        m.d.comb += [port.request.eq(writer.write), port.address.eq(writer.write_address),
                     port.mask.eq(writer.write_mask), port.word.eq(writer.write_word)]
        if write_grant is not None:
            m.d.comb += write_grant.eq(port.grant)
