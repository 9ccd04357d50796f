"""What happens in the parts, as counters, errors and the layer at work."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.utils import exact_log2

from vqrom_hw.bus import FETCH_CHANNELS, ReadChannel
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.control import CommandQueue
from vqrom_hw.isa import COMMAND_BYTES, COUNTERS, POSITION, ErrorCode, Stream
from vqrom_hw.memory import BufferReader, BufferWriter

from .parts import Parts


def increment_bits(config: AcceleratorConfig) -> dict[str, int]:
    """Bits of what one cycle may add to each counter, by its name."""
    most = dict.fromkeys(COUNTERS, 1) | {
        "rom_reads": config.decode_ports,
        "activation_buffer_reads": len(BufferReader), "activation_buffer_writes": len(BufferWriter),
        **dict.fromkeys(("accumulator_reads", "accumulator_writes"), config.post_steps + 1)}
    return {name: events.bit_length() for name, events in most.items()}


def _busy(parts: Parts, queues: dict[str, CommandQueue]) -> dict[str, Signal]:
    """Which units beside the array work, by the names of :data:`vqrom_hw.isa.UNITS`."""
    return {"post": parts.compute.post_busy, "vector": queues["vector"].o.valid,
            "load": queues["load"].o.valid, "store": queues["store"].o.valid}


def report_faults(m: Module, parts: Parts, queues: dict[str, CommandQueue],
                  beat_bytes: int) -> None:
    """Tell the processor of the first of several errors in one cycle, the bus's before the units'.
    """
    dma, write_dma, fault = parts.read_dma, parts.write_dma, parts.processor.fault
    # The program itself is read before its commands have positions.
    command_beats = Signal(POSITION + exact_log2(COMMAND_BYTES // beat_bytes))
    m.d.sync += command_beats.eq(command_beats + dma.beat[ReadChannel.COMMANDS])
    with m.If(parts.processor.launch):
        m.d.sync += command_beats.eq(0)
    fetched = command_beats >> exact_log2(COMMAND_BYTES // beat_bytes)
    read = Mux(dma.beat[ReadChannel.COMMANDS], fetched, dma.origin.command)
    faults: list[tuple[Value, ErrorCode, Value]] = [
        (dma.error, ErrorCode.READ_RESPONSE, read),
        (write_dma.error, ErrorCode.WRITE_RESPONSE, write_dma.command),
        (parts.load.mismatch, ErrorCode.LENGTH, queues["load"].o.payload.position)]
    # The ports of the buffer in their order: readers, then writers.
    for number, name in enumerate(("array", "vector", "store", "post", "vector", "load")):
        faults.append((parts.buffer.range_error[number], ErrorCode.BUFFER_RANGE,
                       queues[name].o.payload.position))
    for happens, code, position in reversed(faults):
        with m.If(happens):
            m.d.comb += [fault.code.eq(code), fault["position"].eq(position)]


def count_events(m: Module, parts: Parts, queues: dict[str, CommandQueue]) -> None:
    """Tell the counters what to add in this cycle, and the registers what they hold."""
    events = _cycles(parts, _busy(parts, queues)) | _traffic(parts) | _accesses(parts)
    for name, event in events.items():
        if len(event) > len(parts.counters.increments[name]):
            raise AssertionError(f"increment of counter {name} must have {len(event)} bits")
    m.d.comb += [parts.counters.clear.eq(parts.csr.start | parts.processor.launch),
                 parts.csr.counters.eq(parts.counters.values)]
    m.d.comb += [parts.counters.increments[name].eq(event) for name, event in events.items()]


def _cycles(parts: Parts, busy: Mapping[str, Signal]) -> dict[str, Value]:
    """Each busy cycle goes to its first cause, so that causes add up to all cycles; and the cycles
    in which each unit works, whatever the others do."""
    compute, running = parts.compute, parts.processor.running
    causes = {"compute": compute.issue, "weights": compute.wait_weights,
              "accumulators": compute.wait_accumulators, "drain": busy["post"],
              "vector": busy["vector"], "load": busy["load"], "store": busy["store"]}
    events: dict[str, Value] = {"cycles": running}
    free: Value = running
    for cause, active in causes.items():
        events[f"{cause}_cycles"] = free & active
        free = free & ~active
    events["command_cycles"] = free
    return events | {f"{name}_busy": active for name, active in busy.items()}


def _traffic(parts: Parts) -> dict[str, Value]:
    """Beats of each traffic stream. What a FETCH brings says itself what it is."""
    dma, write_dma = parts.read_dma, parts.write_dma
    fetched = Cat(dma.beat[channel] for channel in FETCH_CHANNELS.values()).any()
    events = {f"{stream.name.lower()}_beats": fetched & (dma.origin.tag == stream)
              for stream in Stream}
    return events | {
        "command_beats": dma.beat[ReadChannel.COMMANDS],
        "activation_read_beats": dma.beat[ReadChannel.ACTIVATIONS],
        "activation_write_beats": write_dma.wvalid & write_dma.wready,
    }


def _accesses(parts: Parts) -> dict[str, Value]:
    """Accesses to the memories on chip, the only events of which a cycle may have several."""
    compute, buffer = parts.compute, parts.buffer
    return {
        "rom_reads": compute.rom_reads,
        "activation_buffer_reads": buffer.reads,
        "activation_buffer_writes": buffer.writes,
        "accumulator_reads": compute.accumulator_reads,
        "accumulator_writes": compute.accumulator_writes,
    }


def show_layer(m: Module, parts: Parts, queues: dict[str, CommandQueue], active: Signal,
               active_layer: Signal) -> None:
    """Show whether a program runs, and the layer that this cycle belongs to.

    It is the layer of the first unit at work, the array before the others; if none is, that of the
    command that was handed out last. Both are as late as the counters that are read beside them.

    Parameters
    ----------
    active: 1 bit, active_layer: 12 bits
        Ports of the accelerator to drive.
    """
    layer = Signal.like(active_layer)
    m.d.comb += layer.eq(parts.processor.layer)
    working = {"array": parts.compute.array_busy} | _busy(parts, queues)
    for name, works in reversed(working.items()):
        with m.If(works):
            m.d.comb += layer.eq(queues[name].o.payload.layer)
    m.d.sync += [active.eq(parts.processor.running), active_layer.eq(layer)]
