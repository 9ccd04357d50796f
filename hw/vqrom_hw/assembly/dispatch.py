"""Command queues between the command processor and the units."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, ResetInserter, Signal, Value
from amaranth.lib import data, stream

from vqrom_hw.compute import array_command_layout, post_command_layout
from vqrom_hw.control import CommandQueue
from vqrom_hw.isa import Opcode, Unit, transfer_layout, vector_layout
from vqrom_hw.weights import weights_command_layout

from .parts import Parts


@dataclass(frozen=True)
class _Station:
    """Where commands of one queue go.

    Members
    -------
    layout, fields:
        What the unit needs of a command's body: all of it as a view, or field by field.
    unit:
        The unit's command port.
    waits:
        Whether a command is held back by its wait counts. The weight feed and post-processing need
        no such order: they wait for their data.
    """

    layout: data.Layout
    fields: data.View | dict[str, Value | data.View]
    unit: stream.Interface
    waits: bool

    def fill(self, m: Module, body: data.View) -> None:
        """Put the command in hand into the body of a queue's entry."""
        if isinstance(self.fields, data.View):
            m.d.comb += body.eq(self.fields)
        else:
            m.d.comb += [body[name].eq(value) for name, value in self.fields.items()]


def _stations(parts: Parts) -> dict[str, _Station]:
    body, header = parts.processor.command.body, parts.processor.command.header
    compute = body.compute
    # A COMPUTE's three shares are queued apart: weights and array run ahead of post-processing.
    return {
        "weights": _Station(weights_command_layout, {
            "codebook": header.opcode == Opcode.CODEBOOK, "raw": compute.raw,
            "fills": compute.fills, "codewords": body.codebook.codewords,
        }, parts.compute.weights_command, False),
        "array": _Station(array_command_layout, {
            "nest": compute.nest, "pad_value": compute.pad_value,
        }, parts.compute.array_command, True),
        "post": _Station(post_command_layout, {
            "post": compute.post, "parameter_groups": compute.parameter_groups,
        }, parts.compute.post_command, False),
        "load": _Station(transfer_layout, body.transfer, parts.load.command, True),
        "store": _Station(transfer_layout, body.transfer, parts.store.command, True),
        "vector": _Station(vector_layout, body.vector, parts.vector.command, True),
    }


def build_queues(m: Module, parts: Parts, depth: int,
                 flushed: ResetInserter) -> dict[str, CommandQueue]:
    """Put a queue in front of each unit, and let the command processor fill them.

    Parameters
    ----------
    depth:
        Commands that a queue holds, the one in progress included.
    flushed:
        Makes a queue forget its commands when the processor flushes.

    Returns
    -------
    Queues by the names of :data:`vqrom_hw.isa.QUEUES`.
    """
    processor = parts.processor
    queues: dict[str, CommandQueue] = {}
    for name, station in _stations(parts).items():
        queue = CommandQueue(station.layout, depth, station.waits)
        queues[name] = queue
        m.submodules[f"{name}_queue"] = flushed(queue)
        entry, unit = queue.i.payload, station.unit
        m.d.comb += [
            entry.position.eq(processor.position),
            entry.layer.eq(processor.command.header.layer),
            entry.wait.eq(processor.command.header.wait),
            queue.i.valid.eq(processor.push[name]),
            processor.room[name].eq(queue.i.ready),
            unit.payload.eq(queue.o.payload.body), unit.valid.eq(queue.o.valid),
            queue.o.ready.eq(unit.ready),
        ]
        station.fill(m, entry.body)
    finished = Cat(queue.o.valid & queue.o.ready for queue in queues.values())
    m.d.comb += [processor.idle.eq(Cat(queue.empty for queue in queues.values()).all()),
                 processor.progress.eq(finished.any())]
    return queues


def track_completion(m: Module, parts: Parts, queues: dict[str, CommandQueue]) -> None:
    """Count the finished commands of each unit, modulo 2**16, and show the counts to all queues.

    A command leaves its queue when its unit has finished it.
    """
    for unit in Unit:
        name = unit.name.lower()
        own = queues[name].o
        finished = Signal(16, name=f"{name}_completed")
        m.d.sync += finished.eq(finished + (own.valid & own.ready))
        with m.If(parts.processor.launch):
            m.d.sync += finished.eq(0)
        m.d.comb += [queue.completed[name].eq(finished) for queue in queues.values()]
