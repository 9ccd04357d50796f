"""The read channels: who receives what the read DMA brings, and in which order they are served."""

from enum import IntEnum

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Channel

COMMAND_FIFO_BEATS = 32
"""Depth of the command channel's FIFO in bus beats. It is fixed, unlike those of the other
channels: commands are few, and this is enough to read ahead of the command processor."""


class ReadChannel(IntEnum):
    """A FIFO behind the read DMA. A lower number goes first when several want the bus."""

    COMMANDS = 0
    """The program, read by the command processor."""
    PARAMETERS = 1
    """Biases, multipliers and shifts of a COMPUTE, read by post-processing."""
    VECTOR = 2
    """Parameters and weights of a depthwise layer, read by the vector unit."""
    WEIGHTS = 3
    """Indices, raw weights or codewords, read by the weight feed."""
    ACTIVATIONS = 4
    """Feature maps of a LOAD, read by the loader."""


FETCH_CHANNELS = {
    Channel.WEIGHT: ReadChannel.WEIGHTS, Channel.PARAMETER: ReadChannel.PARAMETERS,
    Channel.VECTOR: ReadChannel.VECTOR,
}
"""The read channel that a FETCH fills, by the number in the command."""


def channel_depths(config: AcceleratorConfig) -> tuple[int, ...]:
    """FIFO depth of each read channel in bus beats, in the order of :class:`ReadChannel`."""
    depths = {
        ReadChannel.COMMANDS: COMMAND_FIFO_BEATS,
        ReadChannel.PARAMETERS: config.parameter_fifo_beats,
        ReadChannel.VECTOR: config.vector_fifo_beats,
        ReadChannel.WEIGHTS: config.weight_fifo_beats,
        ReadChannel.ACTIVATIONS: config.activation_fifo_beats,
    }
    return tuple(depths[channel] for channel in ReadChannel)
